"""What a payment in a foreign currency was worth at home."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("exchange_rate", sa.Numeric(24, 12)), schema="erp")


def downgrade() -> None:
    op.drop_column("payments", "exchange_rate", schema="erp")
