"""How a document looked after our last write, to tell what others have changed since."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("snapshot", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()))
    op.add_column("integration_entity_mappings", column, schema="erp")


def downgrade() -> None:
    op.drop_column("integration_entity_mappings", "snapshot", schema="erp")
