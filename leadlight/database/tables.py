"""The tables of a site's database, as its newest migration leaves them. Moments are µs UTC, amounts thousandths.

Each fact of the log has a ``seq`` of its own; ``arrived_at`` is when it became known. ``first``: of its event, or of
its lead, nothing was known before.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Double, Index, Integer, MetaData, Table, Text

METADATA: Final = MetaData()

_SEQ = BigInteger().with_variant(Integer, "sqlite")  # what SQLite stores a row by

HEAD: Final = Table(
    "head",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1", name="one_head"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False, server_default="0"),
    Column("clock", BigInteger, nullable=False, server_default="0"),
)
"""One row: the last sequence number given, the newest arrival, and the clock. Locking it is what puts writers in order.

``clock``: whatever arrives from now on arrives at least two moments later.
"""

LEAD_VERSIONS: Final = Table(
    "lead_versions",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("lead_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("contact", Text),
    Column("at", BigInteger, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("first", Boolean, nullable=False),
    Column("attributes", Text, nullable=False),
    Index("lead_versions_lead", "lead_id"),
)
"""``contact`` is masked; ``attributes`` is a JSON object of the known ones."""

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("lead_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("first", Boolean, nullable=False),
    Column("amount", BigInteger),
    Column("labels", Text, nullable=False),
    Index("events_lead", "lead_id"),
    Index("events_event", "event_id"),
)
"""A correction is a further row of the same ``event_id``; ``labels`` is a JSON object of the known ones."""

CONTACTS: Final = Table(
    "contacts",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("lead_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Index("contacts_lead", "lead_id", "type", "hash", unique=True),
    Index("contacts_hash", "hash"),
)
"""Which lead showed which contact, as a keyed hash."""

EDGES: Final = Table(
    "edges",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("lead_id", Text, nullable=False),
    Column("other_id", Text),
    Column("verdict", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Index("edges_lead", "lead_id"),
    Index("edges_other", "other_id"),
)
"""What somebody said of two leads, or of one and all others: the same person, or not. The latest word counts."""

TOMBSTONES: Final = Table(
    "tombstones",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("lead_hash", Text, nullable=False, unique=True),
    Column("erased_at", BigInteger, nullable=False),
)
"""Leads that were erased, each as the SHA-256 of its id."""

API_KEYS: Final = Table(
    "api_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

EXPORTS: Final = Table(
    "exports",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("written_at", BigInteger, nullable=False),
)
"""Files that Leadlight wrote about leads, outside its own state."""

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("lead_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("features_as_of", BigInteger, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("bundle_sha256", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("inline", Boolean, nullable=False),
    *(Column(name, Double) for name in ("probability", "raw", "low", "high")),
    Column("grade", Text),
    Column("flagged", Boolean, nullable=False),
    Column("vector", Text),
    Column("locks", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("degraded", Boolean, nullable=False),
    Column("shadow_version", Text),
    Column("shadow_bundle_sha256", Text),
    Column("shadow_probability", Double),
    Column("explore_probability", Double),
    Column("explored", Boolean, nullable=False),
    Index("answers_lead", "lead_id"),
    Index("answers_asked", "asked_at", "id"),
)
"""Every answer as it was given; ``leadlight.journal.Answer`` says what its columns are."""

ERASED_ANSWERS: Final = Table(
    "erased_answers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)
"""Answers that were erased with the person they were about."""
