# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train and compare
#
# Two versions of one model: the default recipe, and a short search beyond it. Which is better, by how much, and for whom? Both are judged
# on later rows that neither has seen. The demo's data are **made**.

# %%
import json
import os
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))
HERE = ["--state", str(STATE)]

# %% [markdown]
# ## The default, and a search
#
# The default needs no tuning. A search is paid for in time, and may win on the folds and lose later: the report says so if it does.

# %%
train = ["leadlight", "train", str(SITE), *HERE, "--json"]
default = json.loads(subprocess.run(train, capture_output=True, text=True, check=True).stdout)
searched = json.loads(
    subprocess.run([*train, "--trials", "4", "--minutes", "1"], capture_output=True, text=True, check=True).stdout
)
default["version"], default["verdict"], searched["version"], searched["verdict"]

# %%
searched["notes"]

# %% [markdown]
# ## The gate's rules
#
# Every threshold is held against a confidence bound. Another candidate on the same test window meets tighter bounds, so that trying
# until one is lucky does not pay.

# %%
rules = pd.DataFrame(default["rules"])
rules[["name", "state", "value", "lower", "upper", "threshold"]]

# %% [markdown]
# ## Side by side
#
# The same rows, the same luck: intervals of the difference are far narrower than those of either version.

# %%
words = ["leadlight", "compare", str(SITE), str(default["version"]), str(searched["version"]), *HERE, "--json"]
found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
metrics = pd.DataFrame(found["metrics"]).T
metrics

# %%
for version, side in zip(found["versions"], found["curves"], strict=True):
    said, came, _ = zip(*side["calibration"], strict=True)
    plt.plot(said, came, marker="o", label=f"version {version}")
plt.axline((0, 0), slope=1, color="grey", linewidth=1)
plt.xlabel("probability said")
plt.ylabel("share that converted")
plt.legend()
plt.show()

# %% [markdown]
# ## Who would change grade

# %%
changes = found["changes"]
print(f"{changes['changed']} of {found['rows']} rows change grade")
pd.DataFrame(changes["rows"])[["lead_id", "first", "second", "converted", "right"]].head(10)

# %%
assert found["rows"] == default["metrics"]["rows"]
assert set(metrics.columns) >= {"first", "second", "difference", "lower", "upper"}

# %% [markdown]
# **Conclusion.** Read the interval of the difference, not the two numbers: where it holds zero, this test cannot tell the versions apart,
# and the simpler one is the better choice.
