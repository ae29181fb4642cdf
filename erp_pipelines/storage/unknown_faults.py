"""Fault codes that no catalogue knows: how often each was seen, and its last words, so that somebody classifies it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey

CODE_LENGTH, MESSAGE_LENGTH = 100, 500
MOST = 200


@dataclass(frozen=True)
class UnknownFault:
    provider: str
    code: str
    first_seen: dt.datetime
    last_seen: dt.datetime
    count: int
    message: str


_COUNT = sa.text(
    """
    insert into erp.integration_unknown_faults as f
      (tenant_id, provider, code, first_seen, last_seen, count, message)
    values (:tenant, :provider, :code, :now, :now, :times, :message)
    on conflict (tenant_id, provider, code)
    do update set last_seen = :now, count = f.count + :times, message = :message
    """
)
_OF_TENANT = sa.text(
    """
    select provider, code, first_seen, last_seen, count, message from erp.integration_unknown_faults
    where tenant_id = :tenant order by last_seen desc, provider, code limit :most
    """
)
_TOTALS = sa.text(
    """
    select provider, code, sum(count) from erp.integration_unknown_faults
    group by provider, code order by sum(count) desc, provider, code limit :most
    """
)


def count(conn: Connection, key: ConnectionKey, code: str, message: str, times: int, *, now: dt.datetime) -> None:
    """Seen so many times more. `message` must hold no secret."""
    values = {
        "tenant": key.tenant_id, "provider": key.provider, "code": code[:CODE_LENGTH], "now": now, "times": times,
        "message": message[:MESSAGE_LENGTH],
    }  # fmt: skip
    conn.execute(_COUNT, values)


def of_tenant(conn: Connection, tenant_id: str) -> list[UnknownFault]:
    """Those of one tenant, the last seen first."""
    return [UnknownFault(*row) for row in conn.execute(_OF_TENANT, {"tenant": tenant_id, "most": MOST})]


def totals(conn: Connection) -> list[tuple[str, str, int]]:
    """Provider, code and count over all tenants, the most frequent first. System scope."""
    return [(provider, code, int(number)) for provider, code, number in conn.execute(_TOTALS, {"most": MOST})]
