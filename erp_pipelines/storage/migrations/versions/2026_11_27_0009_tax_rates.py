"""The rates behind the taxes of an order, and whether its prices hold them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = (
    ("orders", "shipping_tax_rate", sa.Numeric(12, 8)),
    ("orders", "prices_include_tax", sa.Boolean()),
    ("order_lines", "tax_rate", sa.Numeric(12, 8)),
)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind), schema="erp")


def downgrade() -> None:
    for table, name, _ in COLUMNS:
        op.drop_column(table, name, schema="erp")
