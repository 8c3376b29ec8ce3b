"""What is known before a batch of new facts is judged: of the leads and events it names, from the base and the log."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from features.facts import LeadFacts, Recorded, Value
from features.log.facts import NewEdge, NewEvent, NewFact, NewVersion
from features.log.reading import ERASED
from leadlight.database import Row, lead_hash, listed, spoken
from leadlight.schema import CHANNEL, Micros

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class KnownEvent:
    """The newest version of an event; ``labels`` are the known ones."""

    lead_id: str
    kind: str
    at: Micros
    amount: int | None
    labels: Mapping[str, str]
    arrived_at: Micros


@dataclass(frozen=True)
class KnownVersion:
    """What is known of a lead as it stood from one moment; ``values`` are its channel and its known attributes."""

    values: Mapping[str, Value]
    contact: str | None
    arrived_at: Micros


@dataclass(frozen=True)
class KnownEdge:
    """What somebody said of two leads, or of one and all others."""

    edge: NewEdge
    arrived_at: Micros

    def concerns(self, edge: NewEdge) -> bool:
        """Whether it decides about what ``edge`` says: of the same two, or one of the two apart from everybody."""
        own = {self.edge.lead_id, self.edge.other_id}
        named = {edge.lead_id, edge.other_id}
        return own == named or (None in own and own - {None} <= named) or (None in named and named - {None} <= own)

    def says(self, edge: NewEdge) -> bool:
        """Whether it is the same word, whichever of the two leads is named first."""
        named = {self.edge.lead_id, self.edge.other_id} == {edge.lead_id, edge.other_id}
        return named and replace(self.edge, lead_id=edge.lead_id, other_id=edge.other_id) == edge


@dataclass
class Known:
    """What is known; it grows as the facts of a batch are judged, each against those before it."""

    created: dict[str, Micros] = field(default_factory=dict)
    versions: dict[tuple[str, Micros], KnownVersion] = field(default_factory=dict)
    events: dict[str, KnownEvent] = field(default_factory=dict)
    hashes: set[Row] = field(default_factory=set)
    edges: list[KnownEdge] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    of_others: frozenset[str] = frozenset()
    """Ids of events that the base has of other leads than they come for."""

    def learn_version(self, lead_id: str, at: Micros, version: KnownVersion) -> None:
        """Of the versions of one moment, the last to arrive counts."""
        known = self.versions.get((lead_id, at))
        if known is None or known.arrived_at <= version.arrived_at:
            self.versions[lead_id, at] = version

    def learn_event(self, event_id: str, event: KnownEvent) -> None:
        """Of the versions of one event, the last to arrive counts."""
        known = self.events.get(event_id)
        if known is None or known.arrived_at <= event.arrived_at:
            self.events[event_id] = event


def leads_named(facts: Iterable[NewFact]) -> list[str]:
    """Every lead that a fact names."""
    named = {fact.lead_id: None for fact in facts}
    named |= {fact.other_id: None for fact in facts if isinstance(fact, NewEdge) and fact.other_id is not None}
    return list(named)


def known_of(facts: Sequence[NewFact], base: Mapping[str, LeadFacts], connection: Connection) -> Known:
    """What base and log know of the leads and events in ``facts``, in as many statements for one fact as for many."""
    known = Known()
    leads = leads_named(facts)
    events = [fact.event_id for fact in facts if isinstance(fact, NewEvent)]
    versioned = [fact.lead_id for fact in facts if isinstance(fact, NewVersion)]
    linked = leads_named(fact for fact in facts if isinstance(fact, NewEdge))
    _learn_base(known, base, leads, frozenset(events))
    if isinstance(base, Recorded):
        known.of_others = base.of_other_leads((e.event_id, e.lead_id) for e in facts if isinstance(e, NewEvent))
    hashes = {lead_hash(lead_id): lead_id for lead_id in leads}
    known.erased.update(hashes[gone] for (gone,) in _rows(connection, ERASED, list(hashes)))
    known.created.update(_rows(connection, _CREATED, leads))
    for lead_id, at, channel, contact, arrived_at, attributes in _rows(connection, _VERSIONS, versioned):
        values = {CHANNEL: channel, **json.loads(attributes)}
        known.learn_version(lead_id, at, KnownVersion(values, contact, arrived_at))
    for event_id, lead_id, kind, at, amount, labels, arrived_at in _rows(connection, _EVENTS, events):
        known.learn_event(event_id, KnownEvent(lead_id, kind, at, amount, json.loads(labels), arrived_at))
    known.hashes.update(_rows(connection, _HASHES, versioned))
    for lead_id, other_id, verdict, source, evidence, arrived_at in _rows(connection, _EDGES, linked, linked):
        known.edges.append(KnownEdge(NewEdge(lead_id, other_id, verdict, source, evidence), arrived_at))
    return known


def present(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that are known: a missing one and one that is absent are the same."""
    return {name: value for name, value in values.items() if value is not None}


def known_labels(labels: Mapping[str, str | None] | None) -> dict[str, str]:
    """The labels that are known."""
    return {name: label for name, label in (labels or {}).items() if label is not None}


_CREATED = "SELECT lead_id, created_at FROM lead_versions WHERE lead_id AMONG ? ORDER BY seq DESC"
_VERSIONS = """SELECT lead_id, at, channel, contact, arrived_at, attributes FROM lead_versions
WHERE lead_id AMONG ? ORDER BY seq"""
_EVENTS = """SELECT event_id, lead_id, kind, at, amount, labels, arrived_at FROM events
WHERE event_id AMONG ? ORDER BY seq"""
_HASHES = "SELECT lead_id, type, hash FROM contacts WHERE lead_id AMONG ?"
_EDGES = """SELECT lead_id, other_id, verdict, source, evidence, arrived_at FROM edges
WHERE lead_id AMONG ? OR other_id AMONG ? ORDER BY seq"""


def _rows(connection: Connection, sql: str, *lists: list[str]) -> list[Row]:
    if not lists[0]:
        return []
    values = tuple(listed(texts, connection.engine) for texts in lists)
    return [tuple(row) for row in connection.exec_driver_sql(spoken(sql, connection.engine), values)]


def _learn_base(known: Known, base: Mapping[str, LeadFacts], leads: Iterable[str], events: Collection[str]) -> None:
    for lead_id in leads:
        recorded = base.get(lead_id)
        if recorded is None:
            continue
        known.created[lead_id] = recorded.created_at
        for version in recorded.versions:
            learnt = KnownVersion(present(version.values), recorded.contact, version.arrived_at)
            known.learn_version(lead_id, version.at, learnt)
        for event in recorded.events:
            if event.event_id in events:
                labels = known_labels(event.labels)
                learnt_event = KnownEvent(lead_id, event.kind, event.at, event.amount, labels, event.arrived_at)
                known.learn_event(event.event_id, learnt_event)
