"""What workers have done since the beginning, for counters; notices that a worker holds are among the open ones."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

POLICY = """
create policy tenant_isolation on erp.integration_totals using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.create_table(
        "integration_totals",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_totals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "name", name=op.f("pk_integration_totals")),
        schema="erp",
    )
    op.execute("alter table erp.integration_totals enable row level security")
    op.execute("alter table erp.integration_totals force row level security")
    op.execute(POLICY)
    _due("status in ('Pending', 'InProgress', 'Failed')")


def downgrade() -> None:
    _due("status in ('Pending', 'Failed')")
    op.drop_table("integration_totals", schema="erp")


def _due(where: str) -> None:
    op.drop_index("ix_integration_inbox_due", table_name="integration_inbox", schema="erp")
    op.create_index(
        "ix_integration_inbox_due",
        "integration_inbox",
        ["tenant_id", "provider", "scheduled_for"],
        schema="erp",
        postgresql_where=sa.text(where),
    )
