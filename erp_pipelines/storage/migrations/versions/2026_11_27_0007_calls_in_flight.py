"""How many calls at once a provider was last seen to bear."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("integration_pacing", sa.Column("in_flight", sa.Integer()), schema="erp")


def downgrade() -> None:
    op.drop_column("integration_pacing", "in_flight", schema="erp")
