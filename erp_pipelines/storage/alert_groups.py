"""Alerts gathered by cause, and what has been told of each group. All of it in system scope."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

# The first few names of a group are kept to show.
NAMES = 5


@dataclass(frozen=True)
class Group:
    """Alerts of one cause that concern one connection. `pending` of the `total` have not been told yet.

    `kind` says what they are of: an event, the connection, or a notice.
    """

    tenant_id: str
    provider: str
    cause: str
    opened_at: dt.datetime
    message: str
    mend: str
    names: list[str]
    pending: int
    total: int
    tellings: int
    failures: int
    healed_at: dt.datetime | None
    kind: str


# An alert belongs to an event that was given up, to the connection, or to a notice (a document voided there).
_GATHER = sa.text(
    f"""
    with new as (
      update erp.integration_alerts set gathered = true
      where id in (select id from erp.integration_alerts where not gathered order by created_at
                   for update skip locked limit :limit)
      returning tenant_id, provider, cause, entity_type, entity_id, message, mend, created_at
    ), named as (
      select *, row_number() over (partition by tenant_id, provider, cause order by created_at) as place from new
    )
    insert into erp.integration_alert_groups as g
      (tenant_id, provider, cause, kind, opened_at, last_at, message, mend, names, pending, total, next_tell_at)
    select tenant_id, provider, cause,
      case when bool_and(entity_id is null) then 'connection' when cause = 'document-gone' then 'notice' else 'event' end,
      :now, :now, max(message) filter (where place = 1), coalesce(max(mend) filter (where place = 1), ''),
      coalesce(jsonb_agg(entity_type || ' ' || entity_id order by place)
        filter (where place <= {NAMES} and entity_id is not null), '[]'),
      count(*), count(*), :first_tell_at
    from named group by tenant_id, provider, cause
    on conflict (tenant_id, provider, cause) do update set
      pending = g.pending + excluded.pending, total = g.total + excluded.total, last_at = excluded.last_at, message = excluded.message,
      mend = excluded.mend, names = case when g.pending = 0 then excluded.names else g.names end, healed_at = null
    """
)
_ADD = sa.text(
    """
    insert into erp.integration_alert_groups as g
      (tenant_id, provider, cause, kind, opened_at, last_at, message, mend, names, pending, total, next_tell_at)
    values (:tenant, :provider, :cause, 'notice', :now, :now, :message, :mend, '[]', 1, 1, :first_tell_at)
    on conflict (tenant_id, provider, cause) do update set
      pending = g.pending + 1, total = g.total + 1, last_at = excluded.last_at, message = excluded.message, mend = excluded.mend
    """
)
# Over: nothing of the cause is given up any more; the connection stands and does not wait.
_HEAL = sa.text(
    """
    update erp.integration_alert_groups g set healed_at = :now, next_tell_at = :now
    where healed_at is null and last_at <= :quiet_since and (
      (kind = 'event' and not exists (
        select 1 from erp.integration_deliveries d
        where d.tenant_id = g.tenant_id and d.provider = g.provider and d.status = 'Abandoned' and d.cause = g.cause))
      or (kind = 'connection' and exists (
        select 1 from erp.integration_connections c
        where c.tenant_id = g.tenant_id and c.provider = g.provider and c.state = 'Connected'
          and coalesce(c.paused_until, :now) <= :now))
      or (kind = 'notice' and pending = 0 and next_tell_at <= :now))
    """
)
# Nobody was told of it, or nobody needs to hear that a notice was told long ago.
_FORGET = sa.text(
    "delete from erp.integration_alert_groups where healed_at is not null and (tellings = 0 or kind = 'notice')"
)
_DUE = sa.text(
    """
    update erp.integration_alert_groups set next_tell_at = :lease
    where (tenant_id, provider, cause) in (
      select tenant_id, provider, cause from erp.integration_alert_groups
      where (pending > 0 or healed_at is not null) and next_tell_at <= :now
      order by next_tell_at for update skip locked limit :limit)
    returning tenant_id, provider, cause, opened_at, message, mend, names, pending, total, tellings, failures, healed_at,
      kind
    """
)
_OF = "where tenant_id = :tenant and provider = :provider and cause = :cause"
_TOLD = sa.text(
    f"""
    update erp.integration_alert_groups set pending = pending - :pending, tellings = tellings + 1, failures = 0,
      next_tell_at = case when healed_at is null then cast(:next as timestamptz) else next_tell_at end {_OF}
    """
)
_UNTOLD = sa.text(f"update erp.integration_alert_groups set failures = failures + 1, next_tell_at = :next {_OF}")
_CLOSE = sa.text(f"delete from erp.integration_alert_groups {_OF} and healed_at = :healed")
_OPEN = sa.text("select tenant_id, provider, count(*) from erp.integration_alert_groups group by 1, 2")


def gather(conn: Connection, *, now: dt.datetime, first_tell_at: dt.datetime, limit: int = 5000) -> int:
    """Put alerts that were raised since into their groups; how many groups changed."""
    return conn.execute(_GATHER, {"now": now, "first_tell_at": first_tell_at, "limit": limit}).rowcount


def add(
    conn: Connection,
    place: tuple[str, str, str],
    message: str,
    mend: str,
    *,
    now: dt.datetime,
    first_tell_at: dt.datetime,
) -> None:
    """One more for the group (tenant or '*', provider, cause), without an alert's row."""
    tenant, provider, cause = place
    values = {"tenant": tenant, "provider": provider, "cause": cause, "message": message[:2000], "mend": mend}
    conn.execute(_ADD, {**values, "now": now, "first_tell_at": first_tell_at})


def heal(conn: Connection, *, now: dt.datetime, quiet_since: dt.datetime) -> None:
    """Mark the groups whose trouble is over, and of which nothing was heard since; what nobody was told of ends here."""
    conn.execute(_HEAL, {"now": now, "quiet_since": quiet_since})
    conn.execute(_FORGET)


def due(conn: Connection, *, now: dt.datetime, lease: dt.datetime, limit: int = 50) -> list[Group]:
    """What is to be told now. Nobody else gets the same before `lease`, so a teller that dies is made up for."""
    rows = conn.execute(_DUE, {"now": now, "lease": lease, "limit": limit})
    return sorted((Group(*row) for row in rows), key=lambda group: (group.opened_at, group.cause))


def told(conn: Connection, group: Group, *, again_at: dt.datetime) -> None:
    """It was told: what comes meanwhile is told at `again_at`. A healed group ends."""
    conn.execute(_TOLD, {**_place(group), "pending": group.pending, "next": again_at})
    if group.healed_at:
        conn.execute(_CLOSE, {**_place(group), "healed": group.healed_at})


def untold(conn: Connection, group: Group, *, again_at: dt.datetime) -> None:
    """No channel took it."""
    conn.execute(_UNTOLD, {**_place(group), "next": again_at})


def open_groups(conn: Connection) -> dict[tuple[str, str], int]:
    """How many causes are open, by tenant and provider."""
    return {(tenant, provider): count for tenant, provider, count in conn.execute(_OPEN)}


def _place(group: Group) -> dict[str, str]:
    return {"tenant": group.tenant_id, "provider": group.provider, "cause": group.cause}
