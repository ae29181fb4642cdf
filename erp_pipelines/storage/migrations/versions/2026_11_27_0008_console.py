"""The console: sessions, requests for a retry, bulk syncs that were cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("console_sessions", "integration_retry_requests")
POLICY = """
create policy tenant_isolation on erp.{table} using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.add_column("integration_syncs", sa.Column("cancelled_at", sa.DateTime(timezone=True)), schema="erp")
    op.add_column("integration_syncs", sa.Column("cancelled_by", sa.Text()), schema="erp")
    _sessions()
    _retry_requests()
    for table in TABLES:
        op.execute(f"alter table erp.{table} enable row level security")
        op.execute(f"alter table erp.{table} force row level security")
        op.execute(POLICY.format(table=table))


def _sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("secret_digest", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_console_sessions_tenant_id")),
        sa.PrimaryKeyConstraint("secret_digest", name=op.f("pk_console_sessions")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_console_sessions_tenant_id_expires_at"), "console_sessions", ["tenant_id", "expires_at"], schema="erp"
    )


def _retry_requests() -> None:
    op.create_table(
        "integration_retry_requests",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("entity_type", sa.String(length=100), nullable=True),
        sa.Column("entity_id", sa.String(length=100), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retried", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(approved is null) = (decided_at is null)", name=op.f("ck_integration_retry_requests_decided")
        ),
        sa.CheckConstraint(
            "(retried is not null) = coalesce(approved, false)", name=op.f("ck_integration_retry_requests_retried")
        ),
        sa.CheckConstraint(
            "(entity_type is null) = (entity_id is null)", name=op.f("ck_integration_retry_requests_record")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_retry_requests_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_retry_requests")),
        schema="erp",
    )
    op.create_index(
        "uq_integration_retry_requests_open",
        "integration_retry_requests",
        ["tenant_id", "provider", "cause", "entity_type", "entity_id"],
        unique=True,
        schema="erp",
        postgresql_where=sa.text("approved is null"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        op.f("ix_integration_retry_requests_tenant_id_created_at_id"),
        "integration_retry_requests",
        ["tenant_id", "created_at", "id"],
        schema="erp",
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="erp")
    op.drop_column("integration_syncs", "cancelled_by", schema="erp")
    op.drop_column("integration_syncs", "cancelled_at", schema="erp")
