"""Vacuum comes to the queues by what has died, not by a share of all that is kept.

By PostgreSQL's defaults a table of a million kept events is looked after when 200,000 rows have died; whoever asks
what is due walks past them until then. Rows that are written over and over get room for their next version beside them.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

QUEUE = (
    "autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, "
    "autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000"
)
SMALL = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500"
SETTINGS = {
    "integration_outbox": QUEUE,
    "integration_deliveries": QUEUE,
    "integration_inbox": QUEUE,
    "integration_doubts": SMALL,
    "integration_connections": f"fillfactor = 70, {SMALL}",
    "integration_pacing": f"fillfactor = 50, {SMALL}",
}


def upgrade() -> None:
    for table, settings in SETTINGS.items():
        op.execute(f"alter table erp.{table} set ({settings})")


def downgrade() -> None:
    for table, settings in SETTINGS.items():
        names = ", ".join(setting.split("=")[0].strip() for setting in settings.split(","))
        op.execute(f"alter table erp.{table} reset ({names})")
