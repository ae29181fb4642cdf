"""What has been kept long enough: scrubbed or deleted a page at a time, each page found by an index, of one tenant.

Every function does one page and says how many rows that was; fewer than `PAGE` means that nothing more is due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

PAGE = 1000

_TENANTS = sa.text("select id from erp.tenants order by id")
_SCRUB_CALLS = sa.text(
    """
    update erp.integration_sync_logs set request_payload = null, response_payload = null
    where id in (
      select id from erp.integration_sync_logs
      where tenant_id = :tenant and started_at < :before and request_payload is not null
      order by started_at limit :page)
    """
)
_DELETE_LOGS = sa.text(
    """
    delete from erp.integration_sync_logs where id in (
      select id from erp.integration_sync_logs where tenant_id = :tenant and started_at < :before
      order by started_at limit :page)
    """
)
_DELETE_NOTICES = sa.text(
    """
    delete from erp.integration_inbox where id in (
      select id from erp.integration_inbox
      where tenant_id = :tenant and processed_at < :before
      order by processed_at limit :page)
    """
)


def tenants(conn: Connection) -> list[str]:
    """Every tenant's id. System scope."""
    return list(conn.execute(_TENANTS).scalars())


def scrub_calls(conn: Connection, tenant_id: str, before: dt.datetime) -> int:
    """What was said to an ERP and by it goes out of the sync log; the entries stay."""
    return _page(conn, _SCRUB_CALLS, tenant_id, before)


def delete_logs(conn: Connection, tenant_id: str, before: dt.datetime) -> int:
    return _page(conn, _DELETE_LOGS, tenant_id, before)


def delete_notices(conn: Connection, tenant_id: str, before: dt.datetime) -> int:
    """Those that are done."""
    return _page(conn, _DELETE_NOTICES, tenant_id, before)


def _page(conn: Connection, statement: sa.TextClause, tenant_id: str, before: dt.datetime) -> int:
    return conn.execute(statement, {"tenant": tenant_id, "before": before, "page": PAGE}).rowcount


@dataclass(frozen=True)
class Finished:
    """A completed event. `done_with`: nothing asks for it any more."""

    id: str
    seq: int
    created_at: dt.datetime
    ended_at: dt.datetime
    has_payload: bool
    done_with: bool


# The newest event of a record says what it is, for a host without tables of ours, and the newest delivery to a connection
# how it stands there. An older event that was given up may be retried: it must meet what superseded it.
_FINISHED = sa.text(
    """
    select o.id, o.seq, o.created_at, coalesce(o.processed_at, o.created_at), o.payload <> '{}',
      exists (
        select 1 from erp.integration_outbox n
        where n.tenant_id = o.tenant_id and n.entity_type = o.entity_type and n.entity_id = o.entity_id and n.seq > o.seq)
      and not exists (
        select 1 from erp.integration_outbox e
        where e.tenant_id = o.tenant_id and e.entity_type = o.entity_type and e.entity_id = o.entity_id
          and e.seq < o.seq and e.status <> 'Completed')
      and not exists (
        select 1 from erp.integration_deliveries d
        where d.outbox_id = o.id and not exists (
          select 1 from erp.integration_deliveries n
          where n.tenant_id = d.tenant_id and n.entity_type = d.entity_type and n.entity_id = d.entity_id
            and n.seq > d.seq and n.connection_id = d.connection_id))
    from erp.integration_outbox o
    where o.tenant_id = :tenant and o.status = 'Completed' and o.seq > :after
    order by o.seq limit :page
    """
)
_SCRUB_EVENTS = sa.text("update erp.integration_outbox set payload = '{}' where id = any(cast(:ids as uuid[]))")
_DELETE_DELIVERIES = sa.text("delete from erp.integration_deliveries where outbox_id = any(cast(:ids as uuid[]))")
_DELETE_EVENTS = sa.text("delete from erp.integration_outbox where id = any(cast(:ids as uuid[]))")


def finished(conn: Connection, tenant_id: str, *, after: int) -> list[Finished]:
    """Completed events from the `after`th on, oldest first."""
    rows = conn.execute(_FINISHED, {"tenant": tenant_id, "after": after, "page": PAGE})
    return [Finished(str(row[0]), *row[1:]) for row in rows]


def scrub_events(conn: Connection, ids: Sequence[str]) -> int:
    """Their payloads become empty; that they happened stays."""
    return conn.execute(_SCRUB_EVENTS, {"ids": list(ids)}).rowcount


def delete_events(conn: Connection, ids: Sequence[str]) -> int:
    """With their deliveries."""
    conn.execute(_DELETE_DELIVERIES, {"ids": list(ids)})
    return conn.execute(_DELETE_EVENTS, {"ids": list(ids)}).rowcount
