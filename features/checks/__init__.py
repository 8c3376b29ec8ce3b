"""The door for raw tables: every fault of what a site's SQL returned, at once, each counted and with examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import ibis

from features.canonical import MASKED, attribute_types, event_versions, lead_versions, typed_events, typed_leads
from features.catalogue import Catalogue
from features.checks.finding import Finding, Inspection, Rule, broken_rules, count_rows
from features.checks.rules import (
    event_rules,
    finite_rule,
    known_lead_rule,
    lead_rules,
    live_event_rule,
    single_rule,
    version_rules,
)
from features.checks.shape import event_column_faults, lead_column_faults
from features.live import Live
from features.sources import Raw
from leadlight.schema import ARRIVED_AT, AT, EVENT_ID, LEAD_ID, Micros
from leadlight.settings import Site

__all__ = ["Finding", "Inspection", "inspect"]


def inspect(raw: Raw, site: Site, catalogue: Catalogue, *, wall: Micros, live: Live | None = None) -> Inspection:
    """Check both raw tables; a moment after ``wall`` lies in the future. Examples never show a contact.

    The ``live`` facts were checked when they came: raw events may be of their leads; those that have the id of another
    lead's live event count for nothing.
    Rows are judged by the columns that are there and have the right type, so one wrong column hides no other fault.
    """
    leads = typed_leads(raw, site, catalogue).drop(MASKED).cache()
    events = typed_events(raw, site).cache()
    lead_shape = dict(lead_column_faults(raw.leads, catalogue))
    event_shape = dict(event_column_faults(raw.events, site))
    versioned = AT in raw.leads.columns
    numbers = [column for column, kind in attribute_types(raw.leads, catalogue).items() if kind == "number"]
    of_leads = [
        *lead_rules(leads, site, wall),
        *(version_rules(leads, wall) if versioned else [single_rule(leads)]),
        *(finite_rule(leads, column) for column in numbers),
    ]
    of_events = [*event_rules(events, site, wall), *_rules_of_both(events, leads, lead_shape, live)]
    faults = [
        *_emptiness(raw.leads),
        *lead_shape.values(),
        *broken_rules("leads", leads, [rule for rule in of_leads if not rule.columns & lead_shape.keys()]),
        *event_shape.values(),
        *broken_rules("events", events, [rule for rule in of_events if not rule.columns & event_shape.keys()]),
    ]
    notes: list[Finding] = []
    if versioned and not lead_shape:
        versions = lead_versions(leads)
        faults += _conflicts("leads", versions, (LEAD_ID, AT, ARRIVED_AT))
        notes += _repeats("leads", leads, versions)
    if not event_shape:
        versions = event_versions(events, site)
        faults += _conflicts("events", versions, (EVENT_ID, ARRIVED_AT))
        notes += _repeats("events", events, versions)
        notes += broken_rules("events", events, [live_event_rule(events, live.events)] if live else [])
    return Inspection(tuple(faults), tuple(notes))


def _rules_of_both(
    events: ibis.Table, leads: ibis.Table, lead_shape: Mapping[str, Finding], live: Live | None
) -> Iterator[Rule]:
    if LEAD_ID not in lead_shape:
        ids = leads.select(LEAD_ID)
        yield known_lead_rule(events, ids if live is None else ids.union(live.versions.select(LEAD_ID)))


def _emptiness(leads: ibis.Table) -> Iterator[Finding]:
    if not count_rows(leads):
        yield Finding("leads", "the query returned no row", "look at sources/leads.sql and at --data")


def _conflicts(table: str, versions: ibis.Table, key: tuple[str, ...]) -> Iterator[Finding]:
    """Different contents that became known at one moment: nobody could say which of them holds."""
    contents = versions.count().over(ibis.window(group_by=key))
    given = ibis.and_(*(versions[column].notnull() for column in key))
    advice = f"give each version an {ARRIVED_AT} of its own, or keep one of them"
    problem = f"that differ under one {', '.join(key)}"
    yield from broken_rules(table, versions, [Rule((contents > 1) & given, problem, advice, key)])


def _repeats(table: str, rows: ibis.Table, versions: ibis.Table) -> Iterator[Finding]:
    repeated = count_rows(rows) - count_rows(versions)
    if repeated:
        yield Finding(table, "delivered more than once, unchanged", "harmless, each counts once", repeated)
