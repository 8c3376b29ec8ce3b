"""A site's whole past at this moment: the base that a build left, and the live facts that came since.

Reading is safe from several threads; ``news`` and ``reached`` are for one at a time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import ibis
import pyarrow as pa

from features.duck import connected
from features.facts import Event, LeadFacts, Recorded, Tables, Version
from features.history import History
from features.identity import IDENTITY, Edge, Evidence, intervals, neighbourhood
from features.live import Live, with_live
from features.log import Log, Logged, lead_hash
from features.people import person
from leadlight.schema import FOREVER, Micros
from leadlight.settings import Identity, Site

Fact = TypeVar("Fact", Event, Version)

_KEPT = 50_000
"""Leads whose facts in the base are kept in memory: it never changes."""


_HASH_LENGTH = 64
"""Of a name that is a lead's hash: the log says so of leads that were erased."""


class Past:
    """The base and, where the site has one, the log; ``newest_fact`` is the latest arrival in either."""

    def __init__(self, base: History, log: Log | None, rules: Identity) -> None:
        self.base = base
        self.newest_fact = base.summary.newest_fact
        self.identity = base.identity
        self._log = log
        self._rules = rules
        self._checkpoint = self._head = base.summary.log_seq
        self._changed: dict[str, int] = {}
        self._erased: set[str] = set()
        self._read: dict[str, LeadFacts | None] = {}

    def now(self, site: Site, *, wall: Micros) -> Micros:
        """What *now* means for ``site``: ``wall``, or just after the newest fact, so that this fact counts."""
        return wall if site.clock.at == "wall" else self.newest_fact + 1

    def behind(self) -> bool:
        """Whether the log has facts that were not read yet; costs one look at its head."""
        return self._log is not None and self._log.head() != self._head

    def news(self, known: Iterable[str]) -> tuple[int, frozenset[str]]:
        """The log's head, and the leads and persons whose facts may be others than at the last.

        Their stored rows are exact no more. ``known`` are the leads that whoever asks has heard of: the log names
        those that were erased by their hashes alone.
        """
        if self._log is None:
            return self._head, frozenset()
        after = self._head
        head, changed = self._log.changed(after)
        if head == after:
            return head, frozenset()
        self.newest_fact = max(self.newest_fact, self._log.newest() or 0)
        changed |= self._forget(changed, known)
        self._changed |= dict.fromkeys(changed, head)
        persons = changed | self._persons(changed) | self._regroup(self._log.linked(after))
        self._changed |= dict.fromkeys(persons, head)
        return head, persons

    def reached(self, head: int) -> None:
        """Nobody needs to look at the log up to ``head`` again."""
        self._head = head

    def person_of(self, lead_id: str, as_of: Micros = FOREVER - 1) -> str:
        """The canonical lead of the person that this lead is at ``as_of``, by what was known then."""
        return self.identity.canonical(lead_id, as_of)

    def facts(self, lead_ids: Iterable[str]) -> dict[str, LeadFacts]:
        """All facts of the person that each of these leads stands for, dated as ``History.facts`` has them."""
        wanted = list(dict.fromkeys(lead_ids))
        identity = self.identity
        members = {lead_id: identity.ever(lead_id) for lead_id in wanted}
        recorded = self.records({*wanted}.union(*members.values()))
        return {
            lead_id: person(lead_id, recorded, identity) if lead_id in identity else recorded[lead_id]
            for lead_id in wanted
            if lead_id in recorded
        }

    def records(self, lead_ids: Iterable[str]) -> dict[str, LeadFacts]:
        """All facts of each of these leads as they were recorded, whoever it is."""
        wanted = [lead_id for lead_id in lead_ids if lead_id not in self._erased]
        live = [lead_id for lead_id in wanted if lead_id in self._changed]
        logged = self._log.facts(live, after=self._checkpoint) if self._log and live else {}
        base = self.recorded(wanted)
        found = {lead_id: joined(base.get(lead_id), logged.get(lead_id)) for lead_id in wanted}
        return {lead_id: facts for lead_id, facts in found.items() if facts is not None}

    def recorded(self, lead_ids: Iterable[str]) -> Recorded:
        """What the base has of each of these leads, if anything, and whose its other events are."""
        wanted = list(lead_ids)
        if len(self._read) > _KEPT:
            self._read = {}
        kept = self._read
        unread = [lead_id for lead_id in wanted if lead_id not in kept]
        if unread:
            kept.update({**dict.fromkeys(unread), **self.base.records(unread)})
        found = {lead_id: facts for lead_id in wanted if (facts := kept.get(lead_id)) is not None}
        return Recorded(found, self.base.of_other_leads)

    def erased(self, lead_ids: Iterable[str]) -> frozenset[str]:
        """Which of these leads the log says were erased, at this very moment."""
        return self._log.erased(lead_ids) if self._log else frozenset()

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """The history's tables as recorded, with all live facts read so far, over a connection that ends with them."""
        if self._log is None or self._head == self._checkpoint:
            with self.base.reading() as tables:
                yield tables
            return
        with connected() as connection:
            tail = self._log.tail(after=self._checkpoint, through=self._head)
            tables = with_live(self.base.tables(connection), Live.read(tail, connection, None))
            identity = pa.Table.from_pylist([stay._asdict() for stay in self.identity.intervals()], IDENTITY)
            yield replace(tables, identity=ibis.memtable(identity))

    def row_seq(self) -> int:
        """What a row says that was evaluated from all facts read so far."""
        return self.base.summary.row_seq(self._head)

    def is_exact(self, lead_id: str, row_seq: int) -> bool:
        """Whether a row of this lead was evaluated from this base and from all that came since."""
        return self.base.summary.reads(row_seq, self._changed.get(lead_id, 0))

    def _persons(self, lead_ids: Iterable[str]) -> frozenset[str]:
        """The persons that any of these leads ever was."""
        return frozenset(stay.canonical_id for lead_id in lead_ids for stay in self.identity.of(lead_id))

    def _forget(self, changed: frozenset[str], known: Iterable[str]) -> frozenset[str]:
        """Hear of the leads that were erased, and who was one person with them; which leads these are."""
        hashes = {name for name in changed if len(name) == _HASH_LENGTH}
        gone = {lead_id for lead_id in known if lead_hash(lead_id) in hashes} if hashes else set()
        if not gone:
            return frozenset()
        self._erased |= gone
        persons = self._persons(gone)
        self.identity = self.identity.without(gone)
        return frozenset(gone) | persons

    def _regroup(self, lead_ids: frozenset[str]) -> frozenset[str]:
        """Work out anew who is who among these leads and all connected with them; whom that was and is about."""
        if not lead_ids:
            return frozenset()
        near = neighbourhood(
            lead_ids,
            self._rules,
            leads_with=self._leads_with,
            hashes_of=self._hashes_of,
            edges_of=self._edges_of,
        )
        created = {lead_id: facts.created_at for lead_id, facts in self.records(near.leads).items()}
        found = intervals(near.evidence, near.edges, created, self._rules).intervals
        before = self._persons(near.leads)
        self.identity = self.identity.replaced(near.leads, found)
        return near.leads | before | self._persons(near.leads)

    def _leads_with(self, contacts: Sequence[tuple[str, str]]) -> Iterator[Evidence]:
        hashes = [each for _, each in contacts]
        yield from self._of_known(self.base.contacts_like(hashes))
        yield from self._log.contacts_like(hashes) if self._log else ()

    def _hashes_of(self, lead_ids: Sequence[str]) -> Iterator[Evidence]:
        yield from self._of_known(self.base.contacts_of(lead_ids))
        yield from self._log.contacts_of(lead_ids) if self._log else ()

    def _of_known(self, evidence: Iterable[Evidence]) -> Iterator[Evidence]:
        return (each for each in evidence if each.lead_id not in self._erased)

    def _edges_of(self, lead_ids: Sequence[str]) -> Iterable[Edge]:
        return self._log.edges_of(lead_ids) if self._log else ()


def joined(recorded: LeadFacts | None, logged: Logged | None) -> LeadFacts | None:
    """One lead's facts in the base and in the log as one past: each version is known until the next of it arrived."""
    if recorded is None or logged is None:
        return recorded if logged is None else logged.alone()
    return replace(
        recorded,
        contact=logged.contact or recorded.contact,
        versions=tuple(_superseded((*recorded.versions, *logged.versions), operator.attrgetter("at"))),
        events=tuple(_superseded((*recorded.events, *logged.events), operator.attrgetter("event_id"))),
    )


def _superseded(facts: Iterable[Fact], one: Callable[[Fact], Any]) -> Iterator[Fact]:
    """The versions of each ``one`` fact in the order of their arrival, each known until the next arrived."""
    ordered = sorted(facts, key=lambda fact: (one(fact), fact.arrived_at))
    for place, fact in enumerate(ordered, start=1):
        following = ordered[place] if place < len(ordered) and one(ordered[place]) == one(fact) else None
        yield fact if following is None else replace(fact, until=following.arrived_at)
