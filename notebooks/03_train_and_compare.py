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
# Two versions of one model: the default, and one that must keep to the directions of the catalogue (more trial classes never lower a
# score). Which is better, by how much, and for whom? Both are judged on later rows that neither has seen. The demo's data are **made**.

# %%
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))
HERE = ["--state", str(STATE)]

# %% [markdown]
# ## Two versions
#
# A choice about a model is a line in `leadlight.toml`; here it is written into a copy of the site. To search further for better settings, which
# takes its time, add `--trials 50` to `train`: the report says if what won on the folds lost on later rows.

# %%
steady_site = Path(tempfile.mkdtemp()) / "site"
shutil.copytree(SITE, steady_site, ignore=shutil.ignore_patterns("state*"))
with (steady_site / "leadlight.toml").open("a", encoding="utf-8") as settings:
    settings.write("\n[targets.first_order.fit]\nmonotone = true\n")

# %%
subprocess.run(["leadlight", "build", str(SITE), *HERE], check=True)
data = (STATE / "data_folder").read_text()
train = [["leadlight", "train", str(folder), "--data", data, *HERE, "--json"] for folder in (SITE, steady_site)]
default, steady = (
    json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout) for words in train
)
default["version"], default["verdict"], steady["version"], steady["verdict"]

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
words = ["leadlight", "compare", str(SITE), str(default["version"]), str(steady["version"]), *HERE, "--json"]
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
pd.DataFrame(changes["rows"], columns=["lead_id", "first", "second", "converted", "right"]).head(10)

# %%
assert found["rows"] == default["metrics"]["rows"]
assert set(metrics.columns) >= {"first", "second", "difference", "lower", "upper"}

# %% [markdown]
# ## Which one goes live
#
# Here the default: `promote` refuses whatever the gate did not certify.

# %%
subprocess.run(["leadlight", "promote", str(SITE), str(default["version"]), *HERE], check=True)

# %% [markdown]
# **Conclusion.** Read the interval of the difference, not the two numbers: where it holds zero, this test cannot tell the versions apart,
# and the simpler one is the better choice.
