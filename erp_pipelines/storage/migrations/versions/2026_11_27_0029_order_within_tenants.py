"""Queues are listed along an index of the tenant's own: along one of all tenants, a page waded through the others' rows."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = ("integration_outbox", "integration_inbox")


def upgrade() -> None:
    for table in TABLES:
        op.drop_index(op.f(f"ix_{table}_tenant_id_seq"), table_name=table, schema="erp")
        op.create_unique_constraint(op.f(f"uq_{table}_tenant_id_seq"), table, ["tenant_id", "seq"], schema="erp")
        op.drop_constraint(op.f(f"uq_{table}_seq"), table, schema="erp", type_="unique")


def downgrade() -> None:
    for table in TABLES:
        op.create_unique_constraint(op.f(f"uq_{table}_seq"), table, ["seq"], schema="erp")
        op.drop_constraint(op.f(f"uq_{table}_tenant_id_seq"), table, schema="erp", type_="unique")
        op.create_index(op.f(f"ix_{table}_tenant_id_seq"), table, ["tenant_id", "seq"], schema="erp")
