"""What waits for somebody: deliveries that failed, were given up or stand still, grouped by cause."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

MOST_GROUPS = 200
SAMPLES = 5


@dataclass(frozen=True)
class Group:
    """One cause at one provider. `records` names some of those it stopped, `message` and `mend` are of the oldest."""

    provider: str
    cause: str
    owner: str | None
    retriable: bool | None
    erp_code: str | None
    count: int
    in_doubt: int
    oldest: dt.datetime
    message: str | None
    mend: str | None
    records: tuple[tuple[str, str], ...]


# An error is over when a later event of the record came through.
_GROUPS = sa.text(
    """
    with numbered as (
      select d.*, row_number() over (
        partition by d.provider, d.cause, d.owner, d.retriable, d.erp_code order by d.seq) as place
      from erp.integration_deliveries d
      where d.tenant_id = :tenant and d.cause is not null and d.status <> 'Completed'
        and not exists (
          select 1 from erp.integration_deliveries l
          where l.tenant_id = d.tenant_id and l.entity_type = d.entity_type and l.entity_id = d.entity_id
            and l.seq > d.seq and l.connection_id = d.connection_id and l.status = 'Completed')
    )
    select provider, cause, owner, retriable, erp_code, count(*) as count,
      count(*) filter (where in_doubt) as in_doubt, min(created_at) as oldest,
      max(last_error) filter (where place = 1) as message, max(mend) filter (where place = 1) as mend,
      array_agg(entity_type order by seq) filter (where place <= :samples) as entity_types,
      array_agg(entity_id order by seq) filter (where place <= :samples) as entity_ids
    from numbered group by provider, cause, owner, retriable, erp_code
    order by count(*) desc, provider, cause, erp_code limit :most
    """
)


def groups(conn: Connection, tenant_id: str) -> list[Group]:
    """The open errors of one tenant, the most frequent cause first."""
    rows = conn.execute(_GROUPS, {"tenant": tenant_id, "samples": SAMPLES, "most": MOST_GROUPS})
    return [_group(dict(row)) for row in rows.mappings()]


def _group(row: dict[str, Any]) -> Group:
    records = tuple(zip(row.pop("entity_types"), row.pop("entity_ids"), strict=True))
    return Group(records=records, **row)


@dataclass(frozen=True)
class OpenError:
    """One delivery that waits for somebody."""

    delivery_id: str
    seq: int
    entity_type: str
    entity_id: str
    status: str
    in_doubt: bool
    retry_count: int
    created_at: dt.datetime
    scheduled_for: dt.datetime | None
    last_error: str | None
    mend: str | None


_OF_CAUSE = sa.text(
    """
    select d.id::text, d.seq, d.entity_type, d.entity_id, d.status, d.in_doubt, d.retry_count, d.created_at,
      case when d.status = 'Failed' then d.scheduled_for end, d.last_error, d.mend
    from erp.integration_deliveries d
    where d.tenant_id = :tenant and d.provider = :provider and d.cause = :cause and d.status <> 'Completed'
      and d.seq > :after
      and not exists (
        select 1 from erp.integration_deliveries l
        where l.tenant_id = d.tenant_id and l.entity_type = d.entity_type and l.entity_id = d.entity_id
          and l.seq > d.seq and l.connection_id = d.connection_id and l.status = 'Completed')
    order by d.seq limit :limit
    """
)


def of_cause(
    conn: Connection, tenant_id: str, provider: str, cause: str, *, after: int = 0, limit: int
) -> list[OpenError]:
    """The open errors of one cause, the oldest first; `after` is the seq of the last one of the page before."""
    values = {"tenant": tenant_id, "provider": provider, "cause": cause, "after": after, "limit": limit}
    return [OpenError(*row) for row in conn.execute(_OF_CAUSE, values)]
