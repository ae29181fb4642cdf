"""Which steps of setting a connection up a person has taken, for which company."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

POLICY = """
create policy tenant_isolation on erp.integration_setup_steps using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.create_table(
        "integration_setup_steps",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_company_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_setup_steps_tenant_id")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "provider", "external_company_id", "step", name=op.f("pk_integration_setup_steps")
        ),
        schema="erp",
    )
    op.execute("alter table erp.integration_setup_steps enable row level security")
    op.execute("alter table erp.integration_setup_steps force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.drop_table("integration_setup_steps", schema="erp")
