"""How the log is read: its head, what changed, and all it holds of a few leads or of a stretch of the sequence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from features.facts import Event, Version
from features.log.facts import Logged
from leadlight.database import Row
from leadlight.schema import CHANNEL, Micros

_VERSION, _EVENT, _CONTACT = 0, 1, 2

HEAD: Final = "SELECT seq FROM head"
BURIED: Final = "SELECT lead_hash FROM tombstones WHERE seq > ?"
ERASED: Final = "SELECT lead_hash FROM tombstones WHERE lead_hash AMONG ?"

NEWEST: Final = """
SELECT arrived_at FROM (SELECT arrived_at FROM events ORDER BY seq DESC LIMIT 1) AS event
UNION ALL SELECT arrived_at FROM (SELECT arrived_at FROM lead_versions ORDER BY seq DESC LIMIT 1) AS version
UNION ALL SELECT arrived_at FROM (SELECT arrived_at FROM edges ORDER BY seq DESC LIMIT 1) AS edge
"""

CHANGED: Final = """
SELECT lead_id FROM lead_versions WHERE seq > ? AND seq <= ?
UNION SELECT lead_id FROM events WHERE seq > ? AND seq <= ?
UNION SELECT lead_id FROM contacts WHERE seq > ? AND seq <= ?
UNION SELECT lead_id FROM edges WHERE seq > ? AND seq <= ?
UNION SELECT other_id FROM edges WHERE seq > ? AND seq <= ? AND other_id IS NOT NULL
UNION SELECT lead_hash FROM tombstones WHERE seq > ? AND seq <= ?
"""
CHANGED_PARTS: Final = CHANGED.count("AND seq <=")

# One statement, so that all of a lead is of one moment. The sign before seq keeps to the index of the leads.
FACTS: Final = """
SELECT lead_id, seq, 0, at, arrived_at, created_at, channel, contact, attributes
FROM lead_versions WHERE lead_id AMONG ? AND +seq > ?
UNION ALL SELECT lead_id, seq, 1, at, arrived_at, amount, event_id, kind, labels
FROM events WHERE lead_id AMONG ? AND +seq > ?
UNION ALL SELECT lead_id, seq, 2, arrived_at, arrived_at, 0, type, hash, ''
FROM contacts WHERE lead_id AMONG ? AND +seq > ?
ORDER BY 1, 2
"""


def logged(rows: Sequence[Row]) -> dict[str, Logged]:
    """What the rows of ``FACTS`` say of each lead."""
    return {lead_id: _logged(lead_id, [row[2:] for row in own]) for lead_id, own in groupby(rows, key=itemgetter(0))}


def _logged(lead_id: str, rows: Sequence[Row]) -> Logged:
    """One lead, of rows in the order of the log."""
    versions = [row[1:] for row in rows if row[0] == _VERSION]
    contacts = [(at, arrived_at, contact) for at, arrived_at, _, _, contact, _ in versions if contact is not None]
    heard = versions[0] if versions else (None,) * 6
    return Logged(
        lead_id,
        versions=tuple(_versions(versions)),
        events=tuple(_events([row[1:] for row in rows if row[0] == _EVENT])),
        hashes=tuple((kind, digest, row[1]) for *row, kind, digest, _ in rows if row[0] == _CONTACT),
        created_at=heard[2],
        channel=heard[3],
        contact=max(contacts)[2] if contacts else None,
    )


def _versions(rows: Sequence[Row]) -> Iterator[Version]:
    """Attribute versions, each known until the next one of its moment arrived."""
    following: dict[Micros, Micros] = {}
    found = []
    for at, arrived_at, _, channel, _, attributes in reversed(rows):
        values = {CHANNEL: channel, **json.loads(attributes)}
        found.append(Version(at, arrived_at, values, following.get(at)))
        following[at] = arrived_at
    return reversed(found)


def _events(rows: Sequence[Row]) -> Iterator[Event]:
    """Events, each known until its next version arrived."""
    following: dict[str, Micros] = {}
    found = []
    for at, arrived_at, amount, event_id, kind, labels in reversed(rows):
        found.append(Event(event_id, kind, at, arrived_at, following.get(event_id), amount, json.loads(labels)))
        following[event_id] = arrived_at
    return reversed(found)
