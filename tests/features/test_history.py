"""The history on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.duck import connect
from features.history import (
    Event,
    History,
    LeadFacts,
    Version,
    clock,
    history_folder,
    open_history,
    publish,
    write_history,
)
from features.history.event_ids import erase_event_ids
from features.identity import HASHED, Evidence, Interval
from features.people import Identities, person
from leadlight.schema import DAY
from leadlight.settings import SiteError
from tests.builders import corrected, create_tables, event, lead, merged, site

NO_LABELS = {"course": None, "category": None}
ANN = lead(
    "ann",
    created_at=DAY,
    contact="151****8109",
    versions=(
        Version(DAY, DAY, {"channel": "sem", "city": None, "budget": None}),
        Version(2 * DAY, 3 * DAY, {"channel": "app", "city": "武汉", "budget": 0.1}),
    ),
    events=[
        event("login", 2 * DAY, event_id="a", labels=NO_LABELS),
        *corrected(
            event("order", 2 * DAY, event_id="b", amount=-5, labels={"course": None, "category": "it's"}),
            event("order", 2 * DAY, event_id="b", arrived_at=5 * DAY, amount=2**62, labels=NO_LABELS),
        ),
    ],
)
BOB = lead("bob", created_at=4 * DAY)


def written(
    state: Path,
    leads: Sequence[LeadFacts],
    identity: Sequence[Interval] = (),
    contacts: Sequence[Evidence] = (),
    generation: int = 1,
) -> History:
    """The histories of ``leads`` on disk."""
    connection = connect()
    tables = create_tables(connection, site(), leads, identity)
    shown = pa.Table.from_pylist([each._asdict() for each in contacts], HASHED)
    tables = replace(tables, contacts=connection.create_table("shown", shown))
    history = write_history(tables, connection, state, generation=generation)
    connection.disconnect()
    return publish(history, state)


def test_a_lead_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every fact comes back with its type, in the order of time; a lead without events is known; no other lead is."""
    history = written(tmp_path, [ANN, BOB])

    assert history.lead("ann") == ANN
    assert history.lead("bob") == BOB
    assert history.lead("eve") is None
    assert history.facts(["bob", "eve", "ann", "bob"]) == {"ann": ANN, "bob": BOB}
    assert history.facts([]) == {}


moments = st.integers(-5 * DAY, 5 * DAY)
events = st.builds(
    Event,
    event_id=st.uuids().map(str),
    kind=st.sampled_from(["login", "order"]),
    at=moments,
    arrived_at=moments,
    until=st.none() | moments,
    amount=st.none() | st.integers(-(2**63), 2**63 - 1),
    labels=st.fixed_dictionaries({"course": st.none() | st.text(max_size=3), "category": st.none()}),
)
versions = st.builds(
    Version,
    at=moments,
    arrived_at=moments,
    values=st.fixed_dictionaries(
        {
            "channel": st.sampled_from(["sem", "app"]),
            "city": st.none() | st.text(max_size=3),
            "budget": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        }
    ),
)
people = st.builds(
    LeadFacts,
    lead_id=st.text(min_size=1, max_size=4),
    created_at=moments,
    channel=st.sampled_from(["sem", "app"]),
    contact=st.none() | st.just("****"),
    versions=st.lists(versions, max_size=3, unique_by=lambda one: (one.at, one.arrived_at)).map(
        lambda some: tuple(sorted(some, key=lambda one: (one.at, one.arrived_at)))
    ),
    events=st.lists(events, max_size=4).map(lambda some: tuple(sorted(some, key=lambda one: (one.at, one.event_id)))),
)


@given(leads=st.lists(people, min_size=1, max_size=12, unique_by=lambda one: one.lead_id), order=st.randoms())
@settings(max_examples=10)
def test_any_history_comes_back_exactly_and_its_digest_knows_no_order(
    tmp_path_factory: pytest.TempPathFactory, leads: list[LeadFacts], order: Random
) -> None:
    """Whatever the ids, texts and numbers; the same facts in another order have the same digest."""
    shuffled = sorted(leads, key=lambda _: order.random())

    first = written(tmp_path_factory.mktemp("first"), leads)
    second = written(tmp_path_factory.mktemp("second"), shuffled)

    assert first.facts([one.lead_id for one in leads]) == {one.lead_id: one for one in leads}
    assert first.summary == second.summary


@pytest.mark.parametrize(
    "changed",
    [
        [ANN],
        [ANN, lead("bob", created_at=4 * DAY + 1)],
        [ANN, lead("bob", created_at=4 * DAY, contact="****")],
        [ANN, lead("bob", created_at=4 * DAY, events=[event("login", 4 * DAY)])],
    ],
)
def test_the_digest_changes_with_any_fact(tmp_path: Path, changed: list[LeadFacts]) -> None:
    """A lead fewer, a moment later, a contact or an event more: another digest."""
    before = written(tmp_path / "before", [ANN, BOB])
    after = written(tmp_path / "after", changed)

    assert before.summary.digest != after.summary.digest


