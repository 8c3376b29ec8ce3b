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
import os
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from features.catalogue import load_catalogue
from leadlight.settings import load_site
from training.compare import compare
from training.pipeline import train

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))
HERE = ["--state", str(STATE)]

# %% [markdown]
# ## Two versions
#
# On the command line each is `leadlight train SITE`, and the choice is a line in `leadlight.toml`: `[targets.first_order.fit] monotone = true`. To
# search further for better settings add `--trials 50`: the report says if what won on the folds lost on later rows.

# %%
subprocess.run(["leadlight", "build", str(SITE), *HERE], check=True)
site = load_site(SITE)
catalogue = load_catalogue(site)
name, target = site.target()
steady_target = target.model_copy(update={"fit": target.fit.model_copy(update={"monotone": True})})
steady_site = site.model_copy(update={"targets": {**site.targets, name: steady_target}})
default = train(site, catalogue, name, state=STATE)
steady = train(steady_site, catalogue, name, state=STATE)
default.lines()[0], steady.lines()[0]

# %% [markdown]
# ## The gate's rules
#
# Every threshold is held against a confidence bound. Another candidate on the same test window meets tighter bounds, so that trying
# until one is lucky does not pay.

# %%
rules = pd.DataFrame(default.to_json()["rules"])
rules[["name", "state", "value", "lower", "upper", "threshold"]]

# %% [markdown]
# ## Side by side
#
# The same rows, the same luck: intervals of the difference are far narrower than those of either version.

# %%
found = compare(site, catalogue, name, (default.version, steady.version), state=STATE).to_json()
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
assert found["rows"] == default.to_json()["metrics"]["rows"]
assert set(metrics.columns) >= {"first", "second", "difference", "lower", "upper"}

# %% [markdown]
# ## Which one goes live
#
# Here the default: `promote` refuses whatever the gate did not certify.

# %%
subprocess.run(["leadlight", "promote", str(SITE), str(default.version), *HERE], check=True)

# %% [markdown]
# **Conclusion.** Read the interval of the difference, not the two numbers: where it holds zero, this test cannot tell the versions apart,
# and the simpler one is the better choice.
