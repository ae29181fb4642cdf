"""Questions to a person about records that look like some that stand in the ERP already."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

POLICY = """
create policy tenant_isolation on erp.integration_match_questions using (
  tenant_id = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.create_table(
        "integration_match_questions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.String(length=50), nullable=False),
        sa.Column("entity_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.CheckConstraint(
            "(decided_at is null) = (decided_by is null)", name=op.f("ck_integration_match_questions_decided")
        ),
        sa.CheckConstraint(
            "external_id is null or decided_at is not null", name=op.f("ck_integration_match_questions_external_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_match_questions_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "provider", "entity_type", "entity_id", name=op.f("pk_integration_match_questions")
        ),
        schema="erp",
    )
    op.execute("alter table erp.integration_match_questions enable row level security")
    op.execute("alter table erp.integration_match_questions force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.drop_table("integration_match_questions", schema="erp")
