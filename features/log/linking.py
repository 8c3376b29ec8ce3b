"""What the log knows of who is who: contacts that leads showed, and what reviewers said of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from features.identity.evidence import Edge, Evidence
from leadlight.database import Row, listed, read, spoken

if TYPE_CHECKING:
    from sqlalchemy import Engine

CONTACTS_OF: Final = "SELECT lead_id, type, hash, arrived_at FROM contacts WHERE lead_id AMONG ?"
SHOWN_BY: Final = "SELECT DISTINCT lead_id, contact FROM lead_versions WHERE lead_id AMONG ?"
CONTACTS_LIKE: Final = "SELECT lead_id, type, hash, arrived_at FROM contacts WHERE hash AMONG ?"
EDGES_OF: Final = """
SELECT lead_id, other_id, verdict, source, evidence, arrived_at, seq FROM edges
WHERE lead_id AMONG ? OR other_id AMONG ?
"""
LINKED: Final = """
SELECT lead_id FROM contacts WHERE seq > ?
UNION SELECT lead_id FROM edges WHERE seq > ?
UNION SELECT other_id FROM edges WHERE seq > ? AND other_id IS NOT NULL
"""


def contacts_of(engine: Engine, lead_ids: Iterable[str]) -> list[Evidence]:
    """Every contact that these leads showed."""
    return [Evidence(*row) for row in read(engine, spoken(CONTACTS_OF, engine), (listed(list(lead_ids), engine),))]


def shown_by(engine: Engine, lead_ids: Iterable[str]) -> list[Row]:
    """Each lead with every masked contact that its versions had; None where they had none."""
    return read(engine, spoken(SHOWN_BY, engine), (listed(list(lead_ids), engine),))


def contacts_like(engine: Engine, hashes: Iterable[str]) -> list[Evidence]:
    """Every lead that showed a contact with one of these hashes."""
    return [Evidence(*row) for row in read(engine, spoken(CONTACTS_LIKE, engine), (listed(list(hashes), engine),))]


def edges_of(engine: Engine, lead_ids: Iterable[str]) -> list[Edge]:
    """Every word said of these leads, on either side."""
    wanted = listed(list(lead_ids), engine)
    return [Edge(*row) for row in read(engine, spoken(EDGES_OF, engine), (wanted, wanted))]


def linked(engine: Engine, after: int) -> frozenset[str]:
    """The leads of which the log has learnt, after ``after``, something that can change who is who."""
    return frozenset(lead_id for (lead_id,) in read(engine, spoken(LINKED, engine), (after,) * 3))
