"""Refunds, and their place in the queue of their order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

POLICY = """
create policy tenant_isolation on erp.refunds using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""

# The function of revision 0002, told of one more entity type: its text is taken from the database and changed in two places.
KNOWN = ("('Customer', 'Product', 'Order', 'Payment')", "('Customer', 'Product', 'Order', 'Payment', 'Refund')")
HINT = ("Known are Customer, Product, Order and Payment.", "Known are Customer, Product, Order, Payment and Refund.")
QUEUE = ("if p_entity_type = 'Payment' and", "if p_entity_type in ('Payment', 'Refund') and")
APPEND_EVENT = "select pg_get_functiondef('erp.append_event'::regproc)"


def upgrade() -> None:
    op.create_table(
        "refunds",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("record", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["erp.orders.tenant_id", "erp.orders.id"],
            name=op.f("fk_refunds_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_refunds_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refunds")),
        schema="erp",
    )
    op.create_index(op.f("ix_refunds_tenant_id_order_id"), "refunds", ["tenant_id", "order_id"], schema="erp")
    op.execute("alter table erp.refunds enable row level security")
    op.execute("alter table erp.refunds force row level security")
    op.execute(POLICY)
    _rewrite(*(KNOWN, HINT, QUEUE))


def downgrade() -> None:
    _rewrite(*((new, old) for old, new in (KNOWN, HINT, QUEUE)))
    op.drop_table("refunds", schema="erp")


def _rewrite(*changes: tuple[str, str]) -> None:
    text = op.get_bind().scalar(sa.text(APPEND_EVENT))
    for old, new in changes:
        if old not in text:
            raise RuntimeError(f"erp.append_event does not say {old!r}")
        text = text.replace(old, new)
    op.execute(text)
