"""The console's tables: who is signed in, and who has asked for a retry."""

from __future__ import annotations

import sqlalchemy as sa

from erp_pipelines.storage.tables import NOW, metadata, provider, tenant, uuid_key, when

# Only a digest of the cookie's secret is kept: who reads the table can't take over a session.
console_sessions = sa.Table(
    "console_sessions",
    metadata,
    sa.Column("secret_digest", sa.Text, primary_key=True),
    tenant(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
    when("expires_at", nullable=False),
    sa.Index(None, "tenant_id", "expires_at"),
)

# A sales manager asks, an admin decides. No cause and no record: everything that failed at the provider.
integration_retry_requests = sa.Table(
    "integration_retry_requests",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("cause", sa.Text),
    sa.Column("entity_type", sa.String(100)),
    sa.Column("entity_id", sa.String(100)),
    sa.Column("note", sa.String(500)),
    sa.Column("requested_by", sa.Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
    sa.Column("approved", sa.Boolean),  # null: nobody has decided
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("retried", sa.Integer),
    sa.CheckConstraint("(approved is null) = (decided_at is null)", name="decided"),
    sa.CheckConstraint("(retried is not null) = coalesce(approved, false)", name="retried"),
    sa.CheckConstraint("(entity_type is null) = (entity_id is null)", name="record"),
    # Asked again while it is open, it is the same request.
    sa.Index(
        "uq_integration_retry_requests_open",
        "tenant_id",
        "provider",
        "cause",
        "entity_type",
        "entity_id",
        unique=True,
        postgresql_where=sa.text("approved is null"),
        postgresql_nulls_not_distinct=True,
    ),
    sa.Index(None, "tenant_id", "created_at", "id"),
)
