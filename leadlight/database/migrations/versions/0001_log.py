"""The live log, API keys and exports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    _make_log()
    _make_people()
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "exports",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("written_at", sa.BigInteger, nullable=False),
    )


def _seq() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("seq", kind, primary_key=True, autoincrement=False)


def _make_log() -> None:
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1", name="one_head"), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO head (id, seq) VALUES (1, 0)")
    op.create_table(
        "lead_versions",
        _seq(),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("contact", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("arrived_at", sa.BigInteger, nullable=False),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
    )
    op.create_index("lead_versions_lead", "lead_versions", ["lead_id"])
    op.create_table(
        "events",
        _seq(),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("arrived_at", sa.BigInteger, nullable=False),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("amount", sa.BigInteger),
        sa.Column("labels", sa.Text, nullable=False),
    )
    op.create_index("events_lead", "events", ["lead_id"])
    op.create_index("events_event", "events", ["event_id"])


def _make_people() -> None:
    op.create_table(
        "contacts",
        _seq(),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("arrived_at", sa.BigInteger, nullable=False),
    )
    op.create_index("contacts_lead", "contacts", ["lead_id", "type", "hash"], unique=True)
    op.create_index("contacts_hash", "contacts", ["hash"])
    op.create_table(
        "edges",
        _seq(),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("other_id", sa.Text),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("arrived_at", sa.BigInteger, nullable=False),
    )
    op.create_index("edges_lead", "edges", ["lead_id"])
    op.create_index("edges_other", "edges", ["other_id"])
    op.create_table(
        "tombstones",
        _seq(),
        sa.Column("lead_hash", sa.Text, nullable=False, unique=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
    )
