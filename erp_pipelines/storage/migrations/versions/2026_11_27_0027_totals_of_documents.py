"""What a document comes to in the ERP, as it was last written or read there; and orders by date, to compare a month of both."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("integration_entity_mappings", sa.Column("total", sa.Numeric(20, 5), nullable=True), schema="erp")
    op.create_index(
        op.f("ix_orders_tenant_id_order_date_id"), "orders", ["tenant_id", "order_date", "id"], schema="erp"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_orders_tenant_id_order_date_id"), "orders", schema="erp")
    op.drop_column("integration_entity_mappings", "total", schema="erp")
