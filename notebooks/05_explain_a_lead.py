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
# # Explain a lead
#
# Where does one score come from? The model explains itself: its parts are additive, so shares of the score are exact, and shap's own view
# of the trees agrees with ours. The demo's data are **made**.

# %%
import json
import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from features.catalogue import load_catalogue
from leadlight.model.bundle import load_bundle
from leadlight.model.margins import sigmoid
from leadlight.settings import load_site
from leadlight.shelf import bundle_folder, current_champion
from training.dataset import load
from training.plots import tree_shap

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))
HERE = ["--state", str(STATE)]

# %%
site = load_site(SITE)
name, target = site.target()
if current_champion(STATE, name) is None:
    trained = subprocess.run(["leadlight", "train", str(SITE), *HERE, "--json"], capture_output=True, check=True)
    version = json.loads(trained.stdout)["version"]
    subprocess.run(["leadlight", "promote", str(SITE), str(version), *HERE], check=True)
champion = current_champion(STATE, name)
folder = bundle_folder(STATE, name, champion.version)
model = load_bundle(folder, expected=champion.bundle_sha256).model

# %% [markdown]
# ## One lead of the test rows: the likeliest

# %%
test = load(site, load_catalogue(site), name, state=STATE).part("test")
scores = model.score(test.X)
place = int(np.argmax(scores.probability))
print(f"{test.lead_id[place]}: {scores.probability[place]:.1%} ({scores.low[place]:.1%} to {scores.high[place]:.1%})")

# %%
shares = pd.DataFrame(
    {
        "group": scores.groups,
        "value": [test.X[column].iloc[place] for column in scores.columns],
        "log-odds": scores.contributions[place],
    },
    index=list(scores.columns),
)
by_group = shares.groupby("group")["log-odds"].sum().sort_values(key=np.abs, ascending=False)
by_group

# %% [markdown]
# Base and shares add up to the raw score, and the logistic function of that is the probability.

# %%
total = scores.base + shares["log-odds"].sum()
assert abs(total - scores.raw[place]) < 1e-9
assert scores.probability[place] == sigmoid(np.array([scores.raw[place]]))[0]
print(f"{scores.base:+.3f} at the base {shares['log-odds'].sum():+.3f} by its columns = {total:+.3f}")

# %% [markdown]
# ## The trees as shap sees them
#
# shap's TreeExplainer, and our own contributions of the tree part alone.

# %%
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import shap

rows = test.X.iloc[:400]
matrix, values = tree_shap(model, rows)
ours = model.trees.contributions(matrix, threads=1)
print(f"the largest difference of {values.size:,}: {np.abs(values - ours).max():.1e}")
assert np.allclose(values, ours, atol=1e-9)

# %%
explained = shap.Explanation(
    values, data=matrix, feature_names=list(model.encoder.columns), base_values=model.trees.base
)
shap.plots.beeswarm(explained, max_display=12)

# %%
strongest = int(np.argmax(model.margin(rows)))
shap.plots.waterfall(explained[strongest], max_display=10)

# %% [markdown]
# **Conclusion.** Reasons are the score: nothing is left over, and no value is named that was not used. They say what the model leans on, not
# what would happen if somebody changed it.