def test_files_are_bucketed_by_lead(tmp_path: Path) -> None:
    """The first hexadecimal digit of the MD5 of a lead's id names the folder of all its rows; every bucket exists."""
    history = written(tmp_path, [ANN, BOB])

    for name, rows in {"leads": 1, "attributes": 2, "events": 3}.items():
        bucket = history.root / name / f"bucket={hashlib.md5(b'ann').hexdigest()[0]}"  # noqa: S324  no secret
        assert connect().read_parquet(str(bucket / "*.parquet")).count().to_pyarrow().as_py() == rows
        assert len(list((history.root / name).glob("bucket=?/part.parquet"))) == 16


def test_the_summary_counts_and_knows_the_newest_fact(tmp_path: Path) -> None:
    """The newest fact is the latest arrival of anything; opening reads what writing found."""
    history = written(tmp_path, [ANN, BOB])

    summary = history.summary

    assert (summary.leads, summary.attributes, summary.events, summary.newest_fact) == (2, 3, 3, 5 * DAY)
    assert open_history(tmp_path).summary == summary
    assert history.root == history_folder(tmp_path) / summary.folder


def test_the_clock_is_the_wall_or_just_after_the_newest_fact(tmp_path: Path) -> None:
    """At a last-fact clock the newest fact counts; a wall clock is what it is."""
    history = written(tmp_path, [BOB])
    ended = site(clock={"at": "last_fact"})

    assert clock(ended, history, wall=9 * DAY) == 4 * DAY + 1
    assert clock(site(), history, wall=9 * DAY) == 9 * DAY


def test_a_folder_without_history_is_a_fault(tmp_path: Path) -> None:
    """The words say what to do."""
    with pytest.raises(SiteError, match="holds no history yet; `leadlight build SITE` makes it"):
        open_history(tmp_path)


def test_a_person_is_read_with_all_its_members(tmp_path: Path) -> None:
    """Under the lead it is named after, at any moment as ``person`` has it; records stay as they were recorded."""
    stays = merged([ANN, BOB], (6 * DAY, [["ann", "bob"]]), (8 * DAY, []))
    history = written(tmp_path, [ANN, BOB], stays)

    assert list(history.identity.intervals()) == sorted(stays, key=lambda stay: (stay.lead_id, stay.since))
    assert history.summary.merged == 2
    for who in ("ann", "bob"):
        assert history.facts([who]) == {who: person(who, {"ann": ANN, "bob": BOB}, Identities(stays))}
    assert history.records(["ann", "bob"]) == {"ann": ANN, "bob": BOB}


def test_contacts_are_found_by_lead_and_by_hash(tmp_path: Path) -> None:
    """Whatever the bucket; the hashes do not count in the digest, for they differ with the key, but in the folder."""
    shown = [
        Evidence("ann", "phone", "h1", DAY),
        Evidence("bob", "phone", "h1", 4 * DAY),
        Evidence("bob", "email", "h2", 1),
    ]
    history = written(tmp_path, [ANN, BOB], contacts=shown)
    without = written(tmp_path / "without", [ANN, BOB])

    assert history.contacts_of(["bob", "eve"]) == sorted(shown[1:])
    assert history.contacts_like(["h1", "h3"]) == sorted(shown[:2])
    assert history.contacts_like([]) == []
    assert history.summary.digest == without.summary.digest
    assert history.summary.folder != without.summary.folder


def test_a_reader_keeps_its_version_through_the_next_build(tmp_path: Path) -> None:
    """What was open when another version was published reads on; the version before the last is gone."""
    first = written(tmp_path, [ANN, BOB])
    second = written(tmp_path, [BOB], generation=2)
    read_on = first.facts(["ann"])
    third = written(tmp_path, [ANN], generation=3)

    assert read_on == {"ann": ANN}
    assert open_history(tmp_path).facts(["ann", "bob"]) == {"ann": ANN}
    assert sorted(path.name for path in history_folder(tmp_path).iterdir()) == sorted(
        [second.root.name, third.root.name, "summary.json"]
    )


def test_the_same_facts_again_are_the_same_version(tmp_path: Path) -> None:
    """Only the number of the build is another."""
    first = written(tmp_path, [ANN, BOB])
    second = written(tmp_path, [BOB, ANN], generation=2)

    assert second.root == first.root
    assert (open_history(tmp_path).summary.generation, second.lead("ann")) == (2, ANN)


def test_a_history_knows_whose_event_an_id_is(tmp_path: Path) -> None:
    """However many events there are, and whatever version of them; those of erased leads are nobody's."""
    told = [lead(f"L{n}", events=[event("login", DAY + n, event_id=f"E{n}")]) for n in range(300)]
    twice = lead("数", events=[event("login", at, event_id="课") for at in (DAY, 2 * DAY)])
    history = written(tmp_path, [*told, twice])
    named = [("E7", "L8"), ("E7", "L7"), ("E299", "L0"), ("new", "L0"), ("课", "数"), ("课", "L1")]

    before = history.of_other_leads(named)
    erase_event_ids(history.root, ["L7", "L299"])

    assert before == {"E7", "E299", "课"}
    assert history.of_other_leads(named) == {"课"}
    assert history.of_other_leads([]) == frozenset()


def test_without_events_no_id_is_taken(tmp_path: Path) -> None:
    """An empty file is looked into as well."""
    history = written(tmp_path, [lead("L1")])

    erase_event_ids(history.root, ["L1"])

    assert history.of_other_leads([("E1", "L1")]) == frozenset()
