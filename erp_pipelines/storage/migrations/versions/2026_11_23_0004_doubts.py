"""Records that were sent for the first time and of which nobody heard again: what was sent, and when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POLICY = """
create policy tenant_isolation on erp.integration_doubts using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


# What is in doubt while the schema changes.
TAKE_OVER = """
insert into erp.integration_doubts
  (connection_id, entity_type, entity_id, tenant_id, delivery_id, payload, key_generation, sent_at)
select distinct on (d.connection_id, d.entity_type, d.entity_id)
  d.connection_id, d.entity_type, d.entity_id, d.tenant_id, d.id, o.payload, d.key_generation, coalesce(d.sent_at, now())
from erp.integration_deliveries d join erp.integration_outbox o on o.id = d.outbox_id
where d.in_doubt and not exists (
  select 1 from erp.integration_entity_mappings m
  where m.tenant_id = d.tenant_id and m.provider = d.provider and m.entity_type = d.entity_type
    and m.prometheus_id = d.entity_id)
order by d.connection_id, d.entity_type, d.entity_id, d.seq
"""


def upgrade() -> None:
    op.create_table(
        "integration_doubts",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("entity_type", sa.String(length=100), nullable=False),
        sa.Column("entity_id", sa.String(length=100), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("key_generation", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_doubts_tenant_id")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["erp.integration_connections.id"], name=op.f("fk_integration_doubts_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", "entity_type", "entity_id", name=op.f("pk_integration_doubts")),
        schema="erp",
    )
    op.create_index("ix_integration_doubts_delivery_id", "integration_doubts", ["delivery_id"], schema="erp")
    op.execute(TAKE_OVER)
    op.execute("alter table erp.integration_doubts enable row level security")
    op.execute("alter table erp.integration_doubts force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.drop_table("integration_doubts", schema="erp")
