"""Bulk syncs: started, watched, cancelled."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import BackgroundTasks, Request, Response

from erp_pipelines.access import connections as access
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import bulk, preflight
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import NotFound, RecordInvalid
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import syncs
from erp_pipelines.storage.syncs import Stage
from webhook_api.console.access import AdminForm, Manager, Posted
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.dependencies import House

SHOWN = 20
KINDS = (EntityType.PRODUCT, EntityType.CUSTOMER, EntityType.ORDER)
router = new_router()


@router.get("/syncs")
def newest(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    with runtime.db.tenant(tenant_id) as conn:
        found = syncs.newest(conn, tenant_id, SHOWN)
    shown = [(sync, bulk.progress(runtime, ConnectionKey(tenant_id, sync.provider), sync.id)) for sync in found]
    connected = [one for one in access.list_(runtime, tenant_id) if one.state is ConnectionState.CONNECTED]
    return page(request, "syncs.html", syncs=shown, connected=connected, kinds=KINDS)


@router.post("/syncs")
def start(request: Request, runtime: House, posted: AdminForm, tasks: BackgroundTasks) -> Response:
    """With `check` only looked at. Noted at once, queued after the answer; asked again while it is open, the same one goes on."""
    key = ConnectionKey(posted.user.tenant_id, posted.text("provider"))
    kinds = ticked(posted)
    ids = posted.text("entityIds").split() or None
    if ids and len(kinds) > 1:
        raise RecordInvalid("Ids are of one kind.", mend="Go back and tick the kind that the ids are of.")
    if posted.text("check"):
        found = preflight.preflight(runtime, key, kinds, entity_ids=ids)
        return page(
            request, "checked.html", provider=key.provider, found=found, kinds=kinds, ids=posted.text("entityIds")
        )
    sync_id, queued = bulk.begin(runtime, key, kinds, entity_ids=ids, by=posted.user.user_id)
    answer = see(f"/console/syncs/{key.provider}/{sync_id}")
    if ids:  # an id that is not there is told at once
        bulk.queue(runtime, key, sync_id, queued, entity_ids=ids)
        return answer
    tasks.add_task(partial(bulk.queue, runtime, key, sync_id, queued))
    answer.background = tasks
    return answer


def ticked(posted: Posted) -> list[str]:
    """The kinds of record to bring over. Raises RecordInvalid where there is none."""
    kinds = posted.texts("kind")
    if not set(kinds) <= set(KINDS) or not kinds:
        raise RecordInvalid("No kind of record was ticked.", mend="Go back and tick what is to be brought over.")
    return kinds


@router.get("/syncs/{provider}/{sync_id}")
def one(request: Request, runtime: House, session: Manager, provider: str, sync_id: UUID) -> Response:
    return _shown(request, runtime, ConnectionKey(session.principal.tenant_id, provider), str(sync_id), "sync.html")


@router.get("/syncs/{provider}/{sync_id}/progress")
def progress(request: Request, runtime: House, session: Manager, provider: str, sync_id: UUID) -> Response:
    """The part of the page that changes, asked for every second while it does."""
    return _shown(
        request, runtime, ConnectionKey(session.principal.tenant_id, provider), str(sync_id), "_progress.html"
    )


@router.post("/syncs/{provider}/{sync_id}/cancel")
def cancel(runtime: House, posted: AdminForm, provider: str, sync_id: UUID) -> Response:
    spared = bulk.cancel(runtime, ConnectionKey(posted.user.tenant_id, provider), str(sync_id), posted.user.user_id)
    return see(f"/console/syncs/{provider}/{sync_id}?done=cancelled&n={spared}")


def _shown(request: Request, runtime: Runtime, key: ConnectionKey, sync_id: str, template: str) -> Response:
    with runtime.db.tenant(key.tenant_id) as conn:
        sync, found = syncs.find(conn, key, sync_id), syncs.stages(conn, key, sync_id)
    if sync is None:
        raise NotFound(f"There is no bulk sync {sync_id}.")
    stages = [found.get(kind) or Stage(kind, 0, 0, 0) for kind in sync.entity_types]
    return page(request, template, sync=sync, at=bulk.progress(runtime, key, sync_id), stages=stages)
