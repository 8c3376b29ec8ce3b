"""What was appended is read back, for one lead, since a place in the log, or as a stretch of it."""

from __future__ import annotations

from features.facts import Event, LeadFacts, Version
from features.identity import Edge, Evidence
from features.log import Log, Logged, NewEdge
from tests.features.log.log_builders import CREATED, a_version, an_event


def test_a_lead_is_read_as_it_was_told(log: Log) -> None:
    log.append([a_version(city="上海", budget=2.5, age=None, hashes=(("phone", "h"),))], now=lambda: 5_000, base={})
    log.append([a_version("bob"), an_event("b", "bob")], now=lambda: 5_500, base={})
    log.append([a_version(at=3_000, channel="fair", contact="1**", city="北京")], now=lambda: 6_000, base={})
    log.append([an_event(amount=-5, labels={"course": "数学", "page": None})], now=lambda: 7_000, base={})

    versions = (
        Version(CREATED, 5_000, {"channel": "ads", "city": "上海", "budget": 2.5}),
        Version(3_000, 6_000, {"channel": "fair", "city": "北京"}),
    )
    events = (Event("e1", "visit", 2_000, 7_000, None, -5, {"course": "数学"}),)
    hashes = (("phone", "h", 5_000),)
    found = log.facts(["ana", "nobody"], after=0)

    assert found == {"ana": Logged("ana", versions, events, hashes, CREATED, "ads", "1**")}
    assert found["ana"].alone() == LeadFacts("ana", CREATED, "ads", "1**", versions, events, known_at=5_000)


def test_only_what_came_after_a_place_is_read(log: Log) -> None:
    log.append([a_version(), an_event("e1")], now=lambda: 5_000, base={})
    checkpoint = log.head()
    log.append([an_event("e2")], now=lambda: 6_000, base={})

    later = log.facts(["ana"], after=checkpoint)["ana"]

    assert [each.event_id for each in later.events] == ["e2"]
    assert later.versions == ()
    assert later.alone() is None
    assert log.facts(["ana"], after=log.head()) == {}


def test_the_contact_is_that_of_the_newest_version_that_has_one(log: Log) -> None:
    log.append([a_version(at=3_000, contact="new"), a_version(at=2_000, contact="old")], now=lambda: 5_000, base={})
    log.append([a_version(at=4_000)], now=lambda: 6_000, base={})

    assert log.facts(["ana"], after=0)["ana"].contact == "new"


def test_changed_names_every_lead_with_a_fact_since(log: Log) -> None:
    log.append([a_version("ana"), a_version("bob"), a_version("cyd"), a_version("dan")], now=lambda: 5_000, base={})
    start = log.head()
    assert log.changed(start) == (log.look(), frozenset())

    log.append([an_event("e1", "ana")], now=lambda: 6_000, base={})
    log.append([a_version("bob", hashes=(("phone", "h"),))], now=lambda: 6_000, base={})
    log.append([NewEdge("cyd", "dan", "same", "desk", "")], now=lambda: 6_000, base={})

    assert log.changed(start) == (log.look(), frozenset({"ana", "bob", "cyd", "dan"}))
    assert log.changed(start + 2) == (log.look(), frozenset({"cyd", "dan"}))
    assert log.linked(start) == frozenset({"bob", "cyd", "dan"})
    assert (log.head(), log.look().newest) == (start + 3, 6_004)


def test_who_showed_what_and_what_was_said_is_found_from_either_side(log: Log) -> None:
    log.append(
        [a_version("ana", hashes=(("phone", "h"),)), a_version("bob", hashes=(("phone", "h"), ("email", "i")))],
        now=lambda: 5_000,
        base={},
    )
    log.append([NewEdge("ana", "bob", "same", "desk", "cousins")], now=lambda: 6_000, base={})
    ana, bob = Evidence("ana", "phone", "h", 5_000), Evidence("bob", "phone", "h", 5_000)

    assert sorted(log.contacts_like(["h"])) == [ana, bob]
    assert sorted(log.contacts_of(["bob"])) == [Evidence("bob", "email", "i", 5_000), bob]
    assert log.edges_of(["ana"]) == log.edges_of(["bob"]) == [Edge("ana", "bob", "same", "desk", "cousins", 6_000, 6)]


def test_a_stretch_of_the_log_is_read_as_tables_in_its_order(log: Log) -> None:
    log.append([a_version(city="上海", hashes=(("phone", "h"),)), an_event(amount=1)], now=lambda: 5_000, base={})
    log.append(
        [an_event(amount=2, labels={"course": "a"}), NewEdge("ana", None, "apart", "desk", "x")],
        now=lambda: 6_000,
        base={},
    )
    log.append([an_event("beyond")], now=lambda: 7_000, base={})

    tail = log.tail(after=1, through=5)

    assert tail.versions.num_rows == 0
    assert tail.versions.schema.field("first").type == "bool"
    assert tail.contacts.to_pylist() == [
        {"seq": 2, "lead_id": "ana", "arrived_at": 5_000, "type": "phone", "hash": "h"}
    ]
    assert [tuple(row.values()) for row in tail.events.to_pylist()] == [
        (3, "ana", 5_000, "e1", "visit", 2_000, True, 1, "{}"),
        (4, "ana", 6_000, "e1", "visit", 2_000, False, 2, '{"course": "a"}'),
    ]
    assert tail.edges.select(["seq", "other_id", "verdict"]).to_pylist() == [
        {"seq": 5, "other_id": None, "verdict": "apart"}
    ]
    [version] = log.tail(after=0, through=1).versions.to_pylist()
    assert version["attributes"] == '{"city": "上海"}'
    assert version["first"] is True
