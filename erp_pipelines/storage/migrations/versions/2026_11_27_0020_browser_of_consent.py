"""The browser in which a consent was begun: nobody finishes it in another."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("oauth_states", sa.Column("browser_digest", sa.Text(), nullable=True), schema="erp")


def downgrade() -> None:
    op.drop_column("oauth_states", "browser_digest", schema="erp")
