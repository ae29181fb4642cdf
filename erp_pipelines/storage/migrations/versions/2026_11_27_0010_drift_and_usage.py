"""What a pull has found told apart from what the ERP told of; drift, field by field; calls counted by day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("integration_drifts", "integration_usage")
POLICY = """
create policy tenant_isolation on erp.{table} using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.add_column("integration_inbox", sa.Column("changed_at", sa.DateTime(timezone=True)), schema="erp")
    op.create_index(
        "ix_integration_inbox_pulled",
        "integration_inbox",
        ["tenant_id", "provider", "changed_at"],
        schema="erp",
        postgresql_where=sa.text("changed_at is not null"),
    )
    op.create_index(
        "ix_integration_inbox_told",
        "integration_inbox",
        ["tenant_id", "provider", "external_type", "external_id"],
        schema="erp",
        postgresql_where=sa.text("changed_at is null"),
    )
    op.create_table(
        "integration_drifts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.String(length=50), nullable=False),
        sa.Column("entity_id", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=50), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("ours", postgresql.JSONB(), nullable=False),
        sa.Column("theirs", postgresql.JSONB(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_drifts_tenant_id")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "provider", "entity_type", "entity_id", "field", name=op.f("pk_integration_drifts")
        ),
        schema="erp",
    )
    op.create_table(
        "integration_usage",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.Column("writes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_usage_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "day", name=op.f("pk_integration_usage")),
        schema="erp",
    )
    for table in TABLES:
        op.execute(f"alter table erp.{table} enable row level security")
        op.execute(f"alter table erp.{table} force row level security")
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="erp")
    op.drop_index("ix_integration_inbox_told", "integration_inbox", schema="erp")
    op.drop_index("ix_integration_inbox_pulled", "integration_inbox", schema="erp")
    op.drop_column("integration_inbox", "changed_at", schema="erp")
