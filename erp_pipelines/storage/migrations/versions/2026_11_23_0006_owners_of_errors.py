"""Whose job an error is, on deliveries and in the log; and the faults that no catalogue knows, counted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = (("owner", sa.Text), ("retriable", sa.Boolean), ("erp_code", sa.Text))
POLICY = """
create policy tenant_isolation on erp.integration_unknown_faults using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    for table in ("integration_deliveries", "integration_sync_logs"):
        for name, kind in COLUMNS:
            op.add_column(table, sa.Column(name, kind()), schema="erp")
    op.add_column("integration_sync_logs", sa.Column("catalogue", sa.Text()), schema="erp")
    op.create_table(
        "integration_unknown_faults",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_unknown_faults_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "code", name=op.f("pk_integration_unknown_faults")),
        schema="erp",
    )
    op.execute("alter table erp.integration_unknown_faults enable row level security")
    op.execute("alter table erp.integration_unknown_faults force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.drop_table("integration_unknown_faults", schema="erp")
    op.drop_column("integration_sync_logs", "catalogue", schema="erp")
    for table in ("integration_deliveries", "integration_sync_logs"):
        for name, _ in COLUMNS:
            op.drop_column(table, name, schema="erp")
