"""The score journal."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of answers and of those that were erased."""
    op.create_table(
        "answers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("features_as_of", sa.BigInteger, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("bundle_sha256", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("inline", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("probability", "raw", "low", "high")),
        sa.Column("grade", sa.Text),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("vector", sa.Text),
        sa.Column("locks", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("degraded", sa.Boolean, nullable=False),
        sa.Column("shadow_version", sa.Text),
        sa.Column("shadow_bundle_sha256", sa.Text),
        sa.Column("shadow_probability", sa.Double),
        sa.Column("explore_probability", sa.Double),
        sa.Column("explored", sa.Boolean, nullable=False),
    )
    op.create_index("answers_lead", "answers", ["lead_id"])
    op.create_index("answers_asked", "answers", ["asked_at", "id"])
    op.create_table(
        "erased_answers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
    )
