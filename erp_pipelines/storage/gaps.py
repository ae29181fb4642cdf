"""Changes in an ERP that its notices should have told of and did not, in time: what only a pull has found."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Connection

# A notice tells of a change if it is of the same record and not older than the change. The ERP's two clocks, of stamps
# and of notices, are taken to be less than a minute apart.
_MISSED = """
    p.changed_at > :since and p.changed_at <= cast(:now as timestamptz) - cast(:within as interval)
    and not exists (
      select 1 from erp.integration_inbox w
      where w.tenant_id = p.tenant_id and w.provider = p.provider and w.changed_at is null
        and w.external_type = p.external_type and w.external_id = p.external_id and w.operation <> 'Adopted'
        and coalesce(w.occurred_at, w.received_at) >= p.changed_at - interval '1 minute'
        and w.received_at <= p.changed_at + cast(:within as interval))
"""
_OF_CONNECTION = sa.text(
    f"""
    select count(*) from erp.integration_inbox p
    where p.tenant_id = :tenant and p.provider = :provider and {_MISSED}
    """
)
_BY_PROVIDER = sa.text(
    f"select p.provider, count(*) from erp.integration_inbox p where {_MISSED} group by p.provider order by p.provider"
)


def count(
    conn: Connection, tenant_id: str, provider: str, *, now: dt.datetime, since: dt.datetime, within: dt.timedelta
) -> int:
    """Changes since `since` of which no notice had told `within` that time."""
    values = {"tenant": tenant_id, "provider": provider, "now": now, "since": since, "within": within}
    return int(conn.execute(_OF_CONNECTION, values).scalar_one())


def by_provider(
    conn: Connection, *, now: dt.datetime, since: dt.datetime, within: dt.timedelta
) -> list[tuple[str, int]]:
    """The same over all tenants. System scope."""
    rows = conn.execute(_BY_PROVIDER, {"now": now, "since": since, "within": within})
    return [(provider, int(number)) for provider, number in rows]
