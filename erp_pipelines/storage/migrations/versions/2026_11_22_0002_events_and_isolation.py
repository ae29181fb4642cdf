"""How an event enters the outbox, how an outbox row sums up its deliveries, and row-level security."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ISOLATED = (
    "customers", "products", "orders", "order_lines", "payments", "integration_connections", "integration_outbox",
    "integration_deliveries", "integration_syncs", "integration_inbox", "integration_entity_mappings",
    "integration_sync_logs", "integration_sync_checkpoints", "oauth_states", "integration_pacing", "integration_alerts",
)  # fmt: skip

# Events of one entity are serialised here, before their number is drawn: so the numbers are in commit order.
# A payment takes its place in the queue of its order.
APPEND_EVENT = """
create function erp.append_event(
  p_tenant text, p_event_type text, p_entity_type text, p_entity_id text, p_payload jsonb,
  p_key text, p_target text, p_sync uuid, p_correlation uuid
) returns uuid language plpgsql as $$
declare
  v_ordering text := p_entity_type || ':' || p_entity_id;
  v_id uuid;
  v_seq bigint;
  v_delivery record;
  v_deliveries int := 0;
begin
  if p_entity_type not in ('Customer', 'Product', 'Order', 'Payment') then
    raise exception 'erp.emit_event: % is no entity type', quote_literal(p_entity_type)
      using hint = 'Known are Customer, Product, Order and Payment.', errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(p_payload) is distinct from 'object' then
    raise exception 'erp.emit_event: the payload must be a JSON object, the canonical record'
      using errcode = 'invalid_parameter_value';
  end if;
  if not exists (select 1 from erp.tenants t where t.id = p_tenant) then
    raise exception 'erp.emit_event: there is no tenant %', quote_literal(p_tenant)
      using hint = 'Make it with: erp tenants add ID --name NAME', errcode = 'foreign_key_violation';
  end if;
  if p_entity_type = 'Payment' and p_payload ? 'orderId' then
    v_ordering := 'Order:' || (p_payload ->> 'orderId');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('erp:entity:' || p_tenant || ':' || v_ordering, 0));

  insert into erp.integration_outbox
    (tenant_id, event_type, entity_type, entity_id, payload, idempotency_key, target_system, correlation_id)
  values (p_tenant, p_event_type, p_entity_type, p_entity_id, p_payload, p_key, p_target, p_correlation)
  on conflict (tenant_id, idempotency_key) where idempotency_key is not null do nothing
  returning id, seq into v_id, v_seq;
  if v_id is null then
    select o.id into v_id from erp.integration_outbox o where o.tenant_id = p_tenant and o.idempotency_key = p_key;
    return v_id;
  end if;

  for v_delivery in
    insert into erp.integration_deliveries
      (outbox_id, seq, tenant_id, provider, connection_id, sync_id, entity_type, entity_id, ordering_key)
    select v_id, v_seq, c.tenant_id, c.provider, c.id, p_sync, p_entity_type, p_entity_id, v_ordering
    from erp.integration_connections c
    where c.tenant_id = p_tenant and c.is_active
      and case when p_target is not null then c.provider = lower(p_target)
               else c.auto_sync_enabled and case p_entity_type
                 when 'Customer' then c.sync_customers when 'Product' then c.sync_products
                 when 'Order' then c.sync_invoices else c.sync_payments end
          end
    returning provider
  loop
    v_deliveries := v_deliveries + 1;
    perform pg_notify('erp_outbox', p_tenant || ':' || v_delivery.provider);
  end loop;
  if v_deliveries = 0 then
    update erp.integration_outbox set status = 'Completed', processed_at = now() where id = v_id;
  end if;
  return v_id;
end $$
"""

# For hosts that share the database, in any language: it runs with the rights of its owner, so that a
# host needs EXECUTE on it and nothing else. It names the tenant to row-level security itself, for the
# time of the call. (`set erp.tenant_id` on the function would need a superuser.)
EMIT_EVENT = """
create function erp.emit_event(
  tenant_id text, event_type text, entity_type text, entity_id text, payload {type},
  idempotency_key text default null, target_system text default null
) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
  v_before text := current_setting('erp.tenant_id', true);
  v_id uuid;
begin
  perform set_config('erp.tenant_id', $1, true);
  v_id := erp.append_event($1, $2, $3, $4, $5{cast}, $6, $7, null, null);
  perform set_config('erp.tenant_id', coalesce(v_before, ''), true);
  return v_id;
end $$
"""
PAYLOADS = (("jsonb", ""), ("json", "::jsonb"), ("text", "::jsonb"))

SUMMARISE = """
create function erp.summarise_deliveries() returns trigger language plpgsql as $$
begin
  -- Two connections may settle their deliveries of one event at once: the second waits here, and then looks anew.
  perform 1 from erp.integration_outbox o
  where o.id in (select c.outbox_id from changed c) order by o.id for no key update;
  update erp.integration_outbox o
  set status = s.status, retry_count = s.retry_count, last_error = s.last_error, scheduled_for = s.scheduled_for,
      processed_at = case when s.status in ('Completed', 'Abandoned') then s.processed_at end
  from (
    select d.outbox_id,
      case when bool_or(d.status = 'Processing') then 'Processing' when bool_or(d.status = 'Failed') then 'Failed'
           when bool_or(d.status = 'Pending') then 'Pending' when bool_or(d.status = 'Abandoned') then 'Abandoned'
           else 'Completed' end as status,
      max(d.retry_count) as retry_count,
      max(d.last_error) filter (where d.status in ('Failed', 'Abandoned')) as last_error,
      min(d.scheduled_for) filter (where d.status in ('Pending', 'Failed')) as scheduled_for,
      max(d.processed_at) as processed_at
    from erp.integration_deliveries d
    where d.outbox_id in (select c.outbox_id from changed c)
    group by d.outbox_id
  ) s
  where o.id = s.outbox_id;
  return null;
end $$
"""

TRIGGER = """
create trigger deliveries_summary after update on erp.integration_deliveries
  referencing new table as changed for each statement execute function erp.summarise_deliveries()
"""

# The sub-select is evaluated once a statement, not once a row.
POLICY = """
create policy tenant_isolation on erp.{table} using (
  {column} = (select current_setting('erp.tenant_id', true)) or (select current_setting('erp.tenant_id', true)) = '*'
)
"""


def upgrade() -> None:
    op.execute(APPEND_EVENT)
    op.execute("revoke all on function erp.append_event from public")
    for kind, cast in PAYLOADS:
        op.execute(EMIT_EVENT.format(type=kind, cast=cast))
        op.execute(f"revoke all on function erp.emit_event(text, text, text, text, {kind}, text, text) from public")
    op.execute(SUMMARISE)
    op.execute(TRIGGER)
    for table in ("tenants", *ISOLATED):
        op.execute(f"alter table erp.{table} enable row level security")
        op.execute(f"alter table erp.{table} force row level security")
        op.execute(POLICY.format(table=table, column="id" if table == "tenants" else "tenant_id"))


def downgrade() -> None:
    for table in ("tenants", *ISOLATED):
        op.execute(f"drop policy tenant_isolation on erp.{table}")
        op.execute(f"alter table erp.{table} no force row level security")
        op.execute(f"alter table erp.{table} disable row level security")
    op.execute("drop trigger deliveries_summary on erp.integration_deliveries")
    op.execute("drop function erp.summarise_deliveries()")
    for kind, _ in PAYLOADS:
        op.execute(f"drop function erp.emit_event(text, text, text, text, {kind}, text, text)")
    op.execute("drop function erp.append_event")
