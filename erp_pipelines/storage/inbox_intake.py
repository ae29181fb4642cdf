"""How webhook notices enter the inbox. What becomes of them there is `inbox`'s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_into
from sqlalchemy.engine import Connection

from erp_pipelines import tracing
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage.inbox import CHANNEL
from erp_pipelines.storage.tables import integration_inbox as inbox

_INSERT = (
    insert_into(inbox)
    .on_conflict_do_nothing()
    .returning(inbox.c.tenant_id, inbox.c.provider, inbox.c.external_event_id)
)
_NOTIFY = sa.text("select pg_notify(:channel, :key)")


@dataclass(frozen=True)
class NewNotice:
    """A verified notice, routed to its connection. `changed_at`: a pull has found it, changed there at that time."""

    key: ConnectionKey
    event_id: str
    company_id: str
    external_type: str
    external_id: str
    operation: str
    occurred_at: dt.datetime | None
    changed_at: dt.datetime | None = None
    traceparent: str = ""


def insert(conn: Connection, notices: Sequence[NewNotice]) -> int:
    """Store them, each once however often it comes; how many were new. Waiting workers are told at commit."""
    return insert_each(conn, [notices])[0]


def insert_each(conn: Connection, deliveries: Sequence[Sequence[NewNotice]]) -> list[int]:
    """The same for several deliveries: how many of each were new. A notice that two of them bring is new in the first."""
    rows = [_values(notice) for notices in deliveries for notice in notices]
    if not rows:
        return [0] * len(deliveries)
    # In one order, so that two transactions that bring the same notices wait for each other in one direction only.
    stored = conn.execute(_INSERT, sorted(rows, key=_identity)).all()
    for key in sorted({ConnectionKey(*row[:2]) for row in stored}):
        conn.execute(_NOTIFY, {"channel": CHANNEL, "key": str(key)})
    new = {tuple(row) for row in stored}
    return [_taken(new, notices) for notices in deliveries]


def _taken(new: set[tuple[str, ...]], notices: Sequence[NewNotice]) -> int:
    """How many of these are among the new ones, which are used up."""
    own = {_identity(_values(notice)) for notice in notices} & new
    new -= own
    return len(own)


def _identity(values: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(values[column]) for column in ("tenant_id", "provider", "external_event_id"))


def _values(notice: NewNotice) -> dict[str, object]:
    return {
        "traceparent": notice.traceparent or tracing.traceparent() or "",
        "tenant_id": notice.key.tenant_id,
        "provider": notice.key.provider,
        "external_event_id": notice.event_id,
        "external_company_id": notice.company_id,
        "external_type": notice.external_type,
        "external_id": notice.external_id,
        "operation": notice.operation,
        "occurred_at": notice.occurred_at,
        "changed_at": notice.changed_at,
    }
