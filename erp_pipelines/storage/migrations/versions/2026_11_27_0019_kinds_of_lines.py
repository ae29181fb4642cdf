"""What a line of an order is where it is no goods, and where it is booked."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("kind", "sales_class"):
        op.add_column("order_lines", sa.Column(name, sa.Text()), schema="erp")


def downgrade() -> None:
    for name in ("sales_class", "kind"):
        op.drop_column("order_lines", name, schema="erp")
