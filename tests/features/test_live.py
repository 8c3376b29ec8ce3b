"""Live facts beside recorded ones: what a build takes in from the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pytest

from features.duck import connect
from features.facts import LeadFacts, Tables, Value, Version
from features.identity import Key
from features.identity.contacts import hashed
from features.live import Live, with_live
from features.log import Log, NewEdge, NewEvent, NewFact, NewVersion
from features.past import joined as of_one
from features.segments import DATABASE, export_log, open_log
from leadlight.schema import DAY, Micros
from leadlight.settings import SiteError
from tests.builders import corrected, create_tables, event, lead, site

NO_LABELS: dict[str, str | None] = {}
ANN = lead("ann", created_at=DAY, events=[event("login", 2 * DAY, event_id="a1")])
KEY = Key((b"k" * 32,))


def told(
    lead_id: str,
    at: Micros,
    *,
    created_at: Micros | None = None,
    hashes: Iterable[tuple[str, str]] = (),
    **attributes: Value,
) -> NewVersion:
    """What a CRM says of a lead at ``at``, the lead having been created then if nothing else is said."""
    return NewVersion(lead_id, at if created_at is None else created_at, "app", None, at, attributes, tuple(hashes))


def done(
    event_id: str, lead_id: str, at: Micros, kind: str = "login", amount: int | None = None, **labels: str
) -> NewEvent:
    """What a CRM says of an event."""
    return NewEvent(event_id, lead_id, kind, at, amount, labels)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """An empty log of the small site in ``tmp_path``."""
    (tmp_path / DATABASE).touch()
    with open_log(site(), tmp_path) as opened:
        assert opened is not None
        yield opened


def joined(log: Log, state: Path, recorded: Iterable[LeadFacts], key: Key | None = None) -> Tables:
    """The recorded facts and the log's, as the next build has them."""
    connection = connect()
    tables = create_tables(connection, site(), recorded)
    return with_live(tables, Live.read(export_log(log, state, through=log.head()).tail(), connection, key))


