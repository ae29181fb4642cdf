"""The summary of an event's deliveries is written where it changes, and not with every note on a delivery."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# Statements that find no row fire the trigger too, and most others note what no summary tells of: a send, a lease, an error's end.
SUMMARISE = """
create or replace function erp.summarise_deliveries() returns trigger language plpgsql as $$
declare
  v_events uuid[] := array(
    select distinct n.outbox_id from changed n join before b on b.id = n.id
    where (n.status, n.retry_count, n.last_error, n.scheduled_for, n.processed_at)
      is distinct from (b.status, b.retry_count, b.last_error, b.scheduled_for, b.processed_at));
begin
  if cardinality(v_events) = 0 then
    return null;
  end if;
  -- Two connections may settle their deliveries of one event at once: the second waits here, and then looks anew.
  perform 1 from erp.integration_outbox o where o.id = any(v_events) order by o.id for no key update;
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
    where d.outbox_id = any(v_events)
    group by d.outbox_id
  ) s
  where o.id = s.outbox_id;
  return null;
end $$
"""

# The function of revision 0002.
BEFORE = """
create or replace function erp.summarise_deliveries() returns trigger language plpgsql as $$
begin
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
  referencing {tables} for each statement execute function erp.summarise_deliveries()
"""


def upgrade() -> None:
    _replace(SUMMARISE, "old table as before new table as changed")


def downgrade() -> None:
    _replace(BEFORE, "new table as changed")


def _replace(function: str, tables: str) -> None:
    op.execute("drop trigger deliveries_summary on erp.integration_deliveries")
    op.execute(function)
    op.execute(TRIGGER.format(tables=tables))
