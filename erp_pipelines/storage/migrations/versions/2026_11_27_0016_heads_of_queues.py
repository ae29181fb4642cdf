"""What waits, in the order in which it is claimed: a backlog of any length is not read to find its next few events."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_integration_deliveries_waiting",
        "integration_deliveries",
        ["connection_id", "seq"],
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Failed')"),
    )


def downgrade() -> None:
    op.drop_index("ix_integration_deliveries_waiting", table_name="integration_deliveries", schema="erp")
