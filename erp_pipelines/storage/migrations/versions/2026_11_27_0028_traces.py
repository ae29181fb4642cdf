"""Events and notices know the trace that they were made in."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLES = ("integration_outbox", "integration_inbox")
CURRENT = "coalesce(current_setting('erp.traceparent', true), '')"


def upgrade() -> None:
    for table in TABLES:
        current = sa.Column("traceparent", sa.Text(), nullable=False, server_default=sa.text(CURRENT))
        op.add_column(table, current, schema="erp")


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "traceparent", schema="erp")
