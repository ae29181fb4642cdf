"""How things stand now, over all tenants, by provider: for whoever watches the installation. System scope.

Each statement reads what is open and no more: finished events and notices stand in none of the indexes that serve it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Depth:
    """So many in this state, the oldest of which is so old. `in_doubt`: a write of theirs may have reached the ERP unheard."""

    provider: str
    state: str
    count: int
    oldest_seconds: float
    in_doubt: int = 0


_QUEUE = sa.text(
    """
    select provider, status, count(*), greatest(0, extract(epoch from :now - min(created_at))),
      count(*) filter (where in_doubt)
    from (
      select provider, status, created_at, in_doubt and status <> 'Processing' as in_doubt
      from erp.integration_deliveries where status in ('Pending', 'Processing', 'Failed')
      union all
      select provider, status, created_at, in_doubt from erp.integration_deliveries
      where status = 'Abandoned' and cause is not null and status <> 'Completed'
    ) open
    group by provider, status order by provider, status
    """
)
_INBOX = sa.text(
    """
    select provider, status, count(*), greatest(0, extract(epoch from :now - min(received_at)))
    from erp.integration_inbox where status in ('Pending', 'InProgress', 'Failed')
    group by provider, status order by provider, status
    """
)


def queue(conn: Connection, *, now: dt.datetime) -> list[Depth]:
    """Events that are not done, by provider and state; what is being sent right now counts as no doubt."""
    rows = conn.execute(_QUEUE, {"now": now})
    return [Depth(row[0], row[1], row[2], float(row[3]), row[4]) for row in rows]


def inbox(conn: Connection, *, now: dt.datetime) -> list[Depth]:
    """Notices that are not done, by provider and state."""
    return [Depth(row[0], row[1], row[2], float(row[3])) for row in conn.execute(_INBOX, {"now": now})]


@dataclass(frozen=True)
class Fleet:
    """A provider's connected accounts: the tightest of each figure. None where no account has it.

    `at_once`: calls under way at once that an account was last seen to bear. `reserved_seconds`: how far ahead of now an
    account's calls have been given their turns. `renewal_seconds` until a grant ends unless renewed, `consent_seconds`
    until it ends for good.
    """

    provider: str
    connected: int
    paused: int
    at_once: int | None
    reserved_seconds: float
    renewal_seconds: float | None
    consent_seconds: float | None


_FLEET = sa.text(
    """
    select c.provider, count(*), count(*) filter (where c.paused_until > :now), min(p.in_flight),
      greatest(0, coalesce(extract(epoch from max(p.next_free_at) - :now), 0)),
      extract(epoch from min(c.refresh_token_expires_at) - :now), extract(epoch from min(c.grant_ends_at) - :now)
    from erp.integration_connections c left join erp.integration_pacing p on p.connection_id = c.id
    where c.state = 'Connected' group by c.provider order by c.provider
    """
)
_STATES = sa.text(
    "select provider, state, count(*) from erp.integration_connections group by provider, state order by provider, state"
)


def fleet(conn: Connection, *, now: dt.datetime) -> list[Fleet]:
    return [
        Fleet(provider, connected, paused, at_once, float(reserved), _seconds(renewal), _seconds(consent))
        for provider, connected, paused, at_once, reserved, renewal, consent in conn.execute(_FLEET, {"now": now})
    ]


def connection_states(conn: Connection) -> list[tuple[str, str, int]]:
    """Provider, state and how many connections are in it."""
    return [(provider, state, count) for provider, state, count in conn.execute(_STATES)]


def _seconds(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
