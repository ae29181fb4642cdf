"""Payments over several orders: what of them is for which."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "payment_allocations"
POLICY = """
create policy tenant_isolation on erp.payment_allocations using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["erp.payments.tenant_id", "erp.payments.id"],
            name=op.f("fk_payment_allocations_tenant_id_payment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["erp.orders.tenant_id", "erp.orders.id"],
            name=op.f("fk_payment_allocations_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "payment_id", "order_id", name=op.f("pk_payment_allocations")),
        schema="erp",
    )
    name = op.f("ix_payment_allocations_tenant_id_order_id")
    op.create_index(name, TABLE, ["tenant_id", "order_id"], schema="erp")
    op.execute("alter table erp.payment_allocations enable row level security")
    op.execute("alter table erp.payment_allocations force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.drop_table(TABLE, schema="erp")
