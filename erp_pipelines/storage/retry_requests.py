"""Retries that a sales manager asks for and an admin decides upon."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Conflict, NotFound
from erp_pipelines.storage.console_tables import integration_retry_requests as requests

C = requests.c
OPEN = C.approved.is_(None)


@dataclass(frozen=True)
class Scope:
    """What is to be retried: one record, or all of one cause; everything that failed when neither is named."""

    cause: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None


@dataclass(frozen=True)
class RetryRequest:
    """`approved` is None until somebody decides; `retried` counts deliveries of an approved one."""

    id: str
    provider: str
    scope: Scope
    note: str | None
    requested_by: str
    created_at: dt.datetime
    approved: bool | None
    decided_by: str | None
    decided_at: dt.datetime | None
    retried: int | None


def ask(conn: Connection, key: ConnectionKey, scope: Scope, note: str | None, by: str) -> RetryRequest:
    """A new request, or the open one for the same scope, whoever asked."""
    values = {
        "tenant_id": key.tenant_id, "provider": key.provider, "cause": scope.cause, "entity_type": scope.entity_type,
        "entity_id": scope.entity_id, "note": note, "requested_by": by,
    }  # fmt: skip
    conn.execute(insert(requests).values(**values).on_conflict_do_nothing())
    same = (C[name].is_not_distinct_from(getattr(scope, name)) for name in ("cause", "entity_type", "entity_id"))
    query = _select(key.tenant_id).where(C.provider == key.provider, OPEN, *same)
    return _request(conn.execute(query).mappings().one())


def page(
    conn: Connection,
    tenant_id: str,
    *,
    provider: str | None = None,
    only_open: bool = False,
    after: tuple[dt.datetime, str] | None = None,
    limit: int,
) -> list[RetryRequest]:
    """Newest first; `after` is (created_at, id) of the last one of the page before."""
    query = _select(tenant_id).order_by(C.created_at.desc(), C.id.desc()).limit(limit)
    if provider is not None:
        query = query.where(C.provider == provider)
    if only_open:
        query = query.where(OPEN)
    if after is not None:
        query = query.where(sa.tuple_(C.created_at, C.id) < sa.tuple_(after[0], sa.cast(after[1], sa.Uuid)))
    return [_request(row) for row in conn.execute(query).mappings()]


def lock_open(conn: Connection, key: ConnectionKey, request_id: str) -> RetryRequest:
    """The request, held until the transaction ends. Raises NotFound; Conflict when it was decided upon already."""
    query = _select(key.tenant_id).where(C.provider == key.provider, C.id == _uuid(request_id)).with_for_update()
    row = conn.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"There is no retry request {request_id!r}.")
    found = _request(row)
    if found.approved is not None:
        word = "approved" if found.approved else "declined"
        raise Conflict(f"{found.decided_by} has {word} this request already.")
    return found


def decide(
    conn: Connection, tenant_id: str, request_id: str, *, retried: int | None, by: str, now: dt.datetime
) -> None:
    """Approved with so many deliveries retried; declined with None."""
    values = {"approved": retried is not None, "retried": retried, "decided_by": by, "decided_at": now}
    mine = sa.update(requests).where(C.tenant_id == tenant_id, C.id == _uuid(request_id), OPEN)
    conn.execute(mine.values(**values))


def _select(tenant_id: str) -> sa.Select[Any]:
    return sa.select(requests).where(C.tenant_id == tenant_id)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(f"There is no retry request {text!r}.") from None


def _request(row: Mapping[Any, Any]) -> RetryRequest:
    return RetryRequest(
        id=str(row["id"]),
        provider=row["provider"],
        scope=Scope(row["cause"], row["entity_type"], row["entity_id"]),
        note=row["note"],
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        approved=row["approved"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        retried=row["retried"],
    )
