"""Alerts of one cause are told together: which ones were gathered, and what was told of each group when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

POLICY = """
create policy tenant_isolation on erp.integration_alert_groups using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    # What stands there was told by the channels before these.
    op.add_column(
        "integration_alerts",
        sa.Column("gathered", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        schema="erp",
    )
    op.alter_column("integration_alerts", "gathered", server_default=sa.text("false"), schema="erp")
    op.create_index(
        "ix_integration_alerts_ungathered",
        "integration_alerts",
        ["created_at"],
        schema="erp",
        postgresql_where=sa.text("not gathered"),
    )
    op.create_table(
        "integration_alert_groups",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.String(length=2000), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.Column("names", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("tellings", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_tell_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("healed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "cause", name=op.f("pk_integration_alert_groups")),
        schema="erp",
    )
    op.execute("alter table erp.integration_alert_groups enable row level security")
    op.execute("alter table erp.integration_alert_groups force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.drop_table("integration_alert_groups", schema="erp")
    op.drop_index("ix_integration_alerts_ungathered", "integration_alerts", schema="erp")
    op.drop_column("integration_alerts", "gathered", schema="erp")
