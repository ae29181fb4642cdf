"""Lists for people: logs, outbox, inbox and mappings of one tenant, in pages that an index serves.

A page is read from a place on (keyset), never by offset, so the last page costs what the first does.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.storage.tables import (
    integration_deliveries,
    integration_entity_mappings,
    integration_inbox,
    integration_outbox,
    integration_sync_logs,
)

Listed = TypeVar("Listed")


@dataclass(frozen=True)
class LogRow:
    """One entry of the sync log, without the payloads."""

    id: str
    provider: str
    entity_type: str
    entity_id: str | None
    external_id: str | None
    direction: str
    status: str
    outcome: str | None
    error_message: str | None
    cause: str | None
    mend: str | None
    owner: str | None
    retriable: bool | None
    erp_code: str | None
    catalogue: str | None
    in_doubt: bool
    started_at: dt.datetime
    completed_at: dt.datetime | None
    retry_count: int
    attempt: int
    erp_request_id: str | None
    actor: str | None
    correlation_id: str | None
    settings_version: int | None


@dataclass(frozen=True)
class LogFilter:
    """What to show; None means all. The dates bound the start: from inclusive, to exclusive."""

    provider: str | None = None
    entity_type: str | None = None
    status: str | None = None
    direction: str | None = None
    from_date: dt.datetime | None = None
    to_date: dt.datetime | None = None
    entity_id: str | None = None


@dataclass(frozen=True)
class OutboxRow:
    """One event and the worst of its deliveries; `in_doubt` when any of them is."""

    id: str
    seq: int
    event_type: str
    entity_type: str
    entity_id: str
    status: str
    target_system: str | None
    created_at: dt.datetime
    processed_at: dt.datetime | None
    scheduled_for: dt.datetime | None
    retry_count: int
    max_retries: int
    last_error: str | None
    cause: str | None
    mend: str | None
    owner: str | None
    retriable: bool | None
    in_doubt: bool


@dataclass(frozen=True)
class InboxRow:
    """One webhook notice."""

    id: str
    seq: int
    provider: str
    external_event_id: str
    external_type: str
    external_id: str
    operation: str
    status: str
    occurred_at: dt.datetime | None
    received_at: dt.datetime
    processed_at: dt.datetime | None
    attempts: int
    last_error: str | None


@dataclass(frozen=True)
class MappingRow:
    """Which of the ERP's records stands for which of ours."""

    id: str
    provider: str
    entity_type: str
    prometheus_id: str
    external_id: str
    external_type: str
    external_number: str | None
    last_sync_at: dt.datetime | None


def logs(
    conn: Connection, tenant_id: str, wanted: LogFilter, *, after: tuple[dt.datetime, str] | None, limit: int
) -> list[LogRow]:
    """Newest first; `after` is (started_at, id) of the last entry of the page before."""
    c = integration_sync_logs.c
    query = _select(LogRow, integration_sync_logs, tenant_id).order_by(c.started_at.desc(), c.id.desc()).limit(limit)
    for name in ("provider", "entity_type", "status", "direction", "entity_id"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(c[name] == value)
    if wanted.from_date is not None:
        query = query.where(c.started_at >= wanted.from_date)
    if wanted.to_date is not None:
        query = query.where(c.started_at < wanted.to_date)
    if after is not None:
        started_at, row_id = after
        query = query.where(sa.tuple_(c.started_at, c.id) < sa.tuple_(started_at, sa.cast(row_id, sa.Uuid)))
    return _read(conn, LogRow, query)


def log(conn: Connection, tenant_id: str, log_id: str) -> LogRow | None:
    found = _by_id(LogRow, integration_sync_logs, tenant_id, log_id)
    return None if found is None else next(iter(_read(conn, LogRow, found)), None)


def outbox(conn: Connection, tenant_id: str, *, status: str | None, after: int | None, limit: int) -> list[OutboxRow]:
    """Newest first; `after` is the seq of the last event of the page before."""
    c = integration_outbox.c
    query = _events(tenant_id).order_by(c.seq.desc()).limit(limit)
    query = query if status is None else query.where(c.status == status)
    return _read(conn, OutboxRow, query if after is None else query.where(c.seq < after))


def outbox_event(conn: Connection, tenant_id: str, outbox_id: str) -> OutboxRow | None:
    try:
        found = _events(tenant_id).where(integration_outbox.c.id == uuid.UUID(outbox_id))
    except ValueError:
        return None
    return next(iter(_read(conn, OutboxRow, found)), None)


def _events(tenant_id: str) -> sa.Select[Any]:
    """Each event with what stopped it, where something did."""
    d, o = integration_deliveries.c, integration_outbox.c
    of_event = d.outbox_id == o.id
    worst = (
        sa.select(d.cause, d.mend, d.owner, d.retriable)
        .where(of_event)
        .order_by(d.cause.is_(None), d.status != "Abandoned", d.seq)
        .limit(1)
        .lateral("worst")
    )
    doubt = sa.select(sa.func.coalesce(sa.func.bool_or(d.in_doubt), sa.false())).where(of_event).scalar_subquery()
    own = [o[name] for name in OutboxRow.__dataclass_fields__ if name in o]
    return (
        sa.select(*own, *worst.c, doubt)
        .outerjoin_from(integration_outbox, worst, sa.true())
        .where(o.tenant_id == tenant_id)
    )


def inbox(conn: Connection, tenant_id: str, *, status: str | None, after: int | None, limit: int) -> list[InboxRow]:
    """Newest first; `after` is the seq of the last notice of the page before."""
    c = integration_inbox.c
    query = _select(InboxRow, integration_inbox, tenant_id).order_by(c.seq.desc()).limit(limit)
    query = query if status is None else query.where(c.status == status)
    return _read(conn, InboxRow, query if after is None else query.where(c.seq < after))


def mappings(
    conn: Connection,
    tenant_id: str,
    provider: str,
    entity_type: str,
    *,
    search: str | None = None,
    after: str | None,
    limit: int,
) -> list[MappingRow]:
    """By our id; `after` is that of the last mapping of the page before. `search` is part of our id, or of theirs or its
    number, in any case.
    """
    c = integration_entity_mappings.c
    query = _select(MappingRow, integration_entity_mappings, tenant_id)
    query = query.where(c.provider == provider, c.entity_type == entity_type).order_by(c.prometheus_id).limit(limit)
    if search:
        sought = (c.prometheus_id, c.external_id, c.external_number)
        query = query.where(sa.or_(*(column.icontains(search, autoescape=True) for column in sought)))
    return _read(conn, MappingRow, query if after is None else query.where(c.prometheus_id > after))


def _select(kind: type[Any], table: sa.Table, tenant_id: str) -> sa.Select[Any]:
    columns = [table.c[name] for name in kind.__dataclass_fields__]
    return sa.select(*columns).where(table.c.tenant_id == tenant_id)


def _by_id(kind: type[Any], table: sa.Table, tenant_id: str, row_id: str) -> sa.Select[Any] | None:
    """None for an id that cannot be one."""
    try:
        return _select(kind, table, tenant_id).where(table.c.id == uuid.UUID(row_id))
    except ValueError:
        return None


def _read(conn: Connection, kind: type[Listed], query: sa.Select[Any]) -> list[Listed]:
    return [kind(*_plain(row)) for row in conn.execute(query)]


def _plain(row: Sequence[Any]) -> list[Any]:
    return [str(value) if isinstance(value, uuid.UUID) else value for value in row]
