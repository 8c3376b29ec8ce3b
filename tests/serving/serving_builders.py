"""A small school that is served: its history, its stored rows, and a real model that the gate certified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from fastapi import FastAPI

from features.catalogue import Catalogue, load_catalogue, target_columns
from features.duck import connect
from features.history import Event, LeadFacts, Tables, Version, open_history, publish, write_history
from features.single import evaluator
from features.store.door import Store
from leadlight.model.bundle import write_bundle
from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.model.manifest import Origin
from leadlight.model.margins import sigmoid
from leadlight.schema import AS_OF, DAY, HOUR, LEAD_ID, ROW_SEQ, VALID_UNTIL, Micros
from leadlight.settings import Site, load_site
from leadlight.shelf import bundle_folder, champion_file, keys_folder, write_json
from serving.app import create_app
from tests.builders import arrow_tables, event, lead, moment
from training.calibrate import freeze_cuts
from training.fit import fit

HOSTILE = """<script>alert("1")</script>'&"""
NOON = moment("2025-10-20 12:00", 8 * HOUR)
"""When the newest fact of the history happened, local time of the school."""
WALL = NOON + 40 * DAY

SITE = """
[site]
name = "school"
title = {zh = "小学校", en = "Small school"}
utc_offset = "+08:00"
made = true
[clock]
at = "last_fact"
[channels]
sem = {zh = "搜索推广", en = "search ads"}
referral = {zh = "转介绍", en = "referral"}
[kinds.page_view]
labels = ["course"]
zh = "浏览课程详情"
en = "viewed a course page"
[kinds.trial]
zh = "参加试听课"
en = "attended a trial class"
delay = "2h"
[kinds.follow_up]
labels = ["status"]
zh = "跟进状态变更"
en = "follow-up status changed"
[kinds.order]
zh = "下单"
en = "order"
[targets.first_order]
zh = "30 天内首单"
en = "to order for the first time within 30 days"
outcome = ["order"]
horizon = "30d"
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
[targets.second_order]
zh = "60 天内复购"
en = "to order again within 60 days"
outcome = ["order"]
horizon = "60d"
population = {has = ["order"], lacks = []}
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
"""
CATALOGUE = """
[[feature]]
name = "city"
kind = "attribute"
column = "city"
theme = "channel_profile"
zh = "城市"
en = "city"
[[feature]]
name = "channel"
kind = "attribute"
column = "channel"
theme = "channel_profile"
zh = "来源渠道"
en = "channel"
[[feature]]
name = "budget"
kind = "attribute"
column = "budget"
type = "number"
theme = "value"
zh = "预算"
en = "budget"
[[feature]]
name = "pages"
kind = "count"
events = ["page_view"]
windows = ["2d", "7d"]
group = "courses"
zh = "近{window}浏览课程详情次数"
en = "course pages viewed in the last {window}"
[[feature]]
name = "trials"
kind = "count"
events = ["trial"]
windows = ["7d"]
group = "trial"
zh = "近{window}参加试听次数"
en = "trial classes attended in the last {window}"
[[feature]]
name = "idle"
kind = "last_age"
events = ["page_view", "trial"]
unit = "hours"
theme = "life_cycle"
zh = "最近活跃距今小时数"
en = "hours since the last activity"
[[feature]]
name = "status"
kind = "last_value"
of = "status"
events = ["follow_up"]
theme = "life_cycle"
zh = "当前跟进状态"
en = "follow-up status"
[[feature]]
name = "newcomers"
kind = "context"
events = ["lead_created"]
scope = "channel"
windows = ["7d"]
group = "season"
theme = "channel_profile"
zh = "本渠道近{window}新增线索数"
en = "new leads of the channel in the last {window}"
[[feature]]
name = "orders_of_all"
kind = "context"
events = ["order"]
windows = ["7d"]
group = "season"
theme = "channel_profile"
zh = "全站近{window}下单数"
en = "orders of everybody in the last {window}"
"""


