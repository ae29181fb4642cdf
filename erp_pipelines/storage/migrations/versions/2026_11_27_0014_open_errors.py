"""What waits for somebody is found without reading what is done."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_integration_deliveries_open_errors",
        "integration_deliveries",
        ["tenant_id", "provider", "cause", "seq"],
        schema="erp",
        postgresql_where=sa.text("cause is not null and status <> 'Completed'"),
    )


def downgrade() -> None:
    op.drop_index("ix_integration_deliveries_open_errors", table_name="integration_deliveries", schema="erp")
