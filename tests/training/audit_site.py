"""A made school whose raw files hold a leak of every kind the auditor looks for, and honest columns beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from features.build import build
from features.catalogue import load_catalogue
from leadlight.schema import DAY, HOUR, Micros
from leadlight.settings import load_site
from tests.training.training_builders import Place

START: Micros = 19_700 * DAY
LEAKS = {
    "availability": "adviser",
    "changes": "plan",
    "statuses": "stage",
    "future": "score",
    "settled_levels": "verdict",
    "missingness": "reply",
    "time_gap": "batch",
    "too_good": "total",
}
"""Raw columns by the probe that must accuse them."""
HONEST = ("mood", "segment", "remark", "city")

SITE = """
[site]
name = "leaky"
title = {zh = "漏", en = "Leaky"}
utc_offset = "+08:00"
[clock]
at = "last_fact"
[kinds.visit]
labels = ["page"]
[kinds.order]
[targets.sale]
outcome = ["order"]
horizon = "30d"
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
[targets.unadvised]
outcome = ["order"]
horizon = "30d"
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
exclude = ["adviser"]
"""
CATALOGUE = """
[[feature]]
name = "city"
kind = "attribute"
column = "city"
zh = "城市"
en = "city"
[[feature]]
name = "adviser"
kind = "attribute"
column = "adviser"
zh = "顾问"
en = "adviser"
[[feature]]
name = "visits"
kind = "count"
events = ["visit"]
zh = "访问"
en = "visits"
[[feature]]
name = "last_page"
kind = "last_value"
of = "page"
events = ["visit"]
zh = "页面"
en = "page"
"""
LEADS = """
SELECT lead_id, min(created_at) AS created_at, 'sem' AS channel, any_value(city) AS city,
    arg_max(adviser, seen_at) AS adviser -- the newest one, as if it always had been
FROM read_csv('{data}/crm.csv') GROUP BY lead_id
"""
EVENTS = """
SELECT 'v' || row_number() OVER () AS event_id, lead_id, 'visit' AS kind, visited_at AS at,
    NULL::TIMESTAMP AS arrived_at, NULL::BIGINT AS amount, page
