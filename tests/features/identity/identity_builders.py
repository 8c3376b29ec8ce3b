"""Small worlds of leads that share contacts, drawn and spelled out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from hypothesis import strategies as st

from features.identity import Edge, Evidence, People, intervals
from leadlight.schema import FOREVER, Micros
from leadlight.settings import Identity

LEADS = "abcdefgh"
CREATED = {lead: index // 2 for index, lead in enumerate(LEADS)}  # pairs came at once: the name decides
RULES = Identity(people_at_most=4, shared_at_most=3)
LAST = 12

Persons = set[frozenset[str]]


class World(NamedTuple):
    evidence: list[Evidence]
    edges: list[Edge]

    def known_at(self, moment: Micros) -> World:
        return World(
            [each for each in self.evidence if each.known_at <= moment],
            [each for each in self.edges if each.arrived_at <= moment],
        )

    def people(self, created: Mapping[str, Micros] = CREATED) -> People:
        return intervals(self.evidence, self.edges, created, RULES)


def evidence(*shown: str) -> list[Evidence]:
    """``"a phone 1 @5"``: lead a showed phone 1, known from 5 on."""
    words = (each.split() for each in shown)
    return [Evidence(lead, kind, digest, int(at.removeprefix("@"))) for lead, kind, digest, at in words]


def same(one: str, other: str, at: Micros, seq: int = 0) -> Edge:
    return _edge(one, other, "same", at, seq)


def apart(one: str, other: str | None, at: Micros, seq: int = 0) -> Edge:
    return _edge(one, other, "apart", at, seq)


def _edge(one: str, other: str | None, verdict: Literal["same", "apart"], at: Micros, seq: int) -> Edge:
    return Edge(one, other, verdict, "review", "", at, seq or at)


def persons_at(people: People, moment: Micros) -> Persons:
    """The persons of more than one lead at a moment."""
    members: dict[str, set[str]] = {}
    for each in people.intervals:
        if each.since <= moment < each.until:
            members.setdefault(each.canonical_id, set()).add(each.lead_id)
    return {frozenset(leads) for leads in members.values() if len(leads) > 1}


def finally_persons(shown: Iterable[Evidence], edges: Iterable[Edge] = ()) -> Persons:
    """The persons when all is known."""
    return persons_at(intervals(shown, edges, CREATED, RULES), FOREVER - 1)


SHOWN = st.builds(
    Evidence,
    st.sampled_from(LEADS),
    st.sampled_from(("phone", "phone", "wechat", "email", "device")),
    st.sampled_from("11234"),  # one contact of many leads is a switchboard's
    st.integers(0, LAST),
)
VERDICTS: tuple[Literal["same", "apart"], ...] = ("same", "apart")
SAID = st.builds(
    _edge, st.sampled_from(LEADS), st.sampled_from(LEADS), st.sampled_from(VERDICTS), st.integers(0, LAST), st.just(0)
).filter(lambda edge: edge.lead_id != edge.other_id) | st.builds(
    apart, st.sampled_from(LEADS), st.none(), st.integers(0, LAST)
)


def _numbered(said: list[Edge]) -> list[Edge]:
    return [replace(edge, seq=seq) for seq, edge in enumerate(said, 1)]


WORLDS = st.builds(World, st.lists(SHOWN, max_size=24), st.lists(SAID, max_size=5).map(_numbered))
