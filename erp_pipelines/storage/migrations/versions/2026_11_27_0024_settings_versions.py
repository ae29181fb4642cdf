"""Log entries name the version of the settings that they were made under."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    version = sa.Column("settings_version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    op.add_column("integration_connections", version, schema="erp")
    op.add_column("integration_sync_logs", sa.Column("settings_version", sa.Integer()), schema="erp")


def downgrade() -> None:
    op.drop_column("integration_sync_logs", "settings_version", schema="erp")
    op.drop_column("integration_connections", "settings_version", schema="erp")
