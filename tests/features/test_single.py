"""The one-lead evaluator: what a caller may rely on. What the values mean is told in tests/spec."""

from __future__ import annotations

import itertools

from features.single import evaluate, evaluator
from leadlight.schema import DAY, HOUR
from tests.builders import catalogue, event, exact, lead, site

ROWS = catalogue(
    {"name": "tier", "kind": "level", "levels": [{"name": "seen", "when": ["views > 0"]}]},
    {"name": "views", "kind": "count", "events": ["page_view"], "windows": []},
    {"name": "course", "kind": "last_value", "events": ["page_view"], "of": "course"},
    {"name": "favourite", "kind": "top", "events": ["page_view"], "of": "course", "k": 2},
    {"name": "budget", "kind": "attribute", "column": "budget", "type": "number"},
    {"name": "age", "kind": "age"},
)


def test_values_come_in_catalogue_order() -> None:
    """Levels, which are worked out last, keep their place among the columns."""
    row = evaluate(ROWS, site(), lead(), HOUR)

    assert list(row.values) == [column.name for column in ROWS.lead_columns]


def test_the_order_of_the_log_does_not_matter() -> None:
    """Facts in any order of arrival give the same row."""
    courses = ["maths", "art", None, "art"]
    events = [event("page_view", DAY, event_id=str(n), labels={"course": c}) for n, c in enumerate(courses)]
    read = evaluator(ROWS, site())

    rows = [read(lead(events=order), 2 * DAY) for order in itertools.permutations(events)]

    assert all(exact(row) == exact(rows[0]) for row in rows)
    assert rows[0].values["course"] == "art"


def test_an_evaluator_keeps_nothing_between_calls() -> None:
    """One evaluator asked about two leads and two moments answers as a fresh one does."""
    read = evaluator(ROWS, site())
    busy = lead("busy", events=[event("page_view", HOUR, labels={"course": "maths"})])
    quiet = lead("quiet", created_at=HOUR)

    for facts, as_of in [(busy, 2 * HOUR), (quiet, 2 * HOUR), (busy, HOUR), (busy, 2 * HOUR)]:
        assert read(facts, as_of) == evaluate(ROWS, site(), facts, as_of)


def test_events_without_labels_and_foreign_kinds_are_read_without_harm() -> None:
    """An event given without labels has no value of one; a kind that no entry names does not count."""
    facts = lead(events=[event("page_view", HOUR), event("unheard_of", HOUR)])

    row = evaluate(ROWS, site(), facts, DAY)

    assert row.values == {"tier": "seen", "views": 1, "course": None, "favourite_1": None, "favourite_2": None} | {
        "budget": None,
        "age": 1,
    }
