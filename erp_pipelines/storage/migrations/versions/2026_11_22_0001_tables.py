"""The tables: commerce, outbox and deliveries, inbox, connections, mappings, logs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        schema="erp",
    )
    op.create_table(
        "customers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("billing_address", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("shipping_address", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.Column("tax_exempt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_customers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customers")),
        schema="erp",
    )
    op.create_table(
        "integration_alerts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=True),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("message", sa.String(length=2000), nullable=False),
        sa.Column("mend", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_alerts_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_alerts")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_alerts_tenant_id_created_at"),
        "integration_alerts",
        ["tenant_id", "created_at"],
        unique=False,
        schema="erp",
    )
    op.create_table(
        "integration_connections",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_company_id", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("company", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("access_token_encrypted", sa.Text(), nullable=True),
        sa.Column("refresh_token_encrypted", sa.Text(), nullable=True),
        sa.Column("access_token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("state", sa.Text(), server_default="Not Connected", nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_error", sa.Text(), nullable=True),
        sa.Column("auto_sync_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sync_customers", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sync_products", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sync_invoices", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sync_payments", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("documents_when", sa.Text(), server_default="paid", nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "documents_when in ('paid', 'confirmed')", name=op.f("ck_integration_connections_documents_when")
        ),
        sa.CheckConstraint(
            "state <> 'Connected' or (is_active and external_company_id is not null)",
            name=op.f("ck_integration_connections_connected"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_connections_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_connections")),
        sa.UniqueConstraint(
            "provider", "external_company_id", name=op.f("uq_integration_connections_provider_external_company_id")
        ),
        sa.UniqueConstraint("tenant_id", "provider", name=op.f("uq_integration_connections_tenant_id_provider")),
        schema="erp",
    )
    op.create_table(
        "integration_entity_mappings",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.String(length=50), nullable=False),
        sa.Column("prometheus_id", sa.String(length=100), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("external_type", sa.Text(), nullable=False),
        sa.Column("external_number", sa.Text(), nullable=True),
        sa.Column("sync_token", sa.String(length=100), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("balance", sa.Numeric(precision=20, scale=5), nullable=True),
        sa.Column("external_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_entity_mappings_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_entity_mappings")),
        sa.UniqueConstraint(
            "tenant_id",
            "provider",
            "entity_type",
            "external_id",
            name=op.f("uq_integration_entity_mappings_tenant_id_provider_entity_type_external_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "provider",
            "entity_type",
            "prometheus_id",
            name=op.f("uq_integration_entity_mappings_tenant_id_provider_entity_type_prometheus_id"),
        ),
        schema="erp",
    )
    op.create_table(
        "integration_inbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_event_id", sa.String(length=200), nullable=False),
        sa.Column("external_company_id", sa.String(length=100), nullable=True),
        sa.Column("external_type", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Text(), server_default="Pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.String(length=2000), nullable=True),
        sa.CheckConstraint(
            "(status in ('Completed', 'Skipped')) = (processed_at is not null)",
            name=op.f("ck_integration_inbox_processed"),
        ),
        sa.CheckConstraint(
            "status in ('Pending', 'InProgress', 'Completed', 'Failed', 'Skipped')",
            name=op.f("ck_integration_inbox_status"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_inbox_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_inbox")),
        sa.UniqueConstraint("seq", name=op.f("uq_integration_inbox_seq")),
        sa.UniqueConstraint(
            "tenant_id",
            "provider",
            "external_event_id",
            name=op.f("uq_integration_inbox_tenant_id_provider_external_event_id"),
        ),
        schema="erp",
    )
    op.create_index(
        "ix_integration_inbox_due",
        "integration_inbox",
        ["tenant_id", "provider", "scheduled_for"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Failed')"),
    )
    op.create_table(
        "integration_outbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.String(length=100), nullable=False),
        sa.Column("entity_type", sa.String(length=100), nullable=False),
        sa.Column("entity_id", sa.String(length=100), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("status", sa.Text(), server_default="Pending", nullable=False),
        sa.Column("target_system", sa.String(length=50), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_retries", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column("last_error", sa.String(length=2000), nullable=True),
        sa.Column("correlation_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "status in ('Pending', 'Processing', 'Completed', 'Failed', 'Abandoned')",
            name=op.f("ck_integration_outbox_status"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_outbox_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_outbox")),
        sa.UniqueConstraint("seq", name=op.f("uq_integration_outbox_seq")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_outbox_tenant_id_entity_type_entity_id_seq"),
        "integration_outbox",
        ["tenant_id", "entity_type", "entity_id", "seq"],
        unique=False,
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_outbox_tenant_id_status_scheduled_for"),
        "integration_outbox",
        ["tenant_id", "status", "scheduled_for"],
        unique=False,
        schema="erp",
    )
    op.create_index(
        "uq_integration_outbox_idempotency_key",
        "integration_outbox",
        ["tenant_id", "idempotency_key"],
        unique=True,
        schema="erp",
        postgresql_where=sa.text("idempotency_key is not null"),
    )
    op.create_table(
        "integration_sync_checkpoints",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.String(length=50), nullable=False),
        sa.Column("cursor", sa.String(length=500), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_sync_checkpoints_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_sync_checkpoints")),
        sa.UniqueConstraint(
            "tenant_id",
            "provider",
            "entity_type",
            name=op.f("uq_integration_sync_checkpoints_tenant_id_provider_entity_type"),
        ),
        schema="erp",
    )
    op.create_table(
        "integration_sync_logs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.String(length=50), nullable=False),
        sa.Column("entity_id", sa.String(length=100), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error_message", sa.String(length=2000), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("mend", sa.Text(), nullable=True),
        sa.Column("in_doubt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("request_payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("response_payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("erp_request_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("correlation_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "direction in ('ToExternal', 'FromExternal')", name=op.f("ck_integration_sync_logs_direction")
        ),
        sa.CheckConstraint(
            "status in ('Pending', 'InProgress', 'Completed', 'Failed', 'Skipped')",
            name=op.f("ck_integration_sync_logs_status"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_sync_logs_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_sync_logs")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_sync_logs_tenant_id_entity_type_entity_id_started_at"),
        "integration_sync_logs",
        ["tenant_id", "entity_type", "entity_id", "started_at"],
        unique=False,
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_sync_logs_tenant_id_started_at_id"),
        "integration_sync_logs",
        ["tenant_id", "started_at", "id"],
        unique=False,
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_sync_logs_tenant_id_status_started_at_id"),
        "integration_sync_logs",
        ["tenant_id", "status", "started_at", "id"],
        unique=False,
        schema="erp",
    )
    op.create_table(
        "integration_syncs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("entity_types", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_syncs_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_syncs")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_integration_syncs_tenant_id_provider_created_at"),
        "integration_syncs",
        ["tenant_id", "provider", "created_at"],
        unique=False,
        schema="erp",
    )
    op.create_table(
        "oauth_states",
        sa.Column("state_digest", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_oauth_states_tenant_id")),
        sa.PrimaryKeyConstraint("state_digest", name=op.f("pk_oauth_states")),
        schema="erp",
    )
    op.create_table(
        "products",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=20, scale=5), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("taxable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_products_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_products")),
        schema="erp",
    )
    op.create_table(
        "integration_deliveries",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("sync_id", sa.Uuid(), nullable=True),
        sa.Column("entity_type", sa.String(length=100), nullable=False),
        sa.Column("entity_id", sa.String(length=100), nullable=False),
        sa.Column("ordering_key", sa.String(length=220), nullable=False),
        sa.Column("status", sa.Text(), server_default="Pending", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_retries", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column("in_doubt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=2000), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("mend", sa.Text(), nullable=True),
        sa.Column("requirement", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status = 'Completed') = (outcome is not null)", name=op.f("ck_integration_deliveries_outcome")
        ),
        sa.CheckConstraint(
            "(status = 'Processing') = (claimed_by is not null)", name=op.f("ck_integration_deliveries_claimed")
        ),
        sa.CheckConstraint(
            "(status in ('Completed', 'Abandoned')) = (processed_at is not null)",
            name=op.f("ck_integration_deliveries_processed"),
        ),
        sa.CheckConstraint(
            "status in ('Pending', 'Processing', 'Completed', 'Failed', 'Abandoned')",
            name=op.f("ck_integration_deliveries_status"),
        ),
        sa.CheckConstraint(
            "(claimed_by is null) = (claimed_until is null)", name=op.f("ck_integration_deliveries_lease")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["erp.integration_connections.id"], name=op.f("fk_integration_deliveries_connection_id")
        ),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["erp.integration_outbox.id"], name=op.f("fk_integration_deliveries_outbox_id")
        ),
        sa.ForeignKeyConstraint(
            ["sync_id"], ["erp.integration_syncs.id"], name=op.f("fk_integration_deliveries_sync_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_deliveries_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_deliveries")),
        sa.UniqueConstraint(
            "outbox_id", "connection_id", name=op.f("uq_integration_deliveries_outbox_id_connection_id")
        ),
        schema="erp",
    )
    op.create_index(
        "ix_integration_deliveries_due",
        "integration_deliveries",
        ["connection_id", "scheduled_for"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Failed')"),
    )
    op.create_index(
        "ix_integration_deliveries_leases",
        "integration_deliveries",
        ["claimed_until"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("status = 'Processing'"),
    )
    op.create_index(
        "ix_integration_deliveries_order",
        "integration_deliveries",
        ["connection_id", "ordering_key", "seq"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Processing', 'Failed')"),
    )
    op.create_index(
        "ix_integration_deliveries_requirement",
        "integration_deliveries",
        ["connection_id", "requirement"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("requirement is not null"),
    )
    op.create_index(
        op.f("ix_integration_deliveries_sync_id"),
        "integration_deliveries",
        ["sync_id"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("sync_id is not null"),
    )
    op.create_index(
        op.f("ix_integration_deliveries_tenant_id_entity_type_entity_id_seq"),
        "integration_deliveries",
        ["tenant_id", "entity_type", "entity_id", "seq"],
        unique=False,
        schema="erp",
    )
    op.create_index(
        "uq_integration_deliveries_processing",
        "integration_deliveries",
        ["connection_id", "ordering_key"],
        unique=True,
        schema="erp",
        postgresql_where=sa.text("status = 'Processing'"),
    )
    op.create_table(
        "integration_pacing",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("next_free_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["erp.integration_connections.id"], name=op.f("fk_integration_pacing_connection_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_integration_pacing_tenant_id")),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_integration_pacing")),
        schema="erp",
    )
    op.create_table(
        "orders",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=False),
        sa.Column("customer_id", sa.String(length=100), nullable=False),
        sa.Column("order_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("exchange_rate", sa.Numeric(precision=24, scale=12), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payment_status", sa.Text(), nullable=False),
        sa.Column("shipping_amount", sa.Numeric(precision=20, scale=5), server_default=sa.text("0"), nullable=False),
        sa.Column("shipping_method", sa.Text(), nullable=True),
        sa.Column("shipping_tax", sa.Numeric(precision=20, scale=5), nullable=True),
        sa.Column("order_discount", sa.Numeric(precision=20, scale=5), server_default=sa.text("0"), nullable=False),
        sa.Column("tax_total", sa.Numeric(precision=20, scale=5), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.Column("po_number", sa.Text(), nullable=True),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.Column("ship_to", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "payment_status in ('unpaid', 'partiallyPaid', 'paid', 'refunded')", name=op.f("ck_orders_payment_status")
        ),
        sa.CheckConstraint("status in ('draft', 'confirmed', 'fulfilled', 'cancelled')", name=op.f("ck_orders_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["erp.customers.tenant_id", "erp.customers.id"],
            name=op.f("fk_orders_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_orders_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_orders_tenant_id_number")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_orders_tenant_id_customer_id"), "orders", ["tenant_id", "customer_id"], unique=False, schema="erp"
    )
    op.create_table(
        "order_lines",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.Column("discount", sa.Numeric(precision=20, scale=5), nullable=True),
        sa.Column("discount_rate", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("tax", sa.Numeric(precision=20, scale=5), nullable=True),
        sa.Column("amount", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["erp.orders.tenant_id", "erp.orders.id"],
            name=op.f("fk_order_lines_tenant_id_order_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"], ["erp.products.tenant_id", "erp.products.id"], name="fk_order_lines_product"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "order_id", "line_no", name=op.f("pk_order_lines")),
        schema="erp",
    )
    op.create_table(
        "payments",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=5), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), server_default="host", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["erp.orders.tenant_id", "erp.orders.id"],
            name=op.f("fk_payments_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["erp.tenants.id"], name=op.f("fk_payments_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments")),
        schema="erp",
    )
    op.create_index(
        op.f("ix_payments_tenant_id_order_id"), "payments", ["tenant_id", "order_id"], unique=False, schema="erp"
    )


def downgrade() -> None:

    op.drop_index(op.f("ix_payments_tenant_id_order_id"), table_name="payments", schema="erp")
    op.drop_table("payments", schema="erp")
    op.drop_table("order_lines", schema="erp")
    op.drop_index(op.f("ix_orders_tenant_id_customer_id"), table_name="orders", schema="erp")
    op.drop_table("orders", schema="erp")
    op.drop_table("integration_pacing", schema="erp")
    op.drop_index(
        "uq_integration_deliveries_processing",
        table_name="integration_deliveries",
        schema="erp",
        postgresql_where=sa.text("status = 'Processing'"),
    )
    op.drop_index(
        op.f("ix_integration_deliveries_tenant_id_entity_type_entity_id_seq"),
        table_name="integration_deliveries",
        schema="erp",
    )
    op.drop_index(
        op.f("ix_integration_deliveries_sync_id"),
        table_name="integration_deliveries",
        schema="erp",
        postgresql_where=sa.text("sync_id is not null"),
    )
    op.drop_index(
        "ix_integration_deliveries_requirement",
        table_name="integration_deliveries",
        schema="erp",
        postgresql_where=sa.text("requirement is not null"),
    )
    op.drop_index(
        "ix_integration_deliveries_order",
        table_name="integration_deliveries",
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Processing', 'Failed')"),
    )
    op.drop_index(
        "ix_integration_deliveries_leases",
        table_name="integration_deliveries",
        schema="erp",
        postgresql_where=sa.text("status = 'Processing'"),
    )
    op.drop_index(
        "ix_integration_deliveries_due",
        table_name="integration_deliveries",
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Failed')"),
    )
    op.drop_table("integration_deliveries", schema="erp")
    op.drop_table("products", schema="erp")
    op.drop_table("oauth_states", schema="erp")
    op.drop_index(
        op.f("ix_integration_syncs_tenant_id_provider_created_at"), table_name="integration_syncs", schema="erp"
    )
    op.drop_table("integration_syncs", schema="erp")
    op.drop_index(
        op.f("ix_integration_sync_logs_tenant_id_status_started_at_id"),
        table_name="integration_sync_logs",
        schema="erp",
    )
    op.drop_index(
        op.f("ix_integration_sync_logs_tenant_id_started_at_id"), table_name="integration_sync_logs", schema="erp"
    )
    op.drop_index(
        op.f("ix_integration_sync_logs_tenant_id_entity_type_entity_id_started_at"),
        table_name="integration_sync_logs",
        schema="erp",
    )
    op.drop_table("integration_sync_logs", schema="erp")
    op.drop_table("integration_sync_checkpoints", schema="erp")
    op.drop_index(
        "uq_integration_outbox_idempotency_key",
        table_name="integration_outbox",
        schema="erp",
        postgresql_where=sa.text("idempotency_key is not null"),
    )
    op.drop_index(
        op.f("ix_integration_outbox_tenant_id_status_scheduled_for"), table_name="integration_outbox", schema="erp"
    )
    op.drop_index(
        op.f("ix_integration_outbox_tenant_id_entity_type_entity_id_seq"), table_name="integration_outbox", schema="erp"
    )
    op.drop_table("integration_outbox", schema="erp")
    op.drop_index(
        "ix_integration_inbox_due",
        table_name="integration_inbox",
        schema="erp",
        postgresql_where=sa.text("status in ('Pending', 'Failed')"),
    )
    op.drop_table("integration_inbox", schema="erp")
    op.drop_table("integration_entity_mappings", schema="erp")
    op.drop_table("integration_connections", schema="erp")
    op.drop_index(op.f("ix_integration_alerts_tenant_id_created_at"), table_name="integration_alerts", schema="erp")
    op.drop_table("integration_alerts", schema="erp")
    op.drop_table("customers", schema="erp")
    op.drop_table("tenants", schema="erp")
