"""The sync log: filtered, paged, exported; one entry with all that stands around it."""

from __future__ import annotations

from fastapi import Request, Response

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.states import Direction, SyncStatus
from erp_pipelines.storage import listings
from erp_pipelines.storage.listings import LogFilter
from webhook_api import log_csv, paging
from webhook_api.console.access import Manager
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.dependencies import House
from webhook_api.routes.logs import log_filter
from webhook_api.views import document_urls, log_detail, log_list

PAGE = 50
HISTORY = 50
FILTERS = ("provider", "entityType", "entityId", "status", "direction", "fromDate", "toDate")
router = new_router()


@router.get("/logs")
def entries(request: Request, runtime: House, session: Manager) -> Response:
    given = chosen(request, FILTERS)
    after = paging.moment_and_id(request.query_params.get("cursor"))
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        rows = listings.logs(conn, tenant_id, _filter(given), after=after, limit=PAGE + 1)
        records = [(row.provider, row.entity_type, row.entity_id) for row in rows if row.entity_id]
        urls = document_urls(conn, runtime, tenant_id, records)
    found, following = paging.cut(rows, PAGE, lambda row: (row.started_at.isoformat(), row.id))
    return page(
        request,
        "logs.html",
        entries=log_list(found),
        urls=urls,
        given=given,
        following=following,
        first=after is None,
        providers=sorted(runtime.connectors),
        kinds=list(EntityType),
        statuses=list(SyncStatus),
        directions=list(Direction),
    )


def chosen(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """The filters of a form, those left empty as empty texts."""
    return {name: request.query_params.get(name, "").strip() for name in names}


def _filter(given: dict[str, str]) -> LogFilter:
    """Raises RecordInvalid for a word that is none."""
    wanted = {name: value or None for name, value in given.items()}
    try:
        status = SyncStatus(wanted["status"]) if wanted["status"] else None
        direction = Direction(wanted["direction"]) if wanted["direction"] else None
    except ValueError:
        raise RecordInvalid("There is no such status or direction.", mend="Choose one of the list.") from None
    return log_filter(
        wanted["provider"],
        wanted["entityType"],
        status,
        direction,
        wanted["fromDate"],
        wanted["toDate"],
        wanted["entityId"],
    )


@router.get("/logs/export.csv")
def export(request: Request, runtime: House, session: Manager) -> Response:
    """What the filters show, all of it."""
    return log_csv.answer(runtime, session.principal.tenant_id, _filter(chosen(request, FILTERS)))


@router.get("/logs/{log_id}")
def entry(request: Request, runtime: House, session: Manager, log_id: str) -> Response:
    user = session.principal
    shown = log_detail(runtime, user, log_id)
    with runtime.db.tenant(user.tenant_id) as conn:
        same = LogFilter(provider=shown.provider, entity_type=shown.entity_type, entity_id=shown.entity_id)
        history = listings.logs(conn, user.tenant_id, same, after=None, limit=HISTORY) if shown.entity_id else []
    return page(request, "log.html", entry=shown, history=log_list(history))