@dataclass(frozen=True)
class School:
    """The school's folder with everything a server reads; ``trained`` is the only version of ``first_order``."""

    site: Site
    catalogue: Catalogue
    state: Path

    @property
    def clock(self) -> Micros:
        """What now means for the school: just after its newest fact."""
        return open_history(self.state).summary.newest_fact + 1

    def app(self, wall: Callable[[], Micros] = lambda: WALL, as_of: Micros | None = None) -> FastAPI:
        """A server of the school."""
        return create_app(self.site, self.catalogue, state=self.state, wall=wall, as_of=as_of)


def build_school(folder: Path) -> School:
    """The school without a champion: history and stored rows as a build leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "leadlight.toml").write_text(SITE, encoding="utf-8")
    (folder / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    site = load_site(folder)
    school = School(site, load_catalogue(site), folder / "state")
    leads = school_leads()
    tables = {name: ibis.memtable(table) for name, table in arrow_tables(leads, site.labels).items()}
    publish(write_history(Tables(**tables), connect(), school.state), school.state)
    store_rows(school, leads, school.clock)
    return school


def school_leads() -> list[LeadFacts]:
    """One lead of each sort, and two dozen ordinary ones."""
    came = NOON - 6 * DAY
    rng = np.random.default_rng(11)
    ordinary = [
        lead(
            f"L{number:03d}",
            created_at=came - number * HOUR,
            channel="sem" if number % 3 else "referral",
            versions=_versions(came - number * HOUR, "sem" if number % 3 else "referral", city="上海"),
            events=_pages(f"L{number:03d}", came - number * HOUR, int(rng.integers(0, 9))),
        )
        for number in range(24)
    ]
    return [*ordinary, hot_lead(), converted_lead(), late_order_lead(), hostile_lead()]


def hot_lead() -> LeadFacts:
    """A referral with a trial class, many pages, a follow-up and a contact."""
    came = NOON - 4 * DAY
    events = [
        *_pages("hot", came, 12),
        event("trial", NOON - 20 * HOUR, event_id="hot-trial"),
        event("follow_up", NOON - 2 * HOUR, event_id="hot-follow-up", labels={"status": "intention_clear"}),
        event("page_view", NOON, event_id="hot-newest", labels={"course": "数学思维"}),
    ]
    versions = _versions(came, "referral", city="上海", budget=3000.0)
    return lead("hot", created_at=came, channel="referral", contact="151****8109", versions=versions, events=events)


def converted_lead() -> LeadFacts:
    """A lead whose order is known."""
    came = NOON - 5 * DAY
    order = event("order", NOON - 3 * DAY, event_id="converted-order", amount=199_000)
    return lead("converted", created_at=came, channel="sem", versions=_versions(came, "sem"), events=[order])


def late_order_lead() -> LeadFacts:
    """A lead that ordered before the newest fact, which becomes known only with that fact."""
    came = NOON - 5 * DAY
    order = event("order", NOON - 3 * DAY, event_id="late-order", arrived_at=NOON - HOUR)
    return lead("late", created_at=came, channel="sem", versions=_versions(came, "sem"), events=[order])


def hostile_lead() -> LeadFacts:
    """A lead whose every free text tries to be markup."""
    came = NOON - 3 * DAY
    events = [event("page_view", NOON - HOUR, event_id="hostile-1", labels={"course": HOSTILE})]
    events += [event("follow_up", NOON - HOUR, event_id="hostile-2", labels={"status": HOSTILE})]
    versions = _versions(came, "sem", city=HOSTILE)
    return lead("a/b <i>", created_at=came, channel="sem", contact="<b>1****2", versions=versions, events=events)


def store_rows(school: School, leads: list[LeadFacts], as_of: Micros) -> None:
    """Stored rows of ``leads``, as the one-lead evaluator has them at ``as_of``."""
    store = Store(site=school.site, catalogue=school.catalogue, state=school.state)
    store.apply()
    evaluate = evaluator(school.catalogue, school.site)
    rows = [(each.lead_id, vars(evaluate(each, as_of))) for each in leads]
    seq = {ROW_SEQ: open_history(school.state).summary.row_seq(0)}
    stored = [
        {LEAD_ID: lead_id, AS_OF: as_of, VALID_UNTIL: row["valid_until"], **seq, **row["values"]}
        for lead_id, row in rows
    ]
    store.write_leads(pa.Table.from_pylist(stored))


def certify_champion(
    school: School, *, target: str = "first_order", version: int = 1, verdict: str = "promote", rows: int = 700
) -> str:
    """Fit a real model on made rows, write and certify its bundle, make it the champion; returns the bundle's hash."""
    columns = target_columns(school.catalogue, ())
    X, y = _training_rows(rows)
    horizon = school.site.targets[target].horizon
    moments = np.arange(len(y), dtype=np.int64) * DAY // 4
    groups = {column.name: column.group for column in columns}
    fitted = fit(X, y, moments, horizon=horizon, groups=groups, seed=3, workers=1)
    probabilities = sigmoid(fitted.last_fold.margins)
    wanted = school.site.targets[target]
    folder = bundle_folder(school.state, target, version)
    digest = write_bundle(
        folder,
        fitted.model,
        origin=Origin(
            target,
            school.site.targets[target].question,
            school.catalogue.digest(fitted.model.encoder.columns),
            "made",
            3,
            len(y),
            int(y.sum()),
            int(moments[-1]),
        ),
        cuts=freeze_cuts(probabilities, operate=wanted.operate, grades=wanted.grades),
        rows=X,
        reference={},
    )
    findings = {
        "rules": [{"name": n, "threshold": 0.2, "lower": 0.9, "state": "pass"} for n in ("precision", "recall")]
    }
    key = signing_key(keys_folder(school.state))
    write_certificate(folder, Certificate(digest, target, verdict, findings), key=key)
    name_champion(school, target=target, version=version, digest=digest)
    return digest


