"""The pace of batches beside that of calls, and doubts about records whose own request key was not used."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("integration_pacing", sa.Column("next_batch_at", sa.DateTime(timezone=True)), schema="erp")
    op.add_column(
        "integration_doubts",
        sa.Column("keyless", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="erp",
    )


def downgrade() -> None:
    op.drop_column("integration_doubts", "keyless", schema="erp")
    op.drop_column("integration_pacing", "next_batch_at", schema="erp")
