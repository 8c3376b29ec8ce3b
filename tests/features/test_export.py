"""Exported features are the values that one lead has by itself, beside what everybody did; missing stays missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import Column
from features.duck import connect
from features.export import chosen_columns, export_rows, schema_of
from features.facts import Event, LeadFacts, Version
from features.identity import Interval
from features.single import evaluate
from leadlight.schema import DAY, FOREVER, HOUR, Micros, from_micros
from leadlight.settings import UsageError
from tests.builders import catalogue, corrected, create_tables, event, lead, site

SITE = site()
RULES = catalogue(
    {"name": "channel", "kind": "attribute", "column": "channel"},
    {"name": "city", "kind": "attribute", "column": "city"},
    {"name": "budget", "kind": "attribute", "column": "budget", "type": "number"},
    {"name": "views", "kind": "count", "events": ["page_view"], "windows": ["2d", "all"]},
    {"name": "spent", "kind": "sum", "events": ["order"]},
    {"name": "liked", "kind": "top", "events": ["page_view"], "of": "course", "k": 2},
    {"name": "idle", "kind": "last_age", "events": ["page_view"], "unit": "hours"},
    {"name": "crowd", "kind": "context", "events": ["page_view"], "windows": ["2d"]},
    {"name": "peers", "kind": "context", "events": ["lead_created"], "scope": "channel", "windows": ["7d"]},
)
START = 20_000 * DAY


def exported(
    leads: Iterable[LeadFacts],
    as_of: Micros,
    *,
    columns: Sequence[Column] = RULES.columns,
    ids: list[str] | None = None,
    identity: Iterable[Interval] = (),
) -> list[dict[str, Any]]:
    """The exported rows of these histories."""
    connection = connect()
    tables = create_tables(connection, SITE, leads, identity)
    table = export_rows(SITE, RULES, tables, columns=columns, leads=ids, as_of=as_of)
    connection.disconnect()
    assert table.schema == schema_of(columns)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def three_leads() -> list[LeadFacts]:
    """Two of one channel and one of another, which is the youngest."""
    views = [event("page_view", START + at * HOUR, event_id=f"v{at}", labels={"course": "art"}) for at in (1, 30)]
    versions = (Version(START, START, {"channel": "sem", "city": "上海", "budget": 1.5}),)
    return [
        lead("a", created_at=START, versions=versions, events=views),
        lead("b", created_at=START + HOUR, channel="sem"),
        lead("c", created_at=START + 3 * DAY, channel="live"),
    ]


@settings(max_examples=8)
@given(
    moments=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=6),
    hours=st.integers(1, 240),
)
def test_every_value_is_that_of_the_one_lead_evaluator(moments: list[tuple[int, int]], hours: int) -> None:
    """Whatever happened, arrived late or was corrected: the same values, the same types, the same missing."""
    as_of = START + hours * HOUR
    versions: dict[str, list[Event]] = {f"e{at % 3}": [] for at, _ in moments}
    for at, late in sorted(set(moments)):
        known = {"event_id": f"e{at % 3}", "arrived_at": START + (at + late) * HOUR, "amount": at * 500}
        versions[f"e{at % 3}"].append(
            event("order" if at % 2 else "page_view", START + at * HOUR, labels={"course": f"c{at % 4}"}, **known)
        )
    log = [one for of in versions.values() if of for one in corrected(*{v.arrived_at: v for v in of}.values())]
    facts = lead("a", created_at=START, events=log)

    (row,) = exported([facts], as_of, columns=RULES.lead_columns)

    one = evaluate(RULES, SITE, facts, as_of).values
    assert row == {"lead_id": "a", "as_of": from_micros(as_of), **one}
    assert [type(row[name]) for name in one] == [type(value) for value in one.values()]


def test_context_columns_are_joined_by_key() -> None:
    """Everybody's count stands beside every lead, a channel's beside its own leads; only closed days count."""
    rows = exported(three_leads(), START + 4 * DAY + HOUR)

    assert [(row["lead_id"], row["crowd_2d"], row["peers_7d"]) for row in rows] == [
        ("a", 0, 2),
        ("b", 0, 2),
        ("c", 0, 1),
    ]
    (early, _) = exported(three_leads(), START + 2 * DAY + 7 * HOUR)
    assert (early["lead_id"], early["crowd_2d"], early["peers_7d"]) == ("a", 2, 2)


def test_context_is_missing_before_any_day_of_the_channel_has_closed() -> None:
    """A lead of a channel that is new today has no count of its channel, and the others keep theirs."""
    rows = exported(three_leads(), START + 3 * DAY + HOUR)

    assert [(row["lead_id"], row["peers_7d"]) for row in rows] == [("a", 2), ("b", 2), ("c", None)]


def test_all_leads_known_at_the_moment_are_written_and_no_other() -> None:
    """A lead counts from the microsecond after its creation."""
    assert [row["lead_id"] for row in exported(three_leads(), START + 3 * DAY)] == ["a", "b"]
    assert [row["lead_id"] for row in exported(three_leads(), START + 3 * DAY + 1)] == ["a", "b", "c"]
    assert exported(three_leads(), START) == []


def test_a_lead_that_became_known_late_is_not_written_before() -> None:
    """What was created earlier counts from the moment it was heard of."""
    late = lead("late", created_at=START, known_at=START + DAY)

    assert exported([late], START + DAY - 1) == []
    assert [row["lead_id"] for row in exported([late], START + DAY)] == ["late"]


def test_a_person_has_one_row_from_the_moment_its_leads_were_merged() -> None:
    """Before, each lead has its own; after, one row counts the facts of both, whichever lead is asked for."""
    views = [event("page_view", START + 2 * HOUR, event_id="b1")]
    leads = [lead("a", created_at=START), lead("b", created_at=START + HOUR, events=views)]
    merged = START + DAY
    identity = [Interval("a", "a", 0, FOREVER), Interval("b", "b", 0, merged), Interval("b", "a", merged, FOREVER)]

    def views_of(as_of: Micros, ids: list[str] | None = None) -> list[tuple[str, int]]:
        rows = exported(leads, as_of, ids=ids, identity=identity)
        return [(row["lead_id"], row["views_all"]) for row in rows]

    assert views_of(merged - 1) == [("a", 0), ("b", 1)]
    assert views_of(merged - 1, ["b"]) == [("b", 1)]
    assert views_of(merged) == [("a", 1)]
    assert views_of(merged, ["b"]) == views_of(merged, ["b", "a"]) == [("a", 1)]


def test_leads_can_be_named_and_come_once_each_in_order() -> None:
    """The rows are those of the named leads, ordered by lead."""
    rows = exported(three_leads(), START + 4 * DAY, ids=["c", "a", "c"])

    assert [row["lead_id"] for row in rows] == ["a", "c"]


def test_every_unknown_lead_is_told_with_what_is_near() -> None:
    """Unknown ones and those that came later are listed together; a foreign id is compared with nothing far."""
    leads = [lead("lead-0001", created_at=START), lead("lead-0002", created_at=START + 9 * DAY)]

    with pytest.raises(UsageError) as refused:
        exported(leads, START + DAY, ids=["lead-0001", "lead-O001", "nobody at all", "lead-0002"])

    faults = refused.value.faults
    assert len(faults) == 3
    assert "'lead-O001'" in faults[0]
    assert "did you mean lead-0001?" in faults[0]
    assert "'nobody at all'" in faults[1]
    assert "did you mean" not in faults[1]
    assert "'lead-0002' was not known yet" in faults[2]


def test_features_are_chosen_by_column_or_entry_in_the_order_asked_for() -> None:
    """An entry means all its columns; each column comes once; no name means all."""
    chosen = chosen_columns(RULES.columns, ["peers", "views_all", "liked", "views", "city"])

    assert [column.name for column in chosen] == ["peers_7d", "views_all", "liked_1", "liked_2", "views_2d", "city"]
    assert chosen_columns(RULES.columns, []) == RULES.columns
    (row,) = exported(three_leads(), START + 4 * DAY, columns=chosen, ids=["b"])
    assert list(row) == ["lead_id", "as_of", *(column.name for column in chosen)]


def test_every_unknown_feature_is_told_with_what_is_near() -> None:
    """All at once, each with the names it may have been meant for."""
    with pytest.raises(UsageError) as refused:
        chosen_columns(RULES.columns, ["veiws", "city", "zzz"])

    assert len(refused.value.faults) == 2
    assert "'veiws'" in refused.value.faults[0]
    assert "views" in refused.value.faults[0].split("did you mean")[1]
    assert "'zzz'" in refused.value.faults[1]