FROM read_csv('{data}/visits.csv')
UNION ALL
SELECT 'o-' || lead_id, lead_id, 'order', ordered_at, NULL, NULL, NULL FROM read_csv('{data}/orders.csv')
"""


def leaky_site(folder: Path, *, leads: int = 1500, seed: int = 5) -> Place:
    """The school in ``folder``, not built yet; its raw files lie in ``folder / "data"``."""
    (folder / "sources").mkdir(parents=True)
    for name, text in {
        "leadlight.toml": SITE,
        "catalogue.toml": CATALOGUE,
        "sources/leads.sql": LEADS,
        "sources/events.sql": EVENTS,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "data").mkdir()
    _write_files(folder / "data", leads, np.random.default_rng(seed))
    site = load_site(folder)
    return Place(site, load_catalogue(site), folder / "state")


def built(place: Place) -> Place:
    """The same place once it was built."""
    data = place.site.folder / "data"
    build(place.site, place.catalogue, state=place.state, data=data, as_of=None, wall=START + 900 * DAY)
    return place


def _write_files(folder: Path, leads: int, random: np.random.Generator) -> None:
    lead_id = np.array([f"L{number:05d}" for number in range(leads)], dtype=object)
    created = START + np.arange(leads, dtype=np.int64) * (300 * DAY // leads)
    won = random.random(leads) < 0.25
    ordered = created + 8 * DAY + (random.random(leads) * 20 * DAY).astype(np.int64)
    visits = np.repeat(np.arange(leads), random.poisson(2 + won, leads))
    pages = random.choice(["home", "price", "course"], len(visits))
    visited = created[visits] + (random.random(len(visits)) * 6 * DAY).astype(np.int64)
    _csv(folder / "visits.csv", {"lead_id": lead_id[visits], "page": pages}, {"visited_at": visited})
    _csv(folder / "orders.csv", {"lead_id": lead_id[won]}, {"ordered_at": ordered[won]})
    _write_export(folder, lead_id, won, ordered, random)
    _write_versions(folder, lead_id, won, created, ordered, random)
    pd.DataFrame({"course": ["maths", "Go"], "price": [1, 2]}).to_csv(folder / "courses.csv", index=False)


def _write_export(
    folder: Path, lead_id: np.ndarray, won: np.ndarray, ordered: np.ndarray, random: np.random.Generator
) -> None:
    """One row a lead, without dates: some columns were filled in after the outcome."""
    leads = len(lead_id)
    week = np.arange(leads) * 40 // leads
    side = np.where(random.random(leads) < 0.9, won, ~won)
    filled = random.random(leads) < np.where(won, 0.97, 0.05)
    sure, luck = random.random(leads), random.random(leads)
    verdict = np.where(sure < 0.3, np.where(won, "great", "hopeless"), np.where(luck < 0.5, "open", "fair"))
    columns = {
        "lead_id": lead_id,
        "verdict": verdict,
        "reply": np.where(filled, random.choice(["yes", "no", "later"], leads), ""),
        "batch": [f"{number}-{'ab'[int(flag)]}" for number, flag in zip(week, side, strict=True)],
        "total": np.where(won, 100.0, 0.0) + random.normal(0, 20, leads),
        "segment": random.choice(["a", "b", "c"], leads),
        "remark": np.where(random.random(leads) < 0.5, [f"note {number}" for number in range(leads)], ""),
    }
    _csv(folder / "export.csv", columns, {"called_back_at": np.where(won, ordered + DAY, -1)})


def _write_versions(  # noqa: PLR0917 - the columns it is made of
    folder: Path,
    lead_id: np.ndarray,
    won: np.ndarray,
    created: np.ndarray,
    ordered: np.ndarray,
    random: np.random.Generator,
) -> None:
    """A row at creation, one 25 days after it, and one a day after the order, for others at about that time."""
    leads = len(lead_id)
    plan = np.where(random.random(leads) < 0.3, "plus", "basic")
    upgraded = np.where(random.random(leads) < np.where(won, 0.7, 0.02), "plus", plan)
    adviser = np.where(random.random(leads) < np.where(won, 0.6, 0.2), random.choice(["Li", "Wu", "An"], leads), "")
    stage = random.choice(["new", "talking"], leads)
    closed = np.where(won & (random.random(leads) < 0.5), "customer", stage)
    first, second = random.normal(size=leads), random.normal(size=leads) + 1.3 * won
    moods, cities = random.choice(["calm", "keen"], leads), random.choice(["Wuhan", "Beijing"], leads)
    versions = [
        (created + HOUR, plan, np.full(leads, ""), stage, first),
        (created + 25 * DAY, plan, np.full(leads, ""), stage, second),
        (np.maximum(ordered, created + 26 * DAY) + DAY, upgraded, adviser, closed, second),
    ]
    frames = [
        _frame(
            {
                "lead_id": lead_id,
                "plan": plan_then,
                "adviser": adviser_then,
                "stage": stage_then,
                "score": score_then,
                "mood": moods,
                "city": cities,
            },
            {"created_at": created, "seen_at": seen},
        )
        for seen, plan_then, adviser_then, stage_then, score_then in versions
    ]
    pd.concat(frames).to_csv(folder / "crm.csv", index=False)


def _csv(path: Path, columns: dict[str, object], moments: dict[str, np.ndarray]) -> None:
    _frame(columns, moments).to_csv(path, index=False)


def _frame(columns: dict[str, object], moments: dict[str, np.ndarray]) -> pd.DataFrame:
    """Moments become local times (+08:00); -1 is none."""
    frame = pd.DataFrame(columns)
    for name, values in moments.items():
        local = pd.Series((values + 8 * HOUR) // 1_000_000 * 1_000_000).astype("datetime64[us]")
        frame[name] = local.where(pd.Series(values) >= 0)
    return frame
