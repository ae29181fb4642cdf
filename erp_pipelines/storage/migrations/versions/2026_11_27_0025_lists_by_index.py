"""Every filter of the lists by an index of its own, and what was kept long enough found by one."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

LISTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "integration_sync_logs": (
        ("tenant_id", "provider", "started_at", "id"),
        ("tenant_id", "entity_type", "started_at", "id"),
        ("tenant_id", "direction", "started_at", "id"),
        ("tenant_id", "entity_id", "started_at", "id"),
    ),
    "integration_outbox": (("tenant_id", "seq"), ("tenant_id", "status", "seq")),
    "integration_inbox": (("tenant_id", "seq"), ("tenant_id", "status", "seq")),
}
KEPT = (
    ("ix_integration_sync_logs_payloads", "integration_sync_logs", "started_at", "request_payload is not null"),
    ("ix_integration_inbox_done", "integration_inbox", "processed_at", "processed_at is not null"),
)
LOGS, STATUS = "integration_sync_logs", "ix_integration_sync_logs_status"
OLD: tuple[tuple[str, ...], ...] = (
    ("tenant_id", "entity_type", "entity_id", "started_at"),
    ("tenant_id", "status", "started_at", "id"),
)


def upgrade() -> None:
    for old in OLD:
        op.drop_index(_name(LOGS, old), table_name=LOGS, schema="erp")
    op.create_index(STATUS, LOGS, [*OLD[1], "entity_type", "provider", "direction"], schema="erp")
    for table, indexes in LISTS.items():
        for columns in indexes:
            op.create_index(_name(table, columns), table, list(columns), schema="erp")
    for name, table, column, where in KEPT:
        op.create_index(name, table, ["tenant_id", column], schema="erp", postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, _, _ in KEPT:
        op.drop_index(name, table_name=table, schema="erp")
    for table, indexes in LISTS.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table_name=table, schema="erp")
    op.drop_index(STATUS, table_name=LOGS, schema="erp")
    for old in OLD:
        op.create_index(_name(LOGS, old), LOGS, list(old), schema="erp")


def _name(table: str, columns: tuple[str, ...]) -> str:
    return op.f(f"ix_{table}_{'_'.join(columns)}")