def name_champion(school: School, *, target: str, version: int, digest: str) -> None:
    """Write the file that names the champion."""
    path = champion_file(school.state, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"version": version, "bundle_sha256": digest})


def new_lead(**changes: object) -> dict[str, Any]:
    """A lead that the school does not know, as a request brings it."""
    facts: dict[str, object] = {
        "lead_id": "new-1",
        "created_at": "2025-10-19T08:00:00+08:00",
        "channel": "referral",
        "attributes": {"city": "北京", "budget": 1200},
        "events": [
            {"event_id": "e1", "kind": "page_view", "at": "2025-10-19T09:00:00", "labels": {"course": "编程"}},
            {"event_id": "e2", "kind": "trial", "at": "2025-10-19T20:00:00+08:00"},
        ],
    }
    return {**facts, **changes}


def _training_rows(count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows in which pages, trial classes and referral make an order likelier."""
    rng = np.random.default_rng(5)
    trials = rng.integers(0, 2, count)
    pages = rng.poisson(3, count)
    channel = rng.choice(["sem", "referral"], count, p=[0.7, 0.3])
    margin = -2.6 + 1.3 * trials + 0.25 * pages + 0.9 * (channel == "referral")
    columns: dict[str, Any] = {
        "city": rng.choice(np.array(["上海", "北京", None], dtype=object), count),
        "channel": channel.astype(object),
        "budget": np.where(rng.random(count) < 0.5, np.nan, rng.integers(5, 50, count) * 100.0),
        "pages_2d": (pages // 2).astype(np.float64),
        "pages_7d": pages.astype(np.float64),
        "trials_7d": trials.astype(np.float64),
        "idle": rng.integers(0, 160, count).astype(np.float64),
        "status": rng.choice(np.array(["in_contact", "intention_clear", None], dtype=object), count),
        "newcomers_7d": rng.integers(5, 30, count).astype(np.float64),
        "orders_of_all_7d": rng.integers(0, 4, count).astype(np.float64),
    }
    return pd.DataFrame(columns), (rng.random(count) < sigmoid(margin)).astype(np.int8)


def _versions(created_at: Micros, channel: str, **values: str | float) -> tuple[Version, ...]:
    return (Version(created_at, created_at, {"channel": channel, "city": None, "budget": None, **values}),)


def _pages(lead_id: str, came: Micros, count: int) -> list[Event]:
    return [
        event("page_view", came + (number + 1) * 7 * HOUR, event_id=f"{lead_id}-{number}", labels={"course": "编程"})
        for number in range(count)
    ]
