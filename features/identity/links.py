"""The links between leads: which contacts two leads share, from when until when, and which leads that connects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from features.identity.evidence import GLUES, Edge, Evidence
from leadlight.schema import FOREVER, Micros

Lead = tuple[Micros, str]
"""A lead as persons order it: the oldest first, by ``created_at`` and then ``lead_id``."""
Holders = dict[str, Micros]
"""The leads that showed a contact, each with the moment from which that is known."""


class Link(NamedTuple):
    """Two leads share a contact of type ``GLUES[rank]`` at ``since <= t < until``; links apply in their own order."""

    rank: int
    since: Micros
    one: Lead
    other: Lead
    until: Micros


@dataclass
class Group:
    """Leads that were ever linked, by a contact or a reviewer: what happens to one is decided within its group."""

    links: list[Link] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    names: dict[str, list[Evidence]] = field(default_factory=dict)
    """The WeChat ids and e-mails of each lead, which tell a family's members apart."""


def groups(
    evidence: Iterable[Evidence], edges: Iterable[Edge], created: Mapping[str, Micros], shared_at_most: int
) -> list[Group]:
    """The groups of more than one lead, their links and edges in the order in which they apply."""
    holders = holders_of(evidence)
    links = [link for (kind, _), shown in holders.items() for link in _links_of(kind, shown, created, shared_at_most)]
    said = [edge for edge in edges if edge.lead_id in created and edge.other_id != edge.lead_id]
    root_of = _connected(links, said, created)
    found: dict[str, Group] = defaultdict(Group)
    for link in sorted(links):
        found[root_of[link.one[1]]].links.append(link)
    for edge in sorted(said, key=lambda edge: (edge.arrived_at, edge.seq)):
        if edge.lead_id in root_of:
            found[root_of[edge.lead_id]].edges.append(edge)
    _name(found, root_of, holders)
    return list(found.values())


def holders_of(evidence: Iterable[Evidence]) -> dict[tuple[str, str], Holders]:
    """Who showed each contact (type, hash) that can glue, and since when that is known."""
    holders: dict[tuple[str, str], Holders] = defaultdict(dict)
    for lead_id, kind, digest, known_at in evidence:
        if kind in GLUES:
            shown = holders[kind, digest]
            shown[lead_id] = min(known_at, shown.get(lead_id, known_at))
    return holders


def switchboard_from(shown: Holders, shared_at_most: int) -> Micros:
    """The moment from which a contact is that of too many leads to glue any of them."""
    return sorted(shown.values())[shared_at_most] if len(shown) > shared_at_most else FOREVER


def _links_of(kind: str, shown: Holders, created: Mapping[str, Micros], shared_at_most: int) -> Iterable[Link]:
    if len(shown) == 1:
        return
    until = switchboard_from(shown, shared_at_most)
    early = sorted((created[lead], lead) for lead, known_at in shown.items() if known_at < until and lead in created)
    for one, other in combinations(early, 2):
        yield Link(GLUES.index(kind), max(shown[one[1]], shown[other[1]]), one, other, until)


def _connected(links: Sequence[Link], edges: Sequence[Edge], created: Mapping[str, Micros]) -> dict[str, str]:
    """Each linked lead and the one that stands for its group."""
    pairs = [(link.one[1], link.other[1]) for link in links]
    pairs += [(e.lead_id, e.other_id) for e in edges if e.verdict == "same" and e.other_id in created and e.other_id]
    parent: dict[str, str] = {}

    def root(lead: str) -> str:
        parent.setdefault(lead, lead)
        while parent[lead] != lead:
            parent[lead] = lead = parent[parent[lead]]
        return lead

    for one, other in pairs:
        parent[root(one)] = root(other)
    return {lead: root(lead) for lead in parent}


def _name(found: Mapping[str, Group], root_of: Mapping[str, str], holders: Mapping[tuple[str, str], Holders]) -> None:
    for (kind, digest), shown in holders.items():
        if kind == "phone":
            continue
        for lead, known_at in shown.items():
            if lead in root_of:
                found[root_of[lead]].names.setdefault(lead, []).append(Evidence(lead, kind, digest, known_at))
