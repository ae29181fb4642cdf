"""The tables of the integration: what the PRD names, in its words, plus what delivery needs.

Each constraint says which mistake it forbids; migrations must reproduce this module exactly
(tests/migrations). The shop's own tables stand in `commerce_tables`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from erp_pipelines.domain.states import DeliveryStatus, SyncStatus

SCHEMA = "erp"
NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
metadata = sa.MetaData(schema=SCHEMA, naming_convention=NAMING)
NOW = sa.text("now()")
# A host that traces says where it is: `set local erp.traceparent = '00-...'`.
TRACEPARENT = sa.text("coalesce(current_setting('erp.traceparent', true), '')")
TRUE, FALSE, ZERO = sa.text("true"), sa.text("false"), sa.text("0")


def when(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **options)


def uuid_key() -> sa.Column[Any]:
    return sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()"))


def tenant() -> sa.Column[Any]:
    return sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), nullable=False)


def provider() -> sa.Column[Any]:
    return sa.Column("provider", sa.Text, nullable=False)


def words(column: str, values: type[DeliveryStatus | SyncStatus]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=column)


tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
)

integration_connections = sa.Table(
    "integration_connections",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("external_company_id", sa.Text),
    sa.Column("company_name", sa.Text),
    sa.Column("company", JSONB, nullable=False, server_default=sa.text("'{}'")),  # what the connector found there
    sa.Column("environment", sa.Text),
    sa.Column("access_token_encrypted", sa.Text),
    sa.Column("refresh_token_encrypted", sa.Text),
    when("access_token_expires_at"),
    when("refresh_token_expires_at"),
    when("tokens_refreshed_at"),
    when("refresh_started_at"),  # a renewal that has not been answered yet, or never was
    when("grant_ends_at"),  # whatever is done, a person must consent again by then
    sa.Column("warned_days", sa.Integer),  # the last threshold before that end that was told of
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("state", sa.Text, nullable=False, server_default="Not Connected"),
    sa.Column("state_reason", sa.Text),
    when("paused_until"),
    when("last_sync_at"),
    sa.Column("last_sync_error", sa.Text),
    sa.Column("auto_sync_enabled", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("sync_customers", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("sync_products", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("sync_invoices", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("sync_payments", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("documents_when", sa.Text, nullable=False, server_default="paid"),
    sa.Column("settings", JSONB, nullable=False, server_default=sa.text("'{}'")),  # account and item ids
    sa.Column("settings_version", sa.Integer, nullable=False, server_default=sa.text("1")),  # which log entries name
    when("created_at", nullable=False, server_default=NOW),
    when("modified_at"),
    sa.Column("connected_by", sa.Text),
    sa.UniqueConstraint("tenant_id", "provider"),
    # A webhook is routed by company: two tenants may never share one.
    sa.UniqueConstraint("provider", "external_company_id"),
    sa.CheckConstraint("documents_when in ('paid', 'confirmed')", name="documents_when"),
    # Only a connection with an account can be served.
    sa.CheckConstraint("state <> 'Connected' or (is_active and external_company_id is not null)", name="connected"),
)

integration_outbox = sa.Table(
    "integration_outbox",
    metadata,
    uuid_key(),
    # Drawn under a lock on the entity, so its order is the order of the commits that concern one entity.
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    tenant(),
    sa.Column("event_type", sa.String(100), nullable=False),
    sa.Column("entity_type", sa.String(100), nullable=False),
    sa.Column("entity_id", sa.String(100), nullable=False),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("idempotency_key", sa.String(200)),
    # The worst of its deliveries; kept by the trigger deliveries_summary, written by nobody else.
    sa.Column("status", sa.Text, nullable=False, server_default="Pending"),
    sa.Column("target_system", sa.String(50)),
    when("created_at", nullable=False, server_default=NOW),
    when("processed_at"),
    when("scheduled_for"),
    sa.Column("retry_count", sa.Integer, nullable=False, server_default=ZERO),
    sa.Column("max_retries", sa.Integer, nullable=False, server_default=sa.text("5")),
    sa.Column("last_error", sa.String(2000)),
    sa.Column("correlation_id", sa.Uuid),
    sa.Column("traceparent", sa.Text, nullable=False, server_default=TRACEPARENT),  # of whoever made it
    words("status", DeliveryStatus),
    sa.Index(None, "tenant_id", "status", "scheduled_for"),
    # The only index by seq: along one of all tenants, a page would wade through the others' rows.
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(None, "tenant_id", "status", "seq"),
    sa.Index(
        "uq_integration_outbox_idempotency_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
        postgresql_where=sa.text("idempotency_key is not null"),
    ),
    sa.Index(None, "tenant_id", "entity_type", "entity_id", "seq"),
)

UNFINISHED = sa.text("status in ('Pending', 'Processing', 'Failed')")
WAITING = sa.text("status in ('Pending', 'Failed')")

# One event for one connection: the unit that is claimed, retried and settled.
integration_deliveries = sa.Table(
    "integration_deliveries",
    metadata,
    uuid_key(),
    sa.Column("outbox_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.integration_outbox.id"), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    tenant(),
    provider(),
    sa.Column("connection_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.integration_connections.id"), nullable=False),
    sa.Column("sync_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.integration_syncs.id")),
    sa.Column("entity_type", sa.String(100), nullable=False),
    sa.Column("entity_id", sa.String(100), nullable=False),
    sa.Column("ordering_key", sa.String(220), nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="Pending"),
    sa.Column("outcome", sa.Text),
    when("created_at", nullable=False, server_default=NOW),
    when("scheduled_for", nullable=False, server_default=NOW),
    when("processed_at"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=ZERO),  # claims, crashes included
    sa.Column("retry_count", sa.Integer, nullable=False, server_default=ZERO),
    sa.Column("max_retries", sa.Integer, nullable=False, server_default=sa.text("5")),
    # A write may have left and no answer was stored: look before anything is sent again.
    sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=FALSE),
    when("sent_at"),
    sa.Column("key_generation", sa.Integer, nullable=False, server_default=ZERO),
    sa.Column("claimed_by", sa.Text),
    when("claimed_until"),
    sa.Column("last_error", sa.String(2000)),
    sa.Column("cause", sa.Text),
    sa.Column("mend", sa.Text),
    sa.Column("owner", sa.Text),  # whose job the error is
    sa.Column("retriable", sa.Boolean),
    sa.Column("erp_code", sa.Text),
    sa.Column("requirement", sa.Text),  # what makes an abandoned one due again by itself
    words("status", DeliveryStatus),
    sa.UniqueConstraint("outbox_id", "connection_id"),  # an event reaches each connection once
    sa.CheckConstraint("(status = 'Processing') = (claimed_by is not null)", name="claimed"),
    sa.CheckConstraint("(claimed_by is null) = (claimed_until is null)", name="lease"),
    sa.CheckConstraint("(status in ('Completed', 'Abandoned')) = (processed_at is not null)", name="processed"),
    sa.CheckConstraint("(status = 'Completed') = (outcome is not null)", name="outcome"),
    # Two workers can never hold events of one entity at once.
    sa.Index(
        "uq_integration_deliveries_processing",
        "connection_id",
        "ordering_key",
        unique=True,
        postgresql_where=sa.text("status = 'Processing'"),
    ),
    sa.Index("ix_integration_deliveries_due", "connection_id", "scheduled_for", postgresql_where=WAITING),
    sa.Index("ix_integration_deliveries_waiting", "connection_id", "seq", postgresql_where=WAITING),
    sa.Index("ix_integration_deliveries_order", "connection_id", "ordering_key", "seq", postgresql_where=UNFINISHED),
    sa.Index("ix_integration_deliveries_leases", "claimed_until", postgresql_where=sa.text("status = 'Processing'")),
    sa.Index(
        "ix_integration_deliveries_requirement",
        "connection_id",
        "requirement",
        postgresql_where=sa.text("requirement is not null"),
    ),
    # A delivery that goes well never stands in it.
    sa.Index(
        "ix_integration_deliveries_open_errors",
        "tenant_id",
        "provider",
        "cause",
        "seq",
        postgresql_where=sa.text("cause is not null and status <> 'Completed'"),
    ),
    sa.Index(None, "sync_id", postgresql_where=sa.text("sync_id is not null")),
    sa.Index(None, "tenant_id", "entity_type", "entity_id", "seq"),
)

# A record that was sent to be made in the ERP, and whose answer has not been stored yet.
integration_doubts = sa.Table(
    "integration_doubts",
    metadata,
    sa.Column("connection_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.integration_connections.id"), primary_key=True),
    sa.Column("entity_type", sa.String(100), primary_key=True),
    sa.Column("entity_id", sa.String(100), primary_key=True),
    tenant(),
    sa.Column("delivery_id", sa.Uuid, nullable=False),
    sa.Column("payload", JSONB, nullable=False),  # as it was sent
    sa.Column("key_generation", sa.Integer, nullable=False),
    when("sent_at", nullable=False),
    sa.Column("keyless", sa.Boolean, nullable=False, server_default=FALSE),  # it went in a batch, under the batch's key
    sa.Index("ix_integration_doubts_delivery_id", "delivery_id"),
)

# A bulk sync that somebody asked for; its progress is counted from its deliveries.
integration_syncs = sa.Table(
    "integration_syncs",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("entity_types", JSONB, nullable=False),
    sa.Column("requested_by", sa.Text),
    when("created_at", nullable=False, server_default=NOW),
    when("queued_at"),  # set when its last delivery was queued; until then a repeat of the request goes on
    when("cancelled_at"),  # nothing more of it is queued or begun
    sa.Column("cancelled_by", sa.Text),
    sa.Index(None, "tenant_id", "provider", "created_at"),
)

integration_inbox = sa.Table(
    "integration_inbox",
    metadata,
    uuid_key(),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    tenant(),
    provider(),
    sa.Column("external_event_id", sa.String(200), nullable=False),
    sa.Column("external_company_id", sa.String(100)),
    sa.Column("external_type", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    when("occurred_at"),
    when("received_at", nullable=False, server_default=NOW),
    when("processed_at"),
    when("scheduled_for", nullable=False, server_default=NOW),
    sa.Column("status", sa.Text, nullable=False, server_default="Pending"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=ZERO),
    sa.Column("last_error", sa.String(2000)),
    sa.Column("traceparent", sa.Text, nullable=False, server_default=TRACEPARENT),  # of the delivery that brought it
    when("changed_at"),  # found by a pull, changed in the ERP at that time; null for what the ERP told of
    words("status", SyncStatus),
    sa.CheckConstraint("(status in ('Completed', 'Skipped')) = (processed_at is not null)", name="processed"),
    sa.UniqueConstraint(
        "tenant_id", "provider", "external_event_id"
    ),  # a notice is stored once, however often it comes
    sa.Index(
        "ix_integration_inbox_due",
        "tenant_id",
        "provider",
        "scheduled_for",
        postgresql_where=sa.text("status in ('Pending', 'InProgress', 'Failed')"),
    ),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(None, "tenant_id", "status", "seq"),
    sa.Index(
        "ix_integration_inbox_done", "tenant_id", "processed_at", postgresql_where=sa.text("processed_at is not null")
    ),
    sa.Index(
        "ix_integration_inbox_pulled",
        "tenant_id",
        "provider",
        "changed_at",
        postgresql_where=sa.text("changed_at is not null"),
    ),
    sa.Index(
        "ix_integration_inbox_told",
        "tenant_id",
        "provider",
        "external_type",
        "external_id",
        postgresql_where=sa.text("changed_at is null"),
    ),
)

# Where a record here and the ERP's that stands for it say different things, field by field.
integration_drifts = sa.Table(
    "integration_drifts",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("entity_type", sa.String(50), primary_key=True),
    sa.Column("entity_id", sa.String(100), primary_key=True),
    sa.Column("field", sa.String(50), primary_key=True),
    sa.Column("external_id", sa.String(100), nullable=False),
    sa.Column("ours", JSONB, nullable=False),
    sa.Column("theirs", JSONB, nullable=False),
    when("seen_at", nullable=False),
)

# Records of ours that look like one of the ERP's: none of them is brought there before a person has decided.
integration_match_questions = sa.Table(
    "integration_match_questions",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("entity_type", sa.String(50), primary_key=True),
    sa.Column("entity_id", sa.String(100), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("candidates", JSONB, nullable=False),
    when("asked_at", nullable=False),
    when("decided_at"),
    sa.Column("decided_by", sa.Text),
    sa.Column("external_id", sa.String(100)),  # what it was decided to be; null: none of them
    sa.CheckConstraint("(decided_at is null) = (decided_by is null)", name="decided"),
    sa.CheckConstraint("external_id is null or decided_at is not null", name="external_id"),
)

# The steps of setting a connection up that a person has taken. Those of another company say nothing of this one.
integration_setup_steps = sa.Table(
    "integration_setup_steps",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("external_company_id", sa.Text, primary_key=True),
    sa.Column("step", sa.Text, primary_key=True),
    when("taken_at", nullable=False),
    sa.Column("taken_by", sa.Text, nullable=False),
)

# Calls by day: reads are what some providers meter.
integration_usage = sa.Table(
    "integration_usage",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("reads", sa.BigInteger, nullable=False),
    sa.Column("writes", sa.BigInteger, nullable=False),
)

# What workers have done since the beginning, by name: counters for whoever watches.
integration_totals = sa.Table(
    "integration_totals",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

integration_entity_mappings = sa.Table(
    "integration_entity_mappings",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("entity_type", sa.String(50), nullable=False),
    sa.Column("prometheus_id", sa.String(100), nullable=False),
    sa.Column("external_id", sa.String(100), nullable=False),
    sa.Column("external_type", sa.Text, nullable=False),
    sa.Column("external_number", sa.Text),  # what a person calls it, e.g. the invoice number
    sa.Column("sync_token", sa.String(100)),
    sa.Column("fingerprint", sa.Text),  # of the body last sent; the same one again needs no call
    sa.Column("snapshot", JSONB(none_as_null=True)),  # the document's look after our last write, money and dates only
    sa.Column("balance", sa.Numeric(20, 5)),
    sa.Column("total", sa.Numeric(20, 5)),  # of a document, as it was last written or read there
    when("external_updated_at"),
    when("moved_at"),  # when a write of ours to another document last moved it, by the ERP's own stamp,
    sa.Column("moved_versions", sa.SmallInteger, nullable=False, server_default="0"),  # and by how many versions in all
    when("created_at", nullable=False, server_default=NOW),
    when("last_sync_at"),
    sa.UniqueConstraint("tenant_id", "provider", "entity_type", "prometheus_id"),
    # Two of our records can never share one of the ERP's.
    sa.UniqueConstraint("tenant_id", "provider", "entity_type", "external_id"),
)

integration_sync_logs = sa.Table(
    "integration_sync_logs",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("entity_type", sa.String(50), nullable=False),
    sa.Column("entity_id", sa.String(100)),
    sa.Column("external_id", sa.String(100)),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("error_message", sa.String(2000)),
    sa.Column("cause", sa.Text),
    sa.Column("mend", sa.Text),
    sa.Column("owner", sa.Text),  # whose job the error is
    sa.Column("retriable", sa.Boolean),
    sa.Column("erp_code", sa.Text),
    sa.Column("catalogue", sa.Text),  # the version that says so
    sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=FALSE),
    sa.Column("request_payload", JSONB(none_as_null=True)),  # masked, on a failure or in diagnostic mode
    sa.Column("response_payload", JSONB(none_as_null=True)),
    when("started_at", nullable=False, server_default=NOW),
    when("completed_at"),
    sa.Column("retry_count", sa.Integer, nullable=False, server_default=ZERO),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=ZERO),
    sa.Column("erp_request_id", sa.Text),
    sa.Column("actor", sa.Text),  # who did it: a worker, a user, a webhook
    sa.Column("delivery_id", sa.Uuid),
    sa.Column("correlation_id", sa.Uuid),
    sa.Column("run_id", sa.Text),  # of Dagster's, where one did it
    sa.Column("settings_version", sa.Integer),
    words("status", SyncStatus),
    sa.CheckConstraint("direction in ('ToExternal', 'FromExternal')", name="direction"),
    sa.Index(None, "tenant_id", "started_at", "id"),
    # A filter that few entries pass must not read the others: one for each. What is looked for among the failures is
    # decided within the index: none of the others' rows is fetched.
    sa.Index(
        "ix_integration_sync_logs_status",
        "tenant_id",
        "status",
        "started_at",
        "id",
        "entity_type",
        "provider",
        "direction",
    ),
    sa.Index(None, "tenant_id", "provider", "started_at", "id"),
    sa.Index(None, "tenant_id", "entity_type", "started_at", "id"),
    sa.Index(None, "tenant_id", "direction", "started_at", "id"),
    sa.Index(None, "tenant_id", "entity_id", "started_at", "id"),
    sa.Index(
        "ix_integration_sync_logs_payloads",
        "tenant_id",
        "started_at",
        postgresql_where=sa.text("request_payload is not null"),
    ),
)

integration_sync_checkpoints = sa.Table(
    "integration_sync_checkpoints",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("entity_type", sa.String(50), nullable=False),
    sa.Column("cursor", sa.String(500)),
    when("last_success_at"),
    sa.Column("last_error", sa.String(500)),
    when("updated_at", nullable=False, server_default=NOW),
    sa.UniqueConstraint("tenant_id", "provider", "entity_type"),
)

# A consent under way. Only a digest is kept: who reads the table can't finish somebody's consent.
oauth_states = sa.Table(
    "oauth_states",
    metadata,
    sa.Column("state_digest", sa.Text, primary_key=True),
    sa.Column("browser_digest", sa.Text),  # of the cookie of the browser that began it, where that was ours to set
    tenant(),
    provider(),
    sa.Column("user_id", sa.Text, nullable=False),
    when("expires_at", nullable=False),
    when("created_at", nullable=False, server_default=NOW),
)

# Pace and circuit breaker of one connection, shared by every process that speaks for it.
integration_pacing = sa.Table(
    "integration_pacing",
    metadata,
    sa.Column("connection_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.integration_connections.id"), primary_key=True),
    tenant(),
    when("next_free_at"),  # the theoretical arrival time of the generic cell rate algorithm
    sa.Column("failures", sa.Integer, nullable=False, server_default=ZERO),
    when("open_until"),
    when("next_batch_at"),  # the same for batches, which are rationed besides
    sa.Column("in_flight", sa.Integer),  # how many calls at once the provider was last seen to bear
)

integration_alerts = sa.Table(
    "integration_alerts",
    metadata,
    uuid_key(),
    tenant(),
    provider(),
    sa.Column("entity_type", sa.Text),
    sa.Column("entity_id", sa.Text),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("message", sa.String(2000), nullable=False),
    sa.Column("mend", sa.Text),
    when("created_at", nullable=False, server_default=NOW),
    sa.Column("gathered", sa.Boolean, nullable=False, server_default=sa.false()),  # into its group
    sa.Index(None, "tenant_id", "created_at"),
    sa.Index("ix_integration_alerts_ungathered", "created_at", postgresql_where=sa.text("not gathered")),
)

# Alerts of one cause, told together. The tenant '*' is the installation: runs that failed.
integration_alert_groups = sa.Table(
    "integration_alert_groups",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("cause", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # what tells that it is over: event, connection, or nothing (notice)
    when("opened_at", nullable=False),
    when("last_at", nullable=False),
    sa.Column("message", sa.String(2000), nullable=False),
    sa.Column("mend", sa.Text, nullable=False),
    sa.Column("names", JSONB, nullable=False),  # the first few entities
    sa.Column("pending", sa.Integer, nullable=False),  # not told yet
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("tellings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # of the channels, in a row
    when("next_tell_at", nullable=False),
    when("healed_at"),
)

# What an ERP said and no catalogue knows.
integration_unknown_faults = sa.Table(
    "integration_unknown_faults",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("code", sa.String(100), primary_key=True),
    when("first_seen", nullable=False),
    when("last_seen", nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("message", sa.String(500), nullable=False),
)