def rows(table: ibis.Table, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of some columns, in order."""
    return sorted(tuple(row[c] for c in columns) for row in table.select(*columns).to_pyarrow().to_pylist())


def append(log: Log, *facts: NewFact, at: Micros, base: Iterable[LeadFacts] = ()) -> None:
    """Append facts that arrive at ``at``."""
    log.append(facts, now=lambda: at, base={each.lead_id: each for each in base})


def test_a_new_lead_and_its_events_join_the_history(log: Log, tmp_path: Path) -> None:
    """With their arrival, attributes and labels in their types, and unknown ones missing."""
    append(
        log,
        told("bob", DAY, city="武汉", budget=0.1),
        done("b1", "bob", 2 * DAY, "lesson", 5, course="it's"),
        at=3 * DAY,
    )

    tables = joined(log, tmp_path, [ANN])

    assert rows(tables.leads, "lead_id", "created_at", "known_at", "channel") == [
        ("ann", DAY, DAY, "sem"),
        ("bob", DAY, 3 * DAY, "app"),
    ]
    (bob,) = tables.attributes.filter(ibis._.lead_id == "bob").to_pyarrow().to_pylist()
    assert (bob["at"], bob["arrived_at"], bob["channel"], bob["city"], bob["budget"]) == (
        DAY,
        3 * DAY,
        "app",
        "武汉",
        0.1,
    )
    (b1,) = tables.events.filter(ibis._.lead_id == "bob").to_pyarrow().to_pylist()
    assert b1 == {
        "lead_id": "bob",
        "at": 2 * DAY,
        "event_id": "b1",
        "arrived_at": 3 * DAY,
        "until": None,
        "kind": "lesson",
        "amount": 5,
        "course": "it's",
        "category": None,
    }


def test_a_live_correction_ends_what_was_recorded(log: Log, tmp_path: Path) -> None:
    """Of an event and of a version alike: the recorded one is known until the live one arrives."""
    append(log, done("a1", "ann", 2 * DAY, "order"), told("ann", DAY, city="北京"), at=9 * DAY, base=[ANN])

    tables = joined(log, tmp_path, [ANN])

    assert rows(tables.events, "arrived_at", "until", "kind") == [(2 * DAY, 9 * DAY, "login"), (9 * DAY, None, "order")]
    versions = sorted(tables.attributes.to_pyarrow().to_pylist(), key=lambda row: row["arrived_at"])
    assert [(row["arrived_at"], row["until"], row["city"]) for row in versions] == [
        (DAY, 9 * DAY, None),
        (9 * DAY, None, "北京"),
    ]
    assert rows(tables.leads, "known_at", "channel") == [(DAY, "sem")]


def test_what_came_live_first_is_known_from_then(log: Log, tmp_path: Path) -> None:
    """The company's files have the lead and the event later, with no arrival: they do not make them known earlier."""
    append(log, told("bob", DAY, city="武汉"), done("b1", "bob", 2 * DAY), at=5 * DAY)
    file = lead("bob", created_at=DAY, channel="sem", events=[event("login", 2 * DAY, event_id="b1")])

    tables = joined(log, tmp_path, [file])

    assert rows(tables.leads, "known_at", "channel") == [(5 * DAY, "app")]
    assert rows(tables.events, "arrived_at", "until") == [(5 * DAY, None)]
    assert rows(tables.attributes, "arrived_at", "city") == [(5 * DAY, "武汉")]


def test_of_two_contents_with_one_arrival_the_live_one_counts(log: Log, tmp_path: Path) -> None:
    """The company's files say otherwise of a live correction: of event and version alike one is left."""
    append(log, done("a1", "ann", 2 * DAY, "order"), told("ann", DAY, city="live"), at=9 * DAY, base=[ANN])
    corrections = corrected(
        event("login", 2 * DAY, event_id="a1"), event("payment", 2 * DAY, event_id="a1", arrived_at=9 * DAY)
    )
    versions = (*ANN.versions, Version(DAY, 9 * DAY, {"channel": "sem", "city": "file", "budget": None}))
    file = replace(ANN, events=tuple(corrections), versions=versions)

    tables = joined(log, tmp_path, [file])

    assert rows(tables.events, "arrived_at", "kind") == [(2 * DAY, "login"), (9 * DAY, "order")]
    assert [city for arrived, city in rows(tables.attributes, "arrived_at", "city")[1:]] == ["live"]


def test_an_event_of_the_files_alone_joins_a_live_lead(log: Log, tmp_path: Path) -> None:
    """The lead came live, a later event of it in the files."""
    append(log, told("bob", DAY), at=2 * DAY)
    file = lead("bob", created_at=DAY, events=[event("login", 3 * DAY, event_id="b2")])

    tables = joined(log, tmp_path, [file])

    assert rows(tables.events, "event_id", "arrived_at") == [("b2", 3 * DAY)]


def test_an_erased_lead_never_comes_back(log: Log, tmp_path: Path) -> None:
    """Neither from the files nor from segments that were written before."""
    append(log, told("bob", DAY), done("a2", "ann", 2 * DAY), at=3 * DAY, base=[ANN])
    export_log(log, tmp_path, through=log.head())
    log.erase(["ann"], at=4 * DAY)

    tables = joined(log, tmp_path, [ANN, lead("eve")])

    assert rows(tables.leads, "lead_id") == [("bob",), ("eve",)]
    assert {who for (who,) in rows(tables.attributes, "lead_id")} == {"bob", "eve"}
    assert rows(tables.events, "lead_id") == []


def test_contacts_are_known_from_the_earliest_and_under_the_newest_key(log: Log, tmp_path: Path) -> None:
    """A hash made before the key was extended equals one made since."""
    longer = KEY.extended(b"l" * 32)
    append(log, told("bob", DAY, hashes=[("phone", hashed("phone", "+8613912345678", KEY))]), at=3 * DAY)

    tables = joined(log, tmp_path, [ANN], longer)

    assert rows(tables.contacts, "lead_id", "type", "hash", "known_at") == [
        ("bob", "phone", hashed("phone", "+8613912345678", longer), 3 * DAY)
    ]


def test_segments_grow_with_the_log(log: Log, tmp_path: Path) -> None:
    """Each export adds what came since the last; together they are the log."""
    append(log, told("bob", DAY), at=DAY)
    first = export_log(log, tmp_path, through=log.head())
    again = export_log(log, tmp_path, through=log.head())
    append(log, told("eve", DAY), NewEdge("bob", "eve", "same", "me", "seen"), at=2 * DAY)
    second = export_log(log, tmp_path, through=log.head())

    assert [folder.name for folder in first.folders] == ["0-1"]
    assert again == first
    assert [folder.name for folder in second.folders] == ["0-1", "1-3"]
    assert second.tail() == log.tail(after=0, through=3)
    assert json.loads(second.tail().versions["attributes"][0].as_py()) == {}


def test_a_log_that_lost_facts_is_a_fault(log: Log, tmp_path: Path) -> None:
    """Another database would give the same numbers to other facts."""
    append(log, told("bob", DAY), at=DAY)
    export_log(log, tmp_path, through=log.head())

    with pytest.raises(SiteError, match=r"the live log ends at 0, but live/ has its facts up to 1: bring back"):
        export_log(log, tmp_path, through=0)


def test_without_a_database_there_is_no_log(tmp_path: Path) -> None:
    """Nobody makes one only to see that it is empty."""
    with open_log(site(), tmp_path) as log:
        assert log is None

    assert list(tmp_path.iterdir()) == []


def test_live_facts_mean_what_they_mean_one_lead_at_a_time(log: Log, tmp_path: Path) -> None:
    """The joined tables hold of each lead what base and log have of it."""
    ann = lead(
        "ann",
        created_at=DAY,
        versions=(Version(DAY, DAY, {"channel": "sem", "city": "a", "budget": 1.5}),),
        events=[event("login", 2 * DAY, event_id="a1"), event("login", 3 * DAY, event_id="a2")],
    )
    append(log, told("bob", 2 * DAY, budget=1e-7), done("b1", "bob", 2 * DAY), at=4 * DAY)
    append(log, told("ann", DAY, city="b"), done("a1", "ann", 2 * DAY, "order", 7), at=5 * DAY, base=[ann])
    append(
        log,
        done("a1", "ann", 3 * DAY, "order", 8),
        told("bob", 3 * DAY, created_at=2 * DAY, city="c"),
        at=6 * DAY,
        base=[ann],
    )

    tables = joined(log, tmp_path, [ann])

    logged = log.facts(["ann", "bob"], after=0)
    for lead_id, recorded in (("ann", ann), ("bob", None)):
        facts = of_one(recorded, logged[lead_id])
        assert facts is not None
        events = rows(tables.events.filter(ibis._.lead_id == lead_id), "event_id", "arrived_at", "at", "kind", "amount")
        assert events == sorted((e.event_id, e.arrived_at, e.at, e.kind, e.amount) for e in facts.events)
        untils = rows(tables.events.filter(ibis._.lead_id == lead_id, ibis._.until.notnull()), "event_id", "until")
        assert untils == sorted((e.event_id, e.until) for e in facts.events if e.until is not None)
        versions = tables.attributes.filter(ibis._.lead_id == lead_id).to_pyarrow().to_pylist()
        assert sorted(
            (v["at"], v["arrived_at"], v["until"] or 0, v["city"] or "", v["budget"] or 0) for v in versions
        ) == sorted(
            (v.at, v.arrived_at, v.until or 0, v.values.get("city") or "", v.values.get("budget") or 0)
            for v in facts.versions
        )
