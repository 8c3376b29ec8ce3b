"""Who is who at each moment, out of contacts and reviewers' words."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.identity import Edge, Held, Interval, intervals
from leadlight.schema import FOREVER
from tests.features.identity.identity_builders import (
    CREATED,
    LAST,
    LEADS,
    RULES,
    WORLDS,
    World,
    apart,
    evidence,
    finally_persons,
    persons_at,
    same,
)

AB = {frozenset("ab")}


def test_a_shared_contact_makes_one_person_of_its_oldest_lead() -> None:
    """From the moment both are known to share it, both are one, and before each is its own."""
    people = intervals(evidence("b phone 1 @3", "a phone 1 @5", "c phone 2 @1"), [], CREATED, RULES)

    assert people.intervals == (
        Interval("a", "a", 0, FOREVER),
        Interval("b", "b", 0, 5),
        Interval("b", "a", 5, FOREVER),
    )
    assert people.held == ()


@pytest.mark.parametrize(
    ("shown", "persons"),
    [
        (["a wechat 1 @1", "b wechat 1 @1"], AB),
        (["a email 1 @1", "b email 1 @1"], AB),
        (["a phone 1 @1", "b phone 1 @1"], AB),
        (["a device 1 @1", "b device 1 @1"], set()),
        (["a phone 1 @1", "b email 1 @1"], set()),
        (["a phone 1 @1", "b phone 1 @1", "b email 1 @2", "c email 1 @3"], {frozenset("abc")}),
        (
            ["a wechat 1 @1", "b wechat 1 @1", "c wechat 1 @1", "c phone 1 @1", "d phone 1 @1"],
            {frozenset("abcd")},  # as many leads as a person may have
        ),
    ],
)
def test_what_glues(shown: list[str], persons: set[frozenset[str]]) -> None:
    """An equal WeChat id, e-mail or phone glues, also in a row; a device, or equal hashes of two types, do not."""
    assert finally_persons(evidence(*shown)) == persons


@pytest.mark.parametrize(
    ("names", "persons"),
    [
        (["a wechat 1 @1", "b wechat 2 @1"], set()),
        (["a wechat 1 @1", "b email 2 @1"], AB),
        (["a email 1 @1", "b email 2 @1"], set()),
        (["a email 1 @1", "a wechat 1 @1", "b email 2 @1"], set()),
        (["a wechat 1 @1", "b wechat 2 @1", "b wechat 1 @2"], AB),
        (["a wechat 1 @1", "b wechat 2 @1", "a email 1 @1", "b email 1 @1"], AB),
        (["a wechat 1 @1", "c phone 1 @2", "c wechat 2 @1"], AB),
    ],
)
def test_a_family_shares_a_phone_and_is_no_person(names: list[str], persons: set[frozenset[str]]) -> None:
    """A phone glues no leads whose WeChat ids, or else e-mails, are known to differ; neither by way of a third."""
    assert finally_persons(evidence("a phone 1 @1", "b phone 1 @1", *names)) == persons


def test_a_family_is_told_apart_from_when_it_is_known() -> None:
    """Two leads of one phone are one until the second WeChat id becomes known."""
    shown = evidence("a phone 1 @1", "b phone 1 @2", "a wechat 1 @3", "b wechat 2 @6")
    people = intervals(shown, [], CREATED, RULES)

    assert persons_at(people, 5) == AB
    assert persons_at(people, 6) == set()


def test_a_switchboard_glues_nobody_from_the_lead_that_shows_it_to_be_one() -> None:
    """A contact of one lead too many ends what it glued, from then on; another contact still glues."""
    shown = evidence("a phone 1 @1", "b phone 1 @2", "c phone 1 @3", "d phone 1 @7", "a email 1 @4", "b email 1 @4")
    people = intervals(shown, [], CREATED, RULES)

    assert persons_at(people, 6) == {frozenset("abc")}
    assert persons_at(people, 7) == AB


def test_a_merge_into_too_large_a_person_waits_for_a_reviewer() -> None:
    """It is listed and not applied; a reviewer's word applies it."""
    named = evidence("a wechat 1 @1", "b wechat 1 @1", "c wechat 1 @1", "d email 1 @2", "e email 1 @2")
    shown = [*named, *evidence("c phone 1 @1", "d phone 1 @5")]

    held = intervals(shown, [], CREATED, RULES)
    accepted = intervals(shown, [same("d", "c", 9)], CREATED, RULES)

    assert persons_at(held, LAST) == {frozenset("abc"), frozenset("de")}
    assert held.held == (Held("c", "d", "phone", 5, 5),)
    assert persons_at(accepted, 8) == {frozenset("abc"), frozenset("de")}
    assert persons_at(accepted, 9) == {frozenset("abcde")}
    assert accepted.held == ()


SHARED = evidence("a phone 1 @1", "b phone 1 @1")


