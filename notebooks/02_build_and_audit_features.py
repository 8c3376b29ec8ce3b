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
# # Build and audit features
#
# What does the catalogue make of the raw facts, what is missing, and does any column know more than it should? A column that
# was written after the outcome makes every test look splendid and every live score worthless. The demo's data are **made**.

# %%
import json
import os
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from features.catalogue import load_catalogue
from leadlight.settings import load_site
from training.dataset import load

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))
HERE = ["--state", str(STATE)]

# %%
subprocess.run(["leadlight", "build", str(SITE), *HERE], check=True)
site = load_site(SITE)
catalogue = load_catalogue(site)
name, target = site.target()

# %% [markdown]
# ## The catalogue
#
# One entry may yield several columns, one for each window; columns that tell one story share a reason group.

# %%
columns = pd.DataFrame(
    [(column.name, column.entry.kind, column.group, column.type, column.wording("en")) for column in catalogue.columns],
    columns=["column", "kind", "group", "type", "meaning"],
)
columns.groupby("group").agg(columns=("column", "size"), kinds=("kind", lambda kinds: ", ".join(sorted(set(kinds)))))

# %% [markdown]
# ## The rows a model sees
#
# They come from Feast's point-in-time join: each row holds what was known at its own moment and nothing later.

# %%
rows = load(site, catalogue, name, state=STATE)
pd.Series(rows.split).value_counts().rename("rows")

# %%
missing = rows.X.isna().mean().sort_values(ascending=False)
missing[missing > 0].rename("share missing").to_frame().head(12)

# %%
numbers = rows.X.select_dtypes("number")
strongest = numbers.corrwith(pd.Series(rows.y)).abs().sort_values(ascending=False).head(12)
plt.barh(strongest.index[::-1], strongest.iloc[::-1])
plt.xlabel("|correlation| with the label")
plt.title("What moves with the outcome")
plt.show()

# %% [markdown]
# ## The audit
#
# Every feature and every raw column is probed on training rows: known before the outcome? changed after it? too good to be true
# alone? missing just where it matters? The verdict comes with its evidence. It ends with 1 if the catalogue uses a leak.

# %%
done = subprocess.run(["leadlight", "audit", str(SITE), *HERE, "--json"], capture_output=True, text=True, check=False)
audit = json.loads(done.stdout)
verdicts = pd.DataFrame(audit["columns"])
verdicts["evidence"] = verdicts["evidence"].map("; ".join)
verdicts["verdict"].value_counts()

# %%
pd.set_option("display.max_colwidth", 120)
verdicts[verdicts["verdict"] != "ok"][["name", "verdict", "evidence"]]

# %%
used = set(rows.X.columns)
leaking = verdicts[(verdicts["verdict"] == "leak") & verdicts["name"].isin(used)]
assert done.returncode == 0, "the catalogue uses a column that leaks"
assert leaking.empty

# %% [markdown]
# **Conclusion.** The demo's features are dated and none of those the model uses is accused. What the audit holds against raw columns
# that the catalogue leaves out is the reason why they are left out.
