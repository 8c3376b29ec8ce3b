"""The few leads that can matter to a lead's identity, so that one new fact need not look at all the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from features.identity.evidence import GLUES, Edge, Evidence
from features.identity.links import Holders, holders_of, switchboard_from
from leadlight.settings import Identity

Contact = tuple[str, str]
"""The type and the hash of a contact."""


@dataclass(frozen=True)
class Neighbourhood:
    """What ``intervals`` needs to say of ``leads`` the same that it would say knowing everything.

    evidence: all that these leads showed, and who else showed it (those count, though nothing is said of them).
    edges: all that reviewers said of these leads.
    """

    leads: frozenset[str]
    evidence: tuple[Evidence, ...]
    edges: tuple[Edge, ...]


def neighbourhood(
    lead_ids: Iterable[str],
    rules: Identity,
    *,
    leads_with: Callable[[Sequence[Contact]], Iterable[Evidence]],
    hashes_of: Callable[[Sequence[str]], Iterable[Evidence]],
    edges_of: Callable[[Sequence[str]], Iterable[Edge]],
) -> Neighbourhood:
    """Everything connected with these leads, by a contact that glues or once glued, or by a reviewer's *same*.

    After a new fact, start from every lead that it names: the leads found are all those whose identity it can change.
    ``leads_with`` gives every lead that showed one of these contacts, ``hashes_of`` every contact that one of these
    leads showed, ``edges_of`` every edge that names one of these leads on either side; each is asked once a step, about
    what it was not asked before.
    """
    leads: set[str] = set()
    asked: set[Contact] = set()
    evidence: set[Evidence] = set()
    edges: set[Edge] = set()
    coming = set(lead_ids)
    while coming:
        leads |= coming
        shown = set(hashes_of(sorted(coming)))
        said = set(edges_of(sorted(coming)))
        contacts = {(e.type, e.hash) for e in shown if e.type in GLUES} - asked
        asked |= contacts
        sharing = set(leads_with(sorted(contacts))) if contacts else set()
        evidence |= shown | sharing
        edges |= said
        met = {lead for each in holders_of(sharing).values() for lead in _met(each, rules.shared_at_most)}
        coming = (met | _named_same(said)) - leads
    return Neighbourhood(frozenset(leads), tuple(sorted(evidence)), tuple(sorted(edges, key=lambda edge: edge.seq)))


def _met(shown: Holders, shared_at_most: int) -> AbstractSet[str]:
    """The leads that a contact glues or once glued, and the one by which it became a switchboard's."""
    if len(shown) <= shared_at_most + 1:
        return shown.keys()
    until = switchboard_from(shown, shared_at_most)
    return {lead for lead, known_at in shown.items() if known_at < until}


def _named_same(edges: Iterable[Edge]) -> set[str]:
    pairs = ((e.lead_id, e.other_id) for e in edges if e.verdict == "same")
    return {lead for pair in pairs for lead in pair if lead is not None}
