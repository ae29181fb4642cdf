"""Which run of Dagster's made an entry of the sync log."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("integration_sync_logs", sa.Column("run_id", sa.Text(), nullable=True), schema="erp")


def downgrade() -> None:
    op.drop_column("integration_sync_logs", "run_id", schema="erp")