@pytest.mark.parametrize(
    ("said", "persons"),
    [
        ([apart("b", None, 3)], set()),
        ([apart("a", "b", 3)], set()),
        ([apart("b", None, 3), same("b", "a", 4)], AB),
        ([apart("b", None, 3), same("c", "b", 4)], {frozenset("abc")}),
        ([apart("a", "b", 3), same("b", "a", 4)], AB),
        ([apart("a", "b", 3), same("b", "c", 4)], {frozenset("bc")}),
        ([same("b", "c", 2), apart("b", None, 3)], set()),
        ([apart("a", "b", 2), same("a", "b", 3), apart("a", None, 4), same("a", "c", 5)], {frozenset("abc")}),
        ([same("b", "c", 2), apart("c", "b", 3)], AB),
        ([same("c", "d", 3)], {frozenset("ab"), frozenset("cd")}),
        ([same("b", "a", 3, seq=7), apart("a", "b", 3, seq=6)], AB),
        ([same("b", "a", 3, seq=6), apart("a", "b", 3, seq=7)], set()),
    ],
)
def test_a_reviewer_has_the_last_word(said: list[Edge], persons: set[frozenset[str]]) -> None:
    """The latest word of a reviewer about two leads, or about one, overrules contacts and earlier words."""
    people = intervals(SHARED, said, CREATED, RULES)

    assert persons_at(people, 1) == AB
    assert persons_at(people, LAST) == persons


def test_a_lead_that_is_not_known_is_counted_and_not_glued() -> None:
    """An erased lead's contact still makes a switchboard, but the lead itself is nobody."""
    shown = evidence("a phone 1 @1", "b phone 1 @1", "y phone 1 @2", "z phone 1 @3")
    people = intervals(shown, [same("a", "z", 5)], CREATED, RULES)

    assert persons_at(people, 2) == AB
    assert persons_at(people, LAST) == set()


@given(WORLDS)
def test_the_past_knew_nothing_of_the_future(world: World) -> None:
    """The persons of a moment are those that follow from what was known by then, and from nothing else."""
    people = world.people()

    then = {moment: persons_at(world.known_at(moment).people(), FOREVER - 1) for moment in range(LAST + 1)}

    assert {moment: persons_at(people, moment) for moment in then} == then


@given(WORLDS, st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_changes_nothing(world: World, random: Random) -> None:
    """Contacts and edges may come in any order, and more than once."""
    shown, said = world.evidence + world.evidence[:3], list(world.edges)
    random.shuffle(shown)
    random.shuffle(said)

    assert World(shown, said).people() == world.people()


@given(WORLDS)
def test_intervals_cover_all_time_and_name_the_oldest(world: World) -> None:
    """A lead's intervals follow one another without gap; at each moment a person has its oldest's name."""
    people = world.people()

    for lead in {each.lead_id for each in people.intervals}:
        own = [each for each in people.intervals if each.lead_id == lead]
        assert (own[0].since, own[-1].until) == (0, FOREVER)
        assert all(one.until == two.since and one.canonical_id != two.canonical_id for one, two in pairwise(own))
    for moment in range(LAST + 1):
        canonical = {i.lead_id: i.canonical_id for i in people.intervals if i.since <= moment < i.until}
        for person in persons_at(people, moment):
            assert {canonical[lead] for lead in person} == {min(person, key=lambda lead: (CREATED[lead], lead))}


@given(WORLDS)
def test_contacts_alone_never_break_a_guard(world: World) -> None:
    """Without a reviewer no person is too large, and who shares only phones has no two WeChat ids."""
    shown = [each for each in world.evidence if each.type in {"phone", "device"}]
    named = [each._replace(hash=each.lead_id) for each in world.evidence if each.type == "wechat"]
    persons = finally_persons(shown + named)

    ids = {each.lead_id for each in named}
    assert all(len(person) <= RULES.people_at_most and len(person & ids) <= 1 for person in persons)
    assert all(len(person) <= RULES.people_at_most for person in finally_persons(world.evidence))


@given(WORLDS)
def test_a_device_changes_nothing(world: World) -> None:
    """What leads share of devices is for review alone."""
    without = World([each for each in world.evidence if each.type != "device"], world.edges)

    assert without.people() == world.people()


@given(WORLDS, st.sampled_from(LEADS), st.sampled_from(LEADS))
def test_an_accepted_merge_can_be_taken_back(world: World, one: str, other: str) -> None:
    """Accepted and split again, two leads that nothing else connects are what they were, and the past stays."""
    contacts = {lead: {(e.type, e.hash) for e in world.evidence if e.lead_id == lead} for lead in (one, other)}
    edges = [edge for edge in world.edges if edge.other_id and {edge.lead_id, edge.other_id} != {one, other}]
    if one == other or contacts[one] & contacts[other]:
        return
    before = World(world.evidence, edges).people()

    accepted = [same(one, other, LAST + 1, 90)]
    after = World(world.evidence, [*edges, *accepted, apart(other, one, LAST + 3, 91)]).people()

    assert {t: persons_at(after, t) for t in range(LAST + 1)} == {t: persons_at(before, t) for t in range(LAST + 1)}
    assert any({one, other} <= person for person in persons_at(after, LAST + 2))
    assert persons_at(after, LAST + 3) == persons_at(before, LAST + 3)


@given(WORLDS, st.sampled_from(LEADS))
def test_a_split_lead_is_alone_and_its_past_stays(world: World, lead: str) -> None:
    """One edge takes a lead out of any person, from then on."""
    before = world.people()

    after = World(world.evidence, [*world.edges, apart(lead, None, LAST + 1, 90)]).people()

    assert {t: persons_at(after, t) for t in range(LAST + 1)} == {t: persons_at(before, t) for t in range(LAST + 1)}
    assert not any(lead in person for person in persons_at(after, LAST + 1))
