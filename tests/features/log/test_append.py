"""Facts enter the log all or none; the same again changes nothing, another content is a correction."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, event

from features.facts import Event, LeadFacts, Version
from features.log import Appended, Log, NewEdge, NewFact, Refused
from tests.features.log.log_builders import CREATED, a_version, an_event


def test_a_lead_and_its_events_are_added_in_one_batch_each_with_a_number(log: Log) -> None:
    appended = log.append([a_version(), an_event("e1"), an_event("e2")], now=lambda: 5_000, base={})

    assert appended == Appended(("added", "added", "added"), seq=3, arrived_at=5_000)
    assert log.head() == 3


def test_the_same_again_changes_nothing(log: Log) -> None:
    facts: list[NewFact] = [
        a_version(contact="1**", hashes=(("phone", "h"),), city="上海", budget=2.5),
        an_event(labels={"course": "数学", "page": None}),
        an_event("e2", amount=1_990),
        NewEdge("ana", None, "apart", "desk", "a family"),
    ]
    before = log.append(facts, now=lambda: 5_000, base={})

    again = log.append([*facts, an_event(labels={"course": "数学"})], now=lambda: 9_000, base={})

    assert again == Appended(("unchanged",) * 5, before.seq, 9_000)


def test_a_correction_is_a_version_of_its_own_and_the_old_one_was_known_until_then(log: Log) -> None:
    log.append([a_version(), an_event(amount=1)], now=lambda: 5_000, base={})

    corrected = log.append([an_event(amount=2), an_event(amount=3)], now=lambda: 7_000, base={})

    assert corrected.results == ("corrected", "corrected")
    assert log.facts(["ana"], after=0)["ana"].events == (
        Event("e1", "visit", 2_000, 5_000, until=7_000, amount=1, labels={}),
        Event("e1", "visit", 2_000, 7_000, until=7_001, amount=2, labels={}),
        Event("e1", "visit", 2_000, 7_001, until=None, amount=3, labels={}),
    )


def test_a_correction_arrives_after_what_it_corrects_even_where_the_clock_went_back(log: Log) -> None:
    log.append([a_version(city="A"), an_event(amount=1)], now=lambda: 5_000, base={})

    log.append([an_event(amount=2), a_version(city="B")], now=lambda: 100, base={})

    facts = log.facts(["ana"], after=0)["ana"]
    assert [each.arrived_at for each in facts.events] == [5_000, 5_002]
    assert [(each.arrived_at, each.until) for each in facts.versions] == [(5_000, 5_002), (5_002, None)]


def test_a_refusal_lists_every_fault_of_every_fact_and_nothing_is_taken(log: Log) -> None:
    log.append([a_version(), an_event()], now=lambda: 5_000, base={})

    with pytest.raises(Refused) as refused:
        log.append(
            [
                an_event("e2"),
                a_version("bob"),
                an_event("e1", "bob"),
                an_event("e3", "nobody"),
                NewEdge("ana", "nobody", "same", "desk", ""),
            ],
            now=lambda: 6_000,
            base={},
        )

    assert [index for index, _ in refused.value.by_fact] == [2, 3, 4]
    assert "lead 'ana'" in refused.value.faults[0]
    assert refused.value.faults[1].startswith("facts[3]: lead_id: 'nobody' is not known")
    assert log.head() == 2
    assert set(log.facts(["ana", "bob"], after=0)) == {"ana"}


def test_what_the_base_records_is_known(log: Log) -> None:
    base = LeadFacts(
        "ana",
        CREATED,
        "ads",
        versions=(Version(CREATED, 1_500, {"channel": "ads", "city": None}),),
        events=(
            Event("e1", "visit", 2_000, 3_000, until=4_000, amount=1, labels={"course": None}),
            Event("e1", "visit", 2_000, 4_000, until=None, amount=2, labels={"course": None}),
        ),
    )

    appended = log.append(
        [a_version(), an_event(amount=2), an_event(amount=1), an_event("e2"), a_version(at=1_200)],
        now=lambda: 3_500,
        base={"ana": base},
    )

    assert appended.results == ("unchanged", "unchanged", "corrected", "added", "added")
    [corrected, _] = log.facts(["ana"], after=0)["ana"].events
    assert corrected.arrived_at == 4_001
    tail = log.tail(after=0, through=3)
    assert tail.events["first"].to_pylist() == [False, True]
    assert tail.versions["first"].to_pylist() == [False]


def test_a_newer_version_of_the_base_counts_before_an_older_one_of_the_log(log: Log) -> None:
    log.append([a_version(), an_event(amount=1)], now=lambda: 3_000, base={})
    later = Event("e1", "visit", 2_000, 4_000, amount=2, labels={})
    base = {"ana": LeadFacts("ana", CREATED, "ads", events=(later,))}

    again = log.append([an_event(amount=2)], now=lambda: 5_000, base=base)

    assert again.results == ("unchanged",)


def test_a_thousand_facts_take_as_many_statements_as_one_of_each_kind(log: Log, engine: Engine) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    few: list[NewFact] = [a_version(hashes=(("phone", "a"),)), an_event(), NewEdge("ana", None, "apart", "desk", "")]
    log.append(few, now=lambda: 5_000, base={})
    taken, statements[:] = len(statements), []

    many = [a_version(f"lead{n}", hashes=(("phone", str(n)),)) for n in range(330)]
    events = [an_event(f"of{n}", f"lead{n}") for n in range(330)]
    edges = [NewEdge(f"lead{n}", f"lead{n + 1}", "same", "desk", "") for n in range(0, 329, 2)]
    log.append([*many, *events, *edges], now=lambda: 6_000, base={})

    event.remove(engine, "before_cursor_execute", note)
    assert len(statements) == taken
    assert log.head() == 4 + 330 * 3 + 165


def test_a_text_that_no_database_holds_is_told_with_all_other_faults(log: Log) -> None:
    with pytest.raises(Refused) as refused:
        log.append([an_event(lead_id="\0"), an_event(lead_id="\ud800"), an_event()], now=lambda: 1, base={})

    assert [index for index, _ in refused.value.by_fact] == [0, 1, 2]
    assert log.facts(["\0", "\ud800"], after=0) == {}
    assert log.erased(["\0", "\ud800"]) == frozenset()


def test_nothing_is_nothing(log: Log) -> None:
    assert log.append([], now=lambda: 1, base={}) == Appended((), 0, arrived_at=2)
    assert log.facts([], after=0) == {}
    assert log.erased([]) == frozenset()
