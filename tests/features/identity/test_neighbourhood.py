"""What one lead's neighbourhood says is what everything says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity import HASHED, Edge, Evidence, Neighbourhood, identity_table, intervals, neighbourhood
from features.identity.links import groups
from leadlight.schema import FOREVER
from tests.features.identity.identity_builders import CREATED, LEADS, RULES, WORLDS, World, evidence


def around(world: World, leads: Iterable[str]) -> Neighbourhood:
    def leads_with(contacts: Sequence[tuple[str, str]]) -> list[Evidence]:
        return [each for each in world.evidence if (each.type, each.hash) in contacts]

    def hashes_of(asked: Sequence[str]) -> list[Evidence]:
        return [each for each in world.evidence if each.lead_id in asked]

    def edges_of(asked: Sequence[str]) -> list[Edge]:
        return [each for each in world.edges if each.lead_id in asked or each.other_id in asked]

    return neighbourhood(leads, RULES, leads_with=leads_with, hashes_of=hashes_of, edges_of=edges_of)


@given(WORLDS, st.sets(st.sampled_from(LEADS), min_size=1, max_size=2))
def test_a_neighbourhood_says_the_same_as_everything(world: World, leads: set[str]) -> None:
    """For the leads of a neighbourhood, its evidence gives the intervals and held merges that all evidence gives."""
    whole = world.people()

    near = around(world, leads)
    found = intervals(near.evidence, near.edges, {lead: CREATED[lead] for lead in near.leads}, RULES)

    assert leads <= near.leads
    assert found.intervals == tuple(each for each in whole.intervals if each.lead_id in near.leads)
    assert found.held == tuple(each for each in whole.held if each.lead_id in near.leads)


@given(WORLDS, st.data())
def test_a_new_fact_changes_nobody_outside_its_neighbourhood(world: World, data: st.DataObject) -> None:
    """After the newest fact, whoever became another person is found from the leads that the fact names."""
    facts = [each for each in world.evidence if each.known_at == max(e.known_at for e in world.evidence)]
    newest = data.draw(st.sampled_from(facts)) if facts else None
    before = World([each for each in world.evidence if each != newest], world.edges)
    if newest is None or any(each.known_at >= newest.known_at for each in before.evidence):
        return

    changed = set(world.people().intervals) ^ set(before.people().intervals)

    assert {each.lead_id for each in changed} <= around(world, newest.lead_id).leads


@given(WORLDS, st.data())
def test_a_new_edge_changes_nobody_outside_its_neighbourhood(world: World, data: st.DataObject) -> None:
    """After a reviewer's word, whoever became another person is found from the leads that it names."""
    if not world.edges:
        return
    newest = data.draw(st.sampled_from(world.edges))
    before = World(world.evidence, [each for each in world.edges if each != newest])

    changed = set(world.people().intervals) ^ set(before.people().intervals)

    named = {lead for lead in (newest.lead_id, newest.other_id) if lead is not None}
    assert {each.lead_id for each in changed} <= around(world, named).leads


def test_a_switchboard_does_not_widen_the_neighbourhood() -> None:
    """Leads that showed a contact after it had become a switchboard's are counted, not looked at."""
    crowd = evidence(*(f"x{n} phone 1 @{n}" for n in range(50)), *(f"x{n} device {n} @1" for n in range(50)))

    near = around(World(crowd, []), ["x40"])
    people = intervals(near.evidence, near.edges, {f"x{n}": n for n in range(50)}, RULES)

    assert near.leads == {"x40", "x0", "x1", "x2"}
    assert {(each.since, each.until) for each in people.intervals if each.lead_id == "x1"} == {
        (0, 1),
        (1, 3),
        (3, FOREVER),
    }


def test_the_lead_that_makes_a_switchboard_finds_all_whom_it_parts() -> None:
    """Also the one that came at the same moment and was glued until then."""
    before = evidence("a phone 1 @1", "b phone 1 @2", "c phone 1 @5")

    near = around(World([*before, *evidence("d phone 1 @5")], []), ["d"])

    assert near.leads == set("abcd")


def test_a_switchboard_links_nobody_who_came_too_late() -> None:
    """However many leads share a contact, the links are those of the few that it once glued."""
    crowd = evidence(*(f"x{n} phone 1 @{n}" for n in range(50)))

    (group,) = groups(crowd, [], {f"x{n}": n for n in range(50)}, RULES.shared_at_most)

    assert len(group.links) == 3


@settings(max_examples=30)
@given(WORLDS)
def test_a_site_s_tables_say_the_same_as_its_facts(world: World) -> None:
    """The identity table of all leads is that of their evidence, though most leads never leave the tables."""
    contacts = pa.Table.from_pylist([each._asdict() for each in world.evidence], HASHED)
    leads = pa.table({"lead_id": list(CREATED), "created_at": pa.array(CREATED.values(), pa.int64())})

    table, held = identity_table(ibis.memtable(contacts), ibis.memtable(leads), world.edges, RULES)

    people = world.people()
    assert [tuple(row.values()) for row in table.to_pylist()] == list(people.intervals)
    assert held == people.held
