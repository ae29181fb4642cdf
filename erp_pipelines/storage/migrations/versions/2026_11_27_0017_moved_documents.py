"""What our writes to other documents have done to a document since it was last written or read."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = "integration_entity_mappings"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("moved_at", sa.DateTime(timezone=True)), schema="erp")
    versions = sa.Column("moved_versions", sa.SmallInteger(), nullable=False, server_default="0")
    op.add_column(TABLE, versions, schema="erp")


def downgrade() -> None:
    op.drop_column(TABLE, "moved_versions", schema="erp")
    op.drop_column(TABLE, "moved_at", schema="erp")
