"""Facts for the log's tests, short to write."""

from __future__ import annotations

from collections.abc import Mapping

from features.facts import Value
from features.log import NewEvent, NewVersion
from leadlight.schema import Micros

CREATED = 1_000


def a_version(
    lead_id: str = "ana",
    *,
    at: Micros = CREATED,
    channel: str = "ads",
    contact: str | None = None,
    hashes: tuple[tuple[str, str], ...] = (),
    **attributes: Value,
) -> NewVersion:
    return NewVersion(lead_id, CREATED, channel, contact, at, attributes, hashes)


def an_event(
    event_id: str = "e1",
    lead_id: str = "ana",
    *,
    kind: str = "visit",
    at: Micros = 2_000,
    amount: int | None = None,
    labels: Mapping[str, str | None] | None = None,
) -> NewEvent:
    return NewEvent(event_id, lead_id, kind, at, amount, labels or {})
