"""Feature values are exact at the moment asked for: from the store while they hold, else from the log."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from features.history import open_history
from features.store.door import Store
from leadlight.schema import DAY, HOUR, Micros
from serving.desk import Desk, open_desk
from serving.intake import Question
from serving.vectors import vectors
from tests.serving.serving_builders import NOON, School, build_school


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> School:
    """A school whose stored rows a test may change."""
    folder: Path = tmp_path_factory.mktemp("fresh")
    return build_school(folder)


@pytest.fixture(scope="module")
def desk(fresh: School) -> Desk:
    """The desk of that school."""
    return open_desk(fresh.site, fresh.catalogue, fresh.state)


def spoil(school: School, lead_id: str, *, as_of: Micros, valid_until: Micros) -> None:
    """Store a row for the lead that is recognisable by its 777 pages."""
    store = Store(site=school.site, catalogue=school.catalogue, state=school.state)
    row = {column.name: None for column in school.catalogue.lead_columns} | {"pages_7d": 777}
    times = {"as_of": as_of, "valid_until": valid_until, "row_seq": open_history(school.state).summary.row_seq(0)}
    store.write_leads(pa.Table.from_pylist([{"lead_id": lead_id, **times, **row}]))


def pages(desk: Desk, lead_id: str, as_of: Micros) -> tuple[object, Micros]:
    (vector,) = vectors(desk, [Question(lead_id, as_of)])
    return vector.values["pages_7d"], vector.as_of


def test_a_stored_row_serves_from_its_moment_until_it_changes(fresh: School, desk: Desk) -> None:
    """The row is used in [as_of, valid_until) and at no other time."""
    now = fresh.clock
    truth = {
        moment: desk.evaluate(desk.past.facts(["L001"])["L001"], moment).values["pages_7d"]
        for moment in (now - 1, now + HOUR)
    }
    spoil(fresh, "L001", as_of=now, valid_until=now + HOUR)

    assert pages(desk, "L001", now - 1) == (truth[now - 1], now - 1)
    assert pages(desk, "L001", now) == (777, now)
    assert pages(desk, "L001", now + HOUR - 1) == (777, now)
    assert pages(desk, "L001", now + HOUR) == (truth[now + HOUR], now + HOUR)


def test_stored_and_evaluated_rows_are_the_same(fresh: School, desk: Desk) -> None:
    """What the store has at its moment is what the log gives, value by value and type by type."""
    now = fresh.clock
    lead_ids = ["hot", "L003", "L007", "a/b <i>"]
    stored = vectors(desk, [Question(lead_id, now) for lead_id in lead_ids])
    facts = desk.past.facts(lead_ids)

    evaluated = vectors(desk, [Question(lead_id, now, facts[lead_id]) for lead_id in lead_ids])

    names = [column.name for column in fresh.catalogue.columns]
    for of_store, of_log in zip(stored, evaluated, strict=True):
        assert [repr(of_store.values[name]) for name in names] == [repr(of_log.values[name]) for name in names]


def test_context_is_that_of_the_newest_closed_day(fresh: School, desk: Desk) -> None:
    """Orders count for everybody once their day has closed, at midnight plus the largest delay of the site."""
    midnight_after_order = NOON - 3 * DAY + 12 * HOUR

    def orders(as_of: Micros) -> object:
        (vector,) = vectors(desk, [Question("hot", as_of)])
        return vector.values["orders_of_all_7d"]

    assert orders(midnight_after_order + 2 * HOUR - 1) == 0
    assert orders(midnight_after_order + 2 * HOUR) == 1
    assert orders(fresh.clock) == 1


def test_a_channel_nobody_came_by_has_no_context(desk: Desk, fresh: School) -> None:
    """Before any lead of a channel was there its context is missing, as in training."""
    (vector,) = vectors(desk, [Question("hot", NOON - 300 * DAY + 1, desk.past.facts(["hot"])["hot"])])

    assert vector.values["newcomers_7d"] is None
    assert {column.name for column in fresh.catalogue.columns} <= set(vector.values)
