"""What comes from the ERPs: how complete it is, where it differs from ours, and what the reading costs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import APIRouter

from erp_pipelines.delivery import budget, gaps
from erp_pipelines.delivery.budget import Budget
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import checkpoints, connections, drifts
from erp_pipelines.storage.drifts import Drift
from webhook_api import paging
from webhook_api.dependencies import Cursor, House, Manager, PageSize
from webhook_api.schemas import Body, Moment, Page

router = APIRouter(prefix="/api/integrations", tags=["from the ERP"])


class InboundOut(Body):
    """How complete our picture of an ERP is.

    `missedNotices`: changes of the last seven days that a pull found and no notice told of within 15 minutes.
    `driftingRecords`: how many of our records say something else there.
    """

    provider: str
    last_pull_at: Moment | None
    last_pull_error: str | None
    missed_notices: int
    drifting_records: int


class DriftOut(Body):
    """A field in which a record here and the one in the ERP differ. The field `gone` says that it stands there no more."""

    entity_type: str
    entity_id: str
    external_id: str
    field: str
    ours: Any
    theirs: Any
    seen_at: Moment

    @classmethod
    def of(cls, drift: Drift) -> DriftOut:
        return cls(
            entity_type=drift.entity_type, entity_id=drift.entity_id, external_id=drift.external_id,
            field=drift.field, ours=drift.ours, theirs=drift.theirs, seen_at=drift.seen_at,
        )  # fmt: skip


class BudgetOut(Body):
    """Calls of the calendar month (UTC). Beyond `readsPerMonth` pulls and probes wait; deliveries never do."""

    provider: str
    month: dt.date
    reads: int
    writes: int
    forecast_reads: int
    reads_per_month: int | None
    spent: bool

    @classmethod
    def of(cls, found: Budget) -> BudgetOut:
        return cls(
            provider=found.provider, month=found.month, reads=found.reads, writes=found.writes,
            forecast_reads=found.forecast_reads, reads_per_month=found.cap, spent=found.spent,
        )  # fmt: skip


@router.get("/inbound/{provider}")
def get_inbound(runtime: House, user: Manager, provider: str) -> InboundOut:
    key = ConnectionKey(user.tenant_id, provider)
    with runtime.db.tenant(user.tenant_id) as conn:
        connections.get(conn, key)
        pulled, drifting = checkpoints.last(conn, key), drifts.count(conn, key)
    return InboundOut(
        provider=provider,
        last_pull_at=pulled.at,
        last_pull_error=pulled.error,
        missed_notices=gaps.missed(runtime, key),
        drifting_records=drifting,
    )


@router.get("/drift/{provider}")
def get_drift(
    runtime: House, user: Manager, provider: str, page_size: PageSize = 50, cursor: Cursor = None
) -> Page[DriftOut]:
    """By record and field."""
    place = paging.decode(cursor, 3)
    after = (place[0], place[1], place[2]) if place else None
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = drifts.page(conn, ConnectionKey(user.tenant_id, provider), after=after, limit=page_size + 1)
    page, following = paging.cut(rows, page_size, lambda row: (row.entity_type, row.entity_id, row.field))
    return Page(items=[DriftOut.of(row) for row in page], next_cursor=following)


@router.get("/budget")
def get_budget(runtime: House, user: Manager) -> Page[BudgetOut]:
    """One line for each connection; never more than one page."""
    return Page(items=[BudgetOut.of(found) for found in budget.of_tenant(runtime, user.tenant_id)])
