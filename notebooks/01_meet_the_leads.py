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
# # Meet the leads
#
# Before any model: who are the leads, where do they come from, what do they do, and how long do they take to buy?
# This notebook looks at the demo site, whose data are **made** (drawn from a seed); point `SITE` at your own.

# %%
import os
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pyarrow.parquet as pq

from features.duck import connect
from features.history import open_history
from leadlight.schema import DAY, from_micros
from leadlight.settings import load_site

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))

# %% [markdown]
# Build what is missing: the history, the features, and the labelled rows of every target.

# %%
subprocess.run(["leadlight", "build", str(SITE), "--state", str(STATE)], check=True)
site = load_site(SITE)
history = open_history(STATE)
history.summary

# %%
tables = history.tables(connect())
leads = tables.leads.to_pandas()
events = tables.events.to_pandas()
name, target = site.target()
print(f"{len(leads):,} leads, {len(events):,} events; target {name}: {target.en}")

# %% [markdown]
# ## Where they come from
#
# Channels differ in volume and in quality; quality is the share of leads that ever reach the outcome.

# %%
won = events[events["kind"].isin(target.outcome)].groupby("lead_id")["at"].min().rename("won_at")
leads = leads.join(won, on="lead_id")
channels = leads.groupby("channel").agg(leads=("lead_id", "size"), won=("won_at", "count"))
channels["conversion"] = channels["won"] / channels["leads"]
channels.sort_values("leads", ascending=False)

# %%
shown = channels.sort_values("conversion")
plt.barh(shown.index, shown["conversion"])
plt.xlabel("share of leads that ever convert")
plt.title("Quality by channel (made data)" if site.site.made else "Quality by channel")
plt.show()

# %% [markdown]
# ## What they do
#
# Each kind of event: how many, of how many leads, and how late it becomes known. An event counts only once it has arrived.

# %%
events["hours_late"] = (events["arrived_at"] - events["at"]) / (DAY / 24)
kinds = events.groupby("kind").agg(
    events=("event_id", "size"), leads=("lead_id", "nunique"), late_95=("hours_late", lambda late: late.quantile(0.95))
)
kinds.sort_values("events", ascending=False)

# %% [markdown]
# ## How long they take
#
# Days from creation to the outcome: this decides when to look at a lead and which horizon makes sense.

# %%
days = ((leads["won_at"] - leads["created_at"]) / DAY).dropna()
plt.hist(days.clip(upper=90), bins=45)
plt.axvline(target.horizon / DAY, linestyle="--", color="black", label="horizon")
plt.xlabel("days from creation to the outcome")
plt.legend()
plt.show()

# %% [markdown]
# ## What a model will learn from
#
# One row a lead and moment, with a label only where the horizon is over. Leads that had already converted are left out.

# %%
spine = pq.read_table(STATE / "spines" / f"{name}.parquet").to_pandas()
spine["month"] = [from_micros(moment).strftime("%Y-%m") for moment in spine["as_of"]]
months = spine.groupby("month")["label"].agg(["size", "sum", "mean"])
months.columns = ["rows", "positives", "base rate"]
months

# %%
base_rate = spine["label"].mean()
print(f"{len(spine):,} rows carry a label; {base_rate:.1%} of them are positive.")
assert len(spine) > 0
assert 0 < base_rate < 1

# %% [markdown]
# **Conclusion.** Channels differ enough to matter, behaviour is dated and partly late, and the base rate is known month by month.
# Next: `leadlight train`, which fits on the earlier months and is judged on the later ones.
