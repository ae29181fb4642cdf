"""Retries that a sales manager asks for: an admin approves them or declines."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field

from erp_pipelines.delivery import replay
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import retry_requests
from erp_pipelines.storage.retry_requests import RetryRequest, Scope
from webhook_api import paging
from webhook_api.dependencies import Admin, Cursor, House, Manager, PageSize
from webhook_api.list_schemas import Retried
from webhook_api.schemas import Body, Moment, Page

router = APIRouter(prefix="/api/integrations/sync/{provider}/retry-requests", tags=["sync"])
Open = Annotated[bool, Query(alias="open", description="Only those that nobody has decided upon.")]


class RetryIn(Body):
    """One record, or all of one cause, or everything that failed when nothing is named."""

    cause: Annotated[str | None, Field(max_length=100)] = None
    entity_type: EntityType | None = None
    entity_id: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    note: Annotated[str | None, Field(max_length=500)] = None

    def scope(self) -> Scope:
        """Raises RecordInvalid for half a record, or a record and a cause."""
        if (self.entity_type is None) != (self.entity_id is None):
            raise RecordInvalid("A record has a type and an id.", field="entityId", mend="Give both, or none.")
        if self.cause and self.entity_type:
            raise RecordInvalid("Name a cause or a record, not both.", field="cause", mend="Leave one of them out.")
        return Scope(self.cause or None, str(self.entity_type) if self.entity_type else None, self.entity_id)


class RetryRequestOut(Body):
    """`state` is open, approved or declined; `retried` counts the deliveries of an approved one."""

    id: str
    provider: str
    cause: str | None
    entity_type: str | None
    entity_id: str | None
    note: str | None
    state: Literal["open", "approved", "declined"]
    requested_by: str
    created_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    retried: int | None

    @classmethod
    def of(cls, request: RetryRequest) -> RetryRequestOut:
        words: dict[bool | None, Literal["open", "approved", "declined"]] = {
            None: "open", True: "approved", False: "declined",
        }  # fmt: skip
        return cls(
            id=request.id,
            provider=request.provider,
            cause=request.scope.cause,
            entity_type=request.scope.entity_type,
            entity_id=request.scope.entity_id,
            note=request.note,
            state=words[request.approved],
            requested_by=request.requested_by,
            created_at=request.created_at,
            decided_by=request.decided_by,
            decided_at=request.decided_at,
            retried=request.retried,
        )


@router.post("", status_code=status.HTTP_202_ACCEPTED)
def ask(runtime: House, user: Manager, provider: str, wanted: RetryIn) -> RetryRequestOut:
    """Ask an admin for a retry. Asked again for the same while it is open, it is the same request."""
    key = ConnectionKey(user.tenant_id, provider)
    return RetryRequestOut.of(replay.ask(runtime, key, wanted.scope(), wanted.note, user.user_id))


@router.get("")
def get_requests(
    runtime: House,
    user: Manager,
    provider: str,
    only_open: Open = False,
    page_size: PageSize = 50,
    cursor: Cursor = None,
) -> Page[RetryRequestOut]:
    """Newest first."""
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = retry_requests.page(
            conn,
            user.tenant_id,
            provider=provider,
            only_open=only_open,
            after=paging.moment_and_id(cursor),
            limit=page_size + 1,
        )
    page, following = paging.cut(rows, page_size, lambda row: (row.created_at.isoformat(), row.id))
    return Page(items=[RetryRequestOut.of(row) for row in page], next_cursor=following)


@router.post("/{request_id}/approve")
def approve(runtime: House, user: Admin, provider: str, request_id: UUID) -> Retried:
    """Retry what was asked for; 409 when it was decided upon already."""
    key = ConnectionKey(user.tenant_id, provider)
    return Retried(retried=replay.approve(runtime, key, str(request_id), user.user_id))


@router.post("/{request_id}/decline", status_code=status.HTTP_204_NO_CONTENT)
def decline(runtime: House, user: Admin, provider: str, request_id: UUID) -> None:
    """Retry nothing; 409 when it was decided upon already."""
    replay.decline(runtime, ConnectionKey(user.tenant_id, provider), str(request_id), user.user_id)
