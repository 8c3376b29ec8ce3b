"""The relational evaluator: its rows, its types, its refusals. What the values mean is told in tests/spec."""

from __future__ import annotations

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.duck import connect
from features.relational import evaluate
from features.relational.rows import as_int64, floor_div, floor_mod
from features.single import evaluate as evaluate_one
from leadlight.schema import DAY, FOREVER, HOUR
from leadlight.settings import SiteError
from tests.builders import RelationalRows, catalogue, create_tables, event, exact, lead, site

MIXED = catalogue(
    {"name": "tier", "kind": "level", "levels": [{"name": "seen", "when": ["views_7d > 0"]}]},
    {"name": "views", "kind": "count", "events": ["page_view"], "windows": ["7d"]},
    {"name": "spent", "kind": "sum", "events": ["order"]},
    {"name": "courses", "kind": "distinct", "events": ["page_view"], "of": "course"},
    {"name": "favourite", "kind": "top", "events": ["page_view"], "of": "course"},
    {"name": "days", "kind": "active_days", "events": ["login"]},
    {"name": "evening", "kind": "share", "events": ["login"], "hours": [18, 24]},
    {"name": "since_login", "kind": "last_age", "events": ["login"]},
    {"name": "course", "kind": "last_value", "events": ["page_view"], "of": "course"},
    {"name": "city", "kind": "attribute", "column": "city"},
    {"name": "budget", "kind": "attribute", "column": "budget", "type": "number"},
    {"name": "age", "kind": "age"},
)
WHOLE = st.integers(-(2**57), 2**57) | st.builds(
    lambda n, d: n * DAY + d, st.integers(-(10**6), 10**6), st.integers(-1, 1)
)


def test_every_distinct_moment_of_the_spine_gets_one_row() -> None:
    """Twice the same moment, a lead without events, and a lead that the history does not know: one row each."""
    rows = RelationalRows(MIXED, site())
    leads = [lead("busy", created_at=DAY, events=[event("page_view", 2 * DAY)] * 3), lead("quiet", created_at=DAY)]
    spine = [("busy", 3 * DAY), ("busy", 3 * DAY), ("busy", 9 * DAY), ("quiet", 3 * DAY), ("unknown", 3 * DAY)]

    found = rows.read(leads, spine)

    assert set(found) == set(spine)
    assert found["busy", 3 * DAY].values["views_7d"] == 3
    assert found["quiet", 3 * DAY].values["views_7d"] == 0
    assert found["quiet", 3 * DAY].values["age"] == 2
    assert found["unknown", 3 * DAY].values["age"] is None
    assert found["unknown", 3 * DAY].valid_until == FOREVER


def test_columns_come_in_catalogue_order_with_declared_types() -> None:
    """Keys, ``valid_until``, then the lead columns: what ibis promises is what DuckDB returns."""
    backend = connect()
    spine = backend.create_table("spine", schema=ibis.schema({"lead_id": "string", "as_of": "int64"}))

    rows = evaluate(MIXED, site(), create_tables(backend, site(), []), spine)

    types = {"int": "int64", "float": "float64", "str": "string"}
    declared = [(column.name, types[column.type]) for column in MIXED.lead_columns]
    keys = [("lead_id", "string"), ("as_of", "int64"), ("valid_until", "int64")]
    assert [(name, str(kind)) for name, kind in rows.schema().items()] == keys + declared
    returned = backend.con.execute(backend.compile(rows)).to_arrow_table().schema
    arrow = {"int64": "int64", "float64": "double", "string": "string"}
    assert [(field.name, str(field.type)) for field in returned] == [
        (name, arrow[kind]) for name, kind in keys + declared
    ]


def test_the_spine_may_hold_more_columns() -> None:
    """Whatever else a spine carries neither multiplies rows nor reaches them."""
    backend = connect()
    spine = ibis.memtable({"lead_id": ["a", "a"], "as_of": [HOUR, HOUR], "channel": ["sem", "live"]})

    rows = evaluate(MIXED, site(), create_tables(backend, site(), [lead("a")]), spine)

    assert "channel" not in rows.columns
    assert backend.execute(rows.count()) == 1


def test_features_may_be_named_like_columns_of_the_history() -> None:
    """A feature's name meets neither the log's columns nor those of the evaluation."""
    names = ["at", "gone", "kind", "amount", "created_at", "until", "enters", "day"]
    rules = catalogue(
        *({"name": name, "kind": "count", "events": ["login"], "windows": []} for name in names),
        {"name": "share", "kind": "share", "events": ["login"], "weekdays": [1]},
        {"name": "share_all", "kind": "max", "events": ["login"]},
        {"name": "course", "kind": "last_value", "events": ["page_view"], "of": "course"},
        {"name": "channel", "kind": "distinct", "events": ["page_view"], "of": "course"},
        {"name": "age", "kind": "age"},
    )
    facts = lead(created_at=0, events=[event("login", HOUR), event("page_view", HOUR, labels={"course": "maths"})])

    row = RelationalRows(rules, site()).read([facts], [("lead", DAY)])["lead", DAY]

    assert exact(row) == exact(evaluate_one(rules, site(), facts, DAY))


def test_attributes_that_the_history_does_not_hold_are_refused_together() -> None:
    """One error names every attribute that is missing or of another type, and what to write instead."""
    backend = connect()
    rules = catalogue(
        {"name": "town", "kind": "attribute", "column": "town"},
        {"name": "wealth", "kind": "attribute", "column": "budget"},
        {"name": "place", "kind": "attribute", "column": "city", "type": "number"},
        {"name": "city", "kind": "attribute", "column": "city"},
    )
    tables = create_tables(backend, site(), [])

    with pytest.raises(SiteError) as refusal:
        evaluate(rules, site(), tables, tables.leads.mutate(as_of=0))

    missing, number, text = refusal.value.faults
    assert "'town'" in missing
    assert "'budget' as text, but it is float64" in number
    assert "type = 'number'" in number
    assert "'city' as number, but it is string" in text


def test_integer_arithmetic_is_that_of_python() -> None:
    """Quotients and remainders of negative and of large numbers are exact; so are sums, as 64-bit integers."""
    backend = connect()
    table = backend.create_table("numbers", schema=ibis.schema({"number": "int64"}))
    number = table.number
    each = backend.compile(
        table.select(
            number, floor_div(number, DAY), floor_mod(number, DAY), floor_div(number, HOUR), floor_mod(number, 7)
        )
    )
    total = backend.compile(table.aggregate(total=as_int64(number.sum())))

    @given(st.lists(WHOLE, min_size=1, max_size=50))
    def holds(numbers: list[int]) -> None:
        backend.con.execute("DELETE FROM numbers")
        backend.con.execute("INSERT INTO numbers SELECT unnest(?::BIGINT[])", [numbers])

        expected = [(n, n // DAY, n % DAY, n // HOUR, n % 7) for n in sorted(numbers)]
        assert sorted(backend.con.execute(each).fetchall()) == expected
        assert backend.con.execute(total).to_arrow_table().to_pylist() == [{"total": sum(numbers)}]

    holds()
