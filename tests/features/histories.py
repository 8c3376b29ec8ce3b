"""Random histories for the proofs of time, and the catalogues they are read with."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from features.facts import Event, LeadFacts, Value, Version
from leadlight.schema import DAY, HOUR, Micros
from tests.builders import catalogue, corrected, event, lead, versions_of

WINDOWS = ["6h", "36h", "7d", "all"]
ENTRIES: list[dict[str, Any]] = [
    {"name": "channel", "kind": "attribute", "column": "channel"},
    {"name": "city", "kind": "attribute", "column": "city"},
    {"name": "budget", "kind": "attribute", "column": "budget", "type": "number"},
    {"name": "age_hours", "kind": "age", "unit": "hours"},
    {"name": "age_days", "kind": "age"},
    {"name": "views", "kind": "count", "events": ["page_view", "lesson"], "windows": WINDOWS},
    {"name": "maths", "kind": "count", "events": ["lesson"], "where": {"course": ["数学", ""]}, "windows": WINDOWS},
    {"name": "dear", "kind": "count", "events": ["order"], "amount_over": 0.999, "windows": ["7d"]},
    {"name": "spent", "kind": "sum", "events": ["order"], "windows": WINDOWS},
    {"name": "paid", "kind": "sum", "events": ["payment"], "windows": ["6h", "12h"]},
    {"name": "most", "kind": "max", "events": ["order"], "windows": WINDOWS},
    {"name": "courses", "kind": "distinct", "events": ["page_view", "lesson"], "of": "course", "windows": WINDOWS},
    {"name": "first_order", "kind": "first_age", "events": ["order"], "windows": WINDOWS},
    {"name": "last_view", "kind": "last_age", "events": ["page_view"], "unit": "hours", "windows": WINDOWS},
    {"name": "first_course", "kind": "first_value", "events": ["page_view", "lesson"], "of": "course"},
    {"name": "last_course", "kind": "last_value", "events": ["page_view"], "of": "course", "windows": WINDOWS},
    {"name": "last_amount", "kind": "last_value", "events": ["order"], "of": "amount", "windows": WINDOWS},
    {"name": "first_amount", "kind": "first_value", "events": ["order"], "of": "amount"},
    {"name": "liked", "kind": "top", "events": ["order"], "of": "category", "k": 3, "windows": WINDOWS},
    {"name": "studied", "kind": "top", "events": ["lesson"], "of": "course", "amount_over": -1.0},
    {"name": "days", "kind": "active_days", "events": ["login", "page_view"], "windows": ["36h", "7d"]},
    {"name": "weekend", "kind": "share", "events": ["page_view"], "weekdays": [6, 7], "windows": WINDOWS},
    {"name": "evening", "kind": "share", "events": ["lesson"], "hours": [18, 24], "windows": WINDOWS},
    {
        "name": "tier",
        "kind": "level",
        "levels": [
            {"name": "high", "when": ["views_7d >= 3", "spent_all > 0.5"]},
            {"name": "middle", "when": ["budget <= 1.5", "city != '数学'"]},
            {"name": "low", "when": ["last_view_7d < 20", "channel == 'sem'"]},
        ],
    },
]
EVERYTHING = catalogue(*ENTRIES)
SELDOM = catalogue(
    {"name": "views", "kind": "count", "events": ["page_view"], "windows": ["6h", "36h"]},
    {"name": "maths", "kind": "count", "events": ["lesson"], "where": {"course": ["数学"]}, "windows": ["6h", "all"]},
    {"name": "days", "kind": "active_days", "events": ["login", "order"], "windows": ["36h", "7d"]},
    {"name": "paid", "kind": "sum", "events": ["payment"], "windows": ["12h"]},
)
"""No age ticks here, so what changes next is an event that enters, leaves a window or is corrected."""
START = 20_000 * DAY
LABELS = st.sampled_from([None, "", "a", "b", "B", "数学", "Ä", "\uffee", "\U0001f600"])
AMOUNTS = st.sampled_from([None, 0, -1, 1, 999, 1_000, 300_000, 9_007_199_254_740_993, -1_234_567])
NUMBERS = st.sampled_from([None, 0.0, 1.5, -2.25, 0.1, float("nan")])
DELAYS = st.sampled_from([0, 1, HOUR, 6 * HOUR, 30 * HOUR, 9 * DAY])
SHIFTS = st.sampled_from([0, HOUR, 6 * HOUR, 12 * HOUR, 36 * HOUR, DAY, 7 * DAY, 30 * DAY])

Moments = list[tuple[str, Micros]]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[LeadFacts], Moments]:
    """A few leads, and moments around those at which something happens, arrives, is corrected, or leaves a window."""
    leads = draw(st.lists(st.integers(0, 6), min_size=1, max_size=6))
    drawn = [_lead(draw, f"lead-{number}", events) for number, events in enumerate(leads)]
    moments = {(each.lead_id, as_of) for each in drawn for as_of in _moments(draw, each)}
    return drawn, sorted(moments)


def _lead(draw: st.DrawFn, lead_id: str, events: int) -> LeadFacts:
    at = START + draw(st.integers(0, 8)) * 6 * HOUR
    entries = draw(st.sets(st.tuples(st.integers(0, 4), DELAYS), max_size=3))
    versions = [Version(at + days * DAY, at + days * DAY + delay, _attributes(draw)) for days, delay in sorted(entries)]
    log = [version for number in range(events) for version in _event(draw, f"{lead_id}-e{number * 5}")]
    return lead(lead_id, created_at=at, versions=versions_of(versions), events=draw(st.permutations(log)))


def _attributes(draw: st.DrawFn) -> dict[str, Value]:
    return {"channel": draw(st.sampled_from(["sem", "live"])), "city": draw(LABELS), "budget": draw(NUMBERS)}


def _event(draw: st.DrawFn, event_id: str) -> list[Event]:
    """One event in one to three versions, which may differ in all but its id."""
    versions = []
    for delay in sorted(draw(st.sets(DELAYS, min_size=1, max_size=3))):
        at = START + draw(st.integers(0, 40)) * 6 * HOUR + draw(st.sampled_from([0, 0, -1, 1]))
        kind = draw(st.sampled_from(["page_view", "lesson", "login", "order", "payment"]))
        labels = {"course": draw(LABELS)} if kind in {"page_view", "lesson"} else {"category": draw(LABELS)}
        arrived_at = START + 5 * DAY + delay if draw(st.booleans()) else at + delay
        versions.append(event(kind, at, event_id=event_id, arrived_at=arrived_at, amount=draw(AMOUNTS), labels=labels))
    return corrected(*{version.arrived_at: version for version in versions}.values())


def _moments(draw: st.DrawFn, facts: LeadFacts) -> list[Micros]:
    happened = [facts.created_at, *(e.at for e in facts.events), *(e.arrived_at for e in facts.events)]
    near = st.builds(sum, st.tuples(st.sampled_from(happened), SHIFTS, st.sampled_from([0, 0, 1, -1])))
    return draw(st.lists(near, min_size=1, max_size=5))
