"""A small school whose raw tables are written out as SQL, so that a test shows just the rows it is about."""

from __future__ import annotations

from pathlib import Path

from features.catalogue import Catalogue, load_catalogue
from features.sources import Raw, read_sources
from leadlight.schema import Micros
from leadlight.settings import Site, load_site
from tests.builders import moment

WALL: Micros = moment("2025-06-01 00:00")

SITE = """
[site]
name = "school"
title = {zh = "学校", en = "School"}
utc_offset = "+08:00"
[clock]
at = "last_fact"
[kinds.view]
labels = ["course"]
delay = "6h"
[kinds.order]
[kinds.call]
labels = ["course", "status"]
[targets.first_order]
outcome = ["order"]
horizon = "30d"
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
"""
CATALOGUE = """
[[feature]]
name = "city"
kind = "attribute"
column = "city"
zh = "城市"
en = "city"
[[feature]]
name = "budget"
kind = "attribute"
column = "budget"
type = "number"
zh = "预算"
en = "budget"
[[feature]]
name = "views"
kind = "count"
events = ["view"]
windows = ["7d", "all"]
zh = "近{window}浏览"
en = "views in {window}"
[[feature]]
name = "paid"
kind = "sum"
events = ["order"]
zh = "付款"
en = "paid"
[[feature]]
name = "crowd"
kind = "context"
events = ["view", "lead_created"]
windows = ["7d"]
zh = "近{window}全站"
en = "everybody in {window}"
"""
LEAD_COLUMNS = "lead_id, created_at, channel, city, budget"
EVENT_COLUMNS = 'event_id, lead_id, kind, "at", arrived_at, amount, course, status'
LEAD = "('L1', TIMESTAMP '2025-03-01 10:00', 'sem', 'Beijing', 100.5)"
EVENT = "('E1', 'L1', 'view', TIMESTAMP '2025-03-02 10:00', TIMESTAMP '2025-03-02 10:05', 1000, 'maths', NULL)"


def rows(columns: str, *values: str) -> str:
    """A SELECT of these rows, each written as in VALUES."""
    return f"SELECT * FROM (VALUES {', '.join(values)}) AS given({columns})"


def leads(*values: str, columns: str = LEAD_COLUMNS) -> str:
    """A SELECT of leads."""
    return rows(columns, *values)


def events(*values: str, columns: str = EVENT_COLUMNS) -> str:
    """A SELECT of events."""
    return rows(columns, *values)


def school(
    folder: Path, *, leads_sql: str = leads(LEAD), events_sql: str = events(EVENT), toml: str = SITE
) -> tuple[Site, Catalogue]:
    """The school in ``folder``, with these queries as its sources and an empty folder ``data``."""
    for name, text in {
        "leadlight.toml": toml,
        "catalogue.toml": CATALOGUE,
        "sources/leads.sql": leads_sql,
        "sources/events.sql": events_sql,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    site = load_site(folder)
    return site, load_catalogue(site)


def school_raw(
    folder: Path, *, leads_sql: str = leads(LEAD), events_sql: str = events(EVENT), toml: str = SITE
) -> tuple[Raw, Site, Catalogue]:
    """The raw tables that the school's queries return."""
    site, catalogue = school(folder, leads_sql=leads_sql, events_sql=events_sql, toml=toml)
    return read_sources(site, folder / "data"), site, catalogue
