"""What a history is made of: one lead's facts, and the facts of all leads as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

import ibis

from leadlight.schema import Micros

Value = int | float | str | None

MEMBER = "_member"
"""The column that names the lead a person's version came from; no attribute can be called so."""


@dataclass(frozen=True)
class Event:
    """One dated fact; ``until`` is the arrival of its next version, of the same ``event_id`` (``None``: the latest)."""

    event_id: str
    kind: str
    at: Micros
    arrived_at: Micros
    until: Micros | None = None
    amount: int | None = None
    labels: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Version:
    """The attributes of a lead as they stood from ``at``, known from ``arrived_at`` to ``until`` (``None``: still).

    ``member`` is the lead it came from, where a person is several leads: of equal times, the greatest counts.
    """

    at: Micros
    arrived_at: Micros
    values: Mapping[str, Value]
    until: Micros | None = None
    member: str = ""


@dataclass(frozen=True)
class LeadFacts:
    """All that is recorded of one lead, or of one person. It counts from when it was created and known.

    ``known_at`` 0: known as soon as it was created.
    """

    lead_id: str
    created_at: Micros
    channel: str
    contact: str | None = None
    versions: tuple[Version, ...] = ()
    events: tuple[Event, ...] = ()
    known_at: Micros = 0


class Recorded(dict[str, LeadFacts]):
    """What the base has of some leads; ``of_other_leads``: which of (event_id, lead_id) are another lead's there."""

    def __init__(
        self, facts: Mapping[str, LeadFacts], of_other_leads: Callable[[Iterable[tuple[str, str]]], frozenset[str]]
    ) -> None:
        super().__init__(facts)
        self.of_other_leads = of_other_leads


@dataclass(frozen=True)
class Tables:
    """The history as tables. All moments are µs.

    leads: ``lead_id``, ``created_at``, ``known_at`` (when we first heard of it), ``channel`` (as we first heard it),
    ``contact`` (masked): one row a lead. It counts from ``created_at < as_of`` and ``known_at <= as_of``.
    attributes: ``lead_id``, ``at``, ``arrived_at``, ``until``, ``channel`` and every attribute (text or float): one row
    a version; ``until`` is the arrival of the next version of the same ``at`` (null: none).
    events: ``lead_id``, ``at``, ``event_id``, ``arrived_at``, ``until``, ``kind``, ``amount`` and every label.
    contacts: ``hash``, ``type``, ``lead_id``, ``known_at``: which lead showed which contact, hashed, since when.
    identity: ``lead_id``, ``since``, ``until``, ``canonical_id``: who a lead is; only of leads that were ever merged,
    whose rows cover all time from 0.
    """

    leads: ibis.Table
    attributes: ibis.Table
    events: ibis.Table
    contacts: ibis.Table
    identity: ibis.Table


TABLES = tuple(field.name for field in fields(Tables))
