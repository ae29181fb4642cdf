"""When a grant was last renewed, whether a renewal went unanswered, when it ends for good, and what was warned of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "integration_connections"
WHEN = ("tokens_refreshed_at", "refresh_started_at", "grant_ends_at")


def upgrade() -> None:
    for name in WHEN:
        op.add_column(TABLE, sa.Column(name, sa.DateTime(timezone=True)), schema="erp")
    op.add_column(TABLE, sa.Column("warned_days", sa.Integer()), schema="erp")


def downgrade() -> None:
    for name in (*WHEN, "warned_days"):
        op.drop_column(TABLE, name, schema="erp")
