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
# # The learning platform, for real
#
# The same path on real data: 35,230 students of an online-learning platform in 2022. Optional: give the folder of the raw files as
# `LEADLIGHT_REAL_DATA`; without it the notebook says so and does nothing.

# %%
import json
import os
import subprocess
from pathlib import Path

import pandas as pd

SITE = Path("../examples/learning_platform")
DATA = os.environ.get("LEADLIGHT_REAL_DATA", "")
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state")) / "learning_platform"
there = bool(DATA) and (Path(DATA) / "learning_platform").is_dir()
print(
    "real data found"
    if there
    else "no real data here: set LEADLIGHT_REAL_DATA to the folder that holds learning_platform/"
)

# %% [markdown]
# ## Later rows, against plain models
#
# A week after registration: who buys in the next 30 days? About one student in a hundred.

# %%
words = ["leadlight", "backtest", str(SITE), "--target", "week_one", "--state", str(STATE), "--json"]
words += ["--data", str(Path(DATA) / "learning_platform")]
found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout) if there else {}
pd.DataFrame(found.get("models", {})).T

# %%
pd.DataFrame(found.get("differences", {})).T

# %%
assert not there or found["models"]["leadlight"]["auc"] > 0.6

# %% [markdown]
# **Conclusion.** With 75 buyers among the later rows, differences smaller than their standard error mean nothing; what can be said is whether
# Leadlight is worse than the best plain model, chosen with hindsight.
