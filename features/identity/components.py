"""Which leads are one person, at each moment: pure, from hashed contacts and reviewers' edges. Knows no store.

What was known at a moment decides for that moment, in this order: a reviewer's *same*; then an equal WeChat id, e-mail
and phone, of each type the longest known first. A contact of too many leads is a switchboard's and from then on glues
nobody. A phone glues no two persons whose WeChat ids (where one has none: whose e-mails) are known to differ: a family.
Contacts make no person of too many leads: such a merge is held until a reviewer says *same*, and what a reviewer joined
does not count towards it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from features.identity.evidence import GLUES, Edge, Evidence, Held, Interval, People
from features.identity.links import Group, Lead, Link, groups
from leadlight.schema import FOREVER, Micros
from leadlight.settings import Identity

Pair = frozenset[str]
PHONE = GLUES.index("phone")


def intervals(
    evidence: Iterable[Evidence], edges: Iterable[Edge], created: Mapping[str, Micros], rules: Identity
) -> People:
    """Who was who at each moment; the same for any order of the input.

    A lead that is not in ``created`` still counts among those that share a contact, but is glued to nobody. Evidence of
    leads that share nothing may be left out; all that a sharing lead showed must be there.
    """
    found: list[Interval] = []
    held: list[Held] = []
    for group in groups(evidence, edges, created, rules.shared_at_most):
        history, waiting = _replayed(group, created, rules.people_at_most)
        found += history
        held += waiting
    return People(tuple(sorted(found, key=_by_lead_and_time)), tuple(sorted(held)))


def _by_lead_and_time(interval: Interval) -> tuple[str, Micros]:
    return interval.lead_id, interval.since


def _replayed(group: Group, created: Mapping[str, Micros], people_at_most: int) -> tuple[list[Interval], list[Held]]:
    """The group's persons at each moment at which anything about them became known."""
    verdicts, edges = Verdicts(), iter(group.edges)
    changes: dict[str, list[tuple[Micros, str]]] = {}
    persons = _Persons({}, people_at_most)
    coming = next(edges, None)
    for moment in _moments(group):
        while coming is not None and coming.arrived_at <= moment:
            verdicts.hear(coming)
            coming = next(edges, None)
        persons = _persons_at(moment, group, verdicts, created, people_at_most)
        canonical = persons.canonical()
        for lead in changes.keys() | canonical.keys():
            since = changes.setdefault(lead, [(0, lead)])
            if since[-1][1] != canonical.get(lead, lead):
                since.append((moment, canonical.get(lead, lead)))
    return [interval for lead, since in changes.items() for interval in _partition(lead, since)], persons.held()


def _moments(group: Group) -> list[Micros]:
    moments = {edge.arrived_at for edge in group.edges}
    moments.update(link.since for link in group.links)
    moments.update(link.until for link in group.links if link.until < FOREVER)
    if any(link.rank == PHONE for link in group.links):
        first = min(link.since for link in group.links if link.rank == PHONE)
        moments.update(e.known_at for shown in group.names.values() for e in shown if e.known_at > first)
    return sorted(moments)


def _partition(lead: str, since: list[tuple[Micros, str]]) -> list[Interval]:
    ends = [moment for moment, _ in since[1:]] + [FOREVER]
    return [
        Interval(lead, canonical, moment, end)
        for (moment, canonical), end in zip(since, ends, strict=True)
        if moment < end
    ]


class Verdicts:
    """What reviewers have said so far that still holds."""

    def __init__(self) -> None:
        self.same: set[Pair] = set()
        self.apart: set[Pair] = set()
        self.alone: set[str] = set()

    def hear(self, edge: Edge) -> None:
        if edge.other_id is None:
            if edge.verdict == "apart":
                self.alone.add(edge.lead_id)
                self.same = {pair for pair in self.same if edge.lead_id not in pair}
            return
        pair = frozenset((edge.lead_id, edge.other_id))
        if edge.verdict == "apart":
            self.same.discard(pair)
            self.apart.add(pair)
        else:
            self.same.add(pair)
            self.apart.discard(pair)
            self.alone -= pair

    def allow(self, one: str, other: str) -> bool:
        """Whether a contact may glue the two."""
        return one not in self.alone and other not in self.alone and (not self.apart or {one, other} not in self.apart)


