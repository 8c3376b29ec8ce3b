"""The journal gives back what it was given, in the order of asking, until the person is erased."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from features.log import Log
from leadlight.database import DatabaseUnavailable, read
from leadlight.database.opening import open_sqlite
from leadlight.journal import COLUMNS, Erased, answer, answers, answers_of, erase_answers, keep, last_answer, reading
from tests.leadlight.journal.journal_builders import VECTOR, an_answer


def test_an_answer_comes_back_as_it_was_given(engine: Engine) -> None:
    """Every field, floats to the bit, and what is missing as missing."""
    full = an_answer("a1", inline=True, degraded=True, explore_probability=0.02, explored=True, locks='["x"]')
    bare = an_answer("a2", vector=None, probability=None, raw=None, low=None, high=None, grade=None, flagged=False)

    assert keep(engine, [full, bare]) == 0

    assert (answer(engine, "a1"), answer(engine, "a2")) == (full, bare)
    assert json.loads(full.vector or "") == VECTOR
    assert answer(engine, "never given") is None


def test_the_table_has_the_columns_of_an_answer_and_their_types(engine: Engine) -> None:
    """Also of a journal without any answer, so that a reader needs no second way."""
    empty = answers(engine)
    keep(engine, [an_answer("a1")])

    table = answers(engine)

    assert tuple(table.column_names) == COLUMNS
    assert empty.schema.equals(table.schema)
    assert (len(empty), len(table)) == (0, 1)
    assert (table.schema.field("asked_at").type, table.schema.field("flagged").type) == (pa.int64(), pa.bool_())
    assert table.to_pylist()[0]["probability"] == 1 / 3


def test_what_is_sent_again_changes_nothing(engine: Engine) -> None:
    """After a failure nobody knows whether the answers are there, so they are sent again."""
    keep(engine, [an_answer("a1")])

    keep(engine, [an_answer("a1", grade="D"), an_answer("a2")])

    assert answers(engine)["grade"].to_pylist() == ["B", "B"]


def test_a_table_is_of_one_target_and_from_the_first_moment_up_to_not_including_the_last(engine: Engine) -> None:
    """The bounds are those of asking."""
    keep(engine, [an_answer(f"a{at}", asked_at=at) for at in (4, 3, 2, 1)])
    keep(engine, [an_answer("other", target="second_order", asked_at=2)])

    assert answers(engine, target="first_order", since=2, until=4)["id"].to_pylist() == ["a2", "a3"]
    assert answers(engine, since=2, until=3)["id"].to_pylist() == ["a2", "other"]


def test_a_long_journal_is_read_in_parts_without_a_gap(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where many answers were given at one moment."""
    monkeypatch.setattr(reading, "_AT_ONCE", 3)
    given = [an_answer(f"a{number:02d}", asked_at=1_000 + number // 4) for number in range(20)]
    keep(engine, given)

    assert answers(engine)["id"].to_pylist() == [each.id for each in given]


def test_a_leads_answers_are_found(engine: Engine) -> None:
    """The oldest first, of all targets or one."""
    keep(engine, [an_answer("late", asked_at=9), an_answer("early", asked_at=8), an_answer("bob", "bob")])
    keep(engine, [an_answer("again", target="second_order", asked_at=10)])

    found, of_one = answers_of(engine, "ana"), answers_of(engine, "ana", target="second_order")

    assert isinstance(found, list)
    assert [each.id for each in found] == ["early", "late", "again"]
    assert isinstance(of_one, list)
    assert [each.id for each in of_one] == ["again"]
    assert answers_of(engine, "nobody") == []


def test_the_last_answer_is_that_of_the_first_lead_that_has_one(engine: Engine) -> None:
    """Until a moment, about one target; an erased lead is told, whoever else is asked about."""
    keep(engine, [an_answer(f"a{at}", asked_at=at) for at in (3, 5)])
    keep(engine, [an_answer("b9", "bob", asked_at=9), an_answer("other", target="second_order", asked_at=8)])

    def last(*leads: str, until: int | None = None) -> str | None:
        found = last_answer(engine, leads, target="first_order", until=until)
        return None if found is None or isinstance(found, Erased) else found.id

    assert [last("ana"), last("ana", until=4), last("ana", until=2)] == ["a5", "a3", None]
    assert [last("ana", "bob", until=9), last("nobody", "bob"), last("nobody")] == ["a5", "b9", None]
    Log(engine).erase(["ana"], at=7_000)
    assert last_answer(engine, ["ana", "bob"], target="first_order") == Erased(7_000)


def test_an_erased_leads_answers_go_and_it_can_be_said_that_they_went(engine: Engine) -> None:
    """By the answer's id, and by the lead."""
    keep(engine, [an_answer("a1"), an_answer("a2"), an_answer("b1", "bob")])
    Log(engine).erase(["ana"], at=7_000)

    assert erase_answers(engine, ["ana"], at=7_000) == 2

    assert answer(engine, "a1") == answers_of(engine, "ana") == Erased(7_000)
    assert answers(engine)["lead_id"].to_pylist() == ["bob"]
    assert read(engine, "SELECT id FROM erased_answers ORDER BY id") == [("a1",), ("a2",)]


def test_answers_about_another_lead_go_for_the_time_in_which_they_told_of_the_erased_one(engine: Engine) -> None:
    """While two leads were one person, the answers about the one were made of the facts of both."""
    keep(engine, [an_answer(f"b{as_of}", "bob", as_of=as_of) for as_of in (10, 20, 30)])

    assert erase_answers(engine, ["ana"], [("bob", 20, 30)], at=7_000) == 1

    assert answers(engine)["as_of"].to_pylist() == [10, 30]
    assert answer(engine, "b20") == Erased(7_000)


def test_an_answer_that_was_under_way_when_its_lead_was_erased_is_not_kept(engine: Engine) -> None:
    """It stood in a queue; its id is told to be erased all the same."""
    Log(engine).erase(["ana"], at=7_000)

    assert keep(engine, [an_answer("a1"), an_answer("b1", "bob")]) == 1

    assert answer(engine, "a1") == Erased(7_000)
    assert answers(engine)["id"].to_pylist() == ["b1"]


def test_no_answer_outlives_an_erasure_however_the_two_meet(engine: Engine) -> None:
    """A writer goes on writing while a lead is erased: afterwards nothing of it is there."""
    log, stop = Log(engine), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set() or number < 20:
            keep(engine, [an_answer(f"a{number:04d}"), an_answer(f"b{number:04d}", "bob")])
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not read(engine, "SELECT 1 FROM answers LIMIT 1"):
            pass
        log.erase(["ana"], at=7_000)
        _erased_in_the_end(engine)
    finally:
        stop.set()
        writer.join()

    assert set(answers(engine)["lead_id"].to_pylist()) == {"bob"}


def test_no_byte_of_it_stays_in_the_files_of_sqlite(tmp_path: Path) -> None:
    """What was erased is overwritten."""
    engine = open_sqlite(tmp_path / "leadlight.db")
    keep(engine, [an_answer(f"b{number}", f"lead{number}") for number in range(200)])
    keep(engine, [an_answer("a1", "lead-of-a-secret", vector='{"city": "city-of-a-secret"}')])
    assert b"city-of-a-secret" in b"".join(path.read_bytes() for path in tmp_path.iterdir())

    erase_answers(engine, ["lead-of-a-secret"], at=7_000)

    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (b"lead-of-a-secret" in left, b"city-of-a-secret" in left) == (False, False)
    engine.dispose()


def _erased_in_the_end(engine: Engine) -> None:
    """Erase until no reader is in the way of removing the traces."""
    while True:
        try:
            erase_answers(engine, ["ana"], at=7_000)
        except DatabaseUnavailable:
            continue
        return
