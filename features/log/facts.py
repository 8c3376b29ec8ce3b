"""What the live log is told and tells: new facts, what became of them, and what it holds of a lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from features.facts import Event, LeadFacts, Value, Version
from leadlight.schema import Micros
from leadlight.settings import SiteError

Result = Literal["added", "unchanged", "corrected"]
"""What a fact did to the log: a further fact, nothing, or a new version of one that was known."""


@dataclass(frozen=True)
class NewEvent:
    """One dated fact about a lead; the same ``event_id`` again says what it now is. A missing label is unknown."""

    event_id: str
    lead_id: str
    kind: str
    at: Micros
    amount: int | None
    labels: Mapping[str, str | None]


@dataclass(frozen=True)
class NewVersion:
    """A lead, as it stands from ``at``: of no given moment, from its arrival, or from its creation if it is new.

    ``created_at`` of a new lead is its arrival if it is not given. ``contact`` is masked. ``hashes`` are the (type,
    keyed hash) of its contacts; they add to those known.
    """

    lead_id: str
    created_at: Micros | None
    channel: str
    contact: str | None
    at: Micros | None
    attributes: Mapping[str, Value]
    hashes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NewEdge:
    """Two leads are the same person, or are not; apart from ``None`` is apart from everybody."""

    lead_id: str
    other_id: str | None
    verdict: Literal["same", "apart"]
    source: str
    evidence: str


NewFact = NewEvent | NewVersion | NewEdge


def happened(fact: NewFact) -> Micros:
    """The latest moment that a fact speaks of; where facts tell the time it arrives no earlier."""
    match fact:
        case NewEvent():
            return fact.at
        case NewVersion():
            return max(fact.at or 0, fact.created_at or 0)
        case NewEdge():
            return 0


@dataclass(frozen=True)
class Appended:
    """What became of each fact, in their order, the log's sequence after them, and when they arrived."""

    results: tuple[Result, ...]
    seq: int
    arrived_at: Micros


class Refused(SiteError):  # noqa: N818 -- a verdict on facts, as in Appended; SiteError says what it is to a caller
    """Facts the log cannot take, and none of their batch was taken: ``by_fact`` has (index, what is wrong with it)."""

    def __init__(self, by_fact: Sequence[tuple[int, str]]) -> None:
        self.by_fact = tuple(by_fact)
        super().__init__([f"facts[{index}]: {fault}" for index, fault in by_fact])


@dataclass(frozen=True)
class Logged:
    """What the log holds of one lead.

    ``created_at`` and ``channel`` are as first heard, ``contact`` as the newest version shows it, ``hashes`` are (type,
    hash, known from): ``None`` and empty where the rows that were read have no version. The values of a version are
    its channel and its known attributes; the labels of an event are the known ones.
    """

    lead_id: str
    versions: tuple[Version, ...] = ()
    events: tuple[Event, ...] = ()
    hashes: tuple[tuple[str, str, Micros], ...] = ()
    created_at: Micros | None = None
    channel: str | None = None
    contact: str | None = None

    def alone(self) -> LeadFacts | None:
        """The lead's facts where nothing but the log knows it; ``None`` if the log has no version of it."""
        if self.created_at is None or self.channel is None:
            return None
        return LeadFacts(
            self.lead_id,
            self.created_at,
            self.channel,
            self.contact,
            self.versions,
            self.events,
            known_at=min(version.arrived_at for version in self.versions),
        )