def _persons_at(
    moment: Micros, group: Group, verdicts: Verdicts, created: Mapping[str, Micros], people_at_most: int
) -> _Persons:
    names = {lead: [e for e in shown if e.known_at <= moment] for lead, shown in group.names.items()}
    persons = _Persons(names, people_at_most)
    for one, other in verdicts.same:
        if one in created and other in created:
            persons.join((created[one], one), (created[other], other))
    for link in group.links:
        if link.since <= moment < link.until and verdicts.allow(link.one[1], link.other[1]):
            persons.glue(link)
    return persons


@dataclass
class Person:
    leads: list[Lead]
    wechat: set[str] = field(default_factory=set)
    email: set[str] = field(default_factory=set)

    def differs(self, other: Person) -> bool:
        """Whether the two are known to be two: by WeChat ids, or where either has none by e-mails."""
        if self.wechat and other.wechat:
            return self.wechat.isdisjoint(other.wechat)
        return bool(self.email and other.email) and self.email.isdisjoint(other.email)

    def take(self, other: Person) -> None:
        self.leads += other.leads
        self.wechat |= other.wechat
        self.email |= other.email


class _Persons:
    """The persons of one moment while leads are joined to them."""

    def __init__(self, names: Mapping[str, list[Evidence]], people_at_most: int) -> None:
        self._names = names
        self._at_most = people_at_most
        self._of: dict[str, Person] = {}
        self._glued: dict[str, tuple[str, ...]] = {}
        self._held: list[Link] = []

    def glue(self, link: Link) -> None:
        """Apply a link by contact, as far as the guards let it."""
        one, other = (self._glued.get(lead_id) or (lead_id,) for _, lead_id in (link.one, link.other))
        if one is other or (link.rank == PHONE and self._person(link.one).differs(self._person(link.other))):
            return
        if len(one) + len(other) > self._at_most:
            self._held.append(link)
        else:
            self._glued.update(dict.fromkeys((*one, *other), (*one, *other)))
            self.join(link.one, link.other)

    def join(self, one: Lead, other: Lead) -> None:
        kept, gone = sorted((self._person(one), self._person(other)), key=lambda person: -len(person.leads))
        if kept is not gone:
            kept.take(gone)
            self._of.update((lead_id, kept) for _, lead_id in gone.leads)

    def canonical(self) -> dict[str, str]:
        """The oldest lead of each lead's person, for persons of more than one lead."""
        oldest = {id(person): min(person.leads)[1] for person in self._of.values() if len(person.leads) > 1}
        return {lead: oldest[id(person)] for lead, person in self._of.items() if id(person) in oldest}

    def held(self) -> list[Held]:
        """The merges that the size of a person held back: one for each two persons, by the first link that asked."""
        first: dict[frozenset[int], Held] = {}
        for link in self._held:
            one, other = self._person(link.one), self._person(link.other)
            if one is other:
                continue
            leads = len(one.leads) + len(other.leads)
            waiting = Held(link.one[1], link.other[1], GLUES[link.rank], link.since, leads)
            first.setdefault(frozenset((id(one), id(other))), waiting)
        return list(first.values())

    def _person(self, lead: Lead) -> Person:
        if lead[1] not in self._of:
            names = self._names.get(lead[1], ())
            self._of[lead[1]] = Person(
                [lead],
                wechat={e.hash for e in names if e.type == "wechat"},
                email={e.hash for e in names if e.type == "email"},
            )
        return self._of[lead[1]]
