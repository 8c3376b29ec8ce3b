"""A lead as it is shown: what is known of it, and its score."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AwareDatetime

from serving.schemas import Score


@dataclass(frozen=True, slots=True)
class Fact:
    """One known event of a lead."""

    event_id: str
    kind: str
    at: AwareDatetime
    arrived_at: AwareDatetime
    amount: int | None
    labels: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class LeadAnswer:
    """What was known of a lead at the score's `as_of`, newest event first, and its score. The contact is masked."""

    lead_id: str
    created_at: AwareDatetime
    channel: str
    contact: str | None
    attributes: dict[str, int | float | str | None]
    events: tuple[Fact, ...]
    score: Score
