"""The log's clock, beside its head."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEWEST = """
SELECT coalesce(max(arrived_at), 0) FROM (
  SELECT max(arrived_at) AS arrived_at FROM lead_versions
  UNION ALL SELECT max(arrived_at) FROM events
  UNION ALL SELECT max(arrived_at) FROM contacts
  UNION ALL SELECT max(arrived_at) FROM edges
) AS arrivals
"""


def upgrade() -> None:
    """Begin the clock at the newest arrival."""
    for name in ("newest", "clock"):
        op.add_column("head", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
        op.execute(f"UPDATE head SET {name} = ({_NEWEST})")  # noqa: S608  both parts stand above
