"""A record's standing with an ERP, in a word, a badge and, for staff, an explanation."""

from __future__ import annotations

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.states import DeliveryStatus
from erp_pipelines.storage import connections, sync_status
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.sync_status import Standing
from webhook_api.schemas import ProviderSync
from webhook_api.views import erp_url

BADGES = {
    "synced": "Synced to {}",
    "pending": "Waiting for {}",
    "inDoubt": "Being checked with {}",
    "failed": "Not synced to {}: needs attention",
    "notSynced": "Not synced to {}",
}


def state_of(standing: Standing) -> str:
    """The word for it. A failure that will be tried again is pending; only what was given up has failed."""
    if standing.status in {None, DeliveryStatus.COMPLETED}:
        return "synced" if standing.external_id else "notSynced"
    if standing.in_doubt:
        return "inDoubt"
    return "failed" if standing.status == DeliveryStatus.ABANDONED else "pending"


def provider_syncs(
    conn: Connection, runtime: Runtime, tenant_id: str, entity_type: str, entity_id: str, *, staff: bool
) -> list[ProviderSync]:
    """One for each ERP of the tenant. Links into the ERP and reasons are for staff."""
    rows = {row.provider: row for row in connections.of_tenant(conn, tenant_id)}
    standings = sync_status.standings(conn, tenant_id, entity_type, entity_id)
    return [_shown(runtime, rows[standing.provider], standing, staff=staff) for standing in standings]


def _shown(runtime: Runtime, row: ConnectionRow, standing: Standing, *, staff: bool) -> ProviderSync:
    name, state = runtime.display_name(standing.provider), state_of(standing)
    shown = ProviderSync(
        provider=standing.provider,
        display_name=name,
        state=state,
        badge=BADGES[state].format(name),
        document_number=standing.external_number,
        last_synced_at=standing.last_sync_at,
        in_doubt=bool(standing.in_doubt),
    )
    if not staff:
        return shown
    explained: dict[str, object] = {"document_url": _url(runtime, row, standing)}
    if state in {"pending", "inDoubt", "failed"}:
        explained |= {"error": standing.last_error, "mend": standing.mend, "cause": standing.cause}
        explained |= {"owner": standing.owner, "retriable": standing.retriable}
    if state == "pending":
        shown = shown.model_copy(update={"next_attempt_at": standing.scheduled_for})
    return shown.model_copy(update=explained)


def _url(runtime: Runtime, row: ConnectionRow, standing: Standing) -> str | None:
    if not (standing.external_id and standing.external_type):
        return None
    return erp_url(runtime, row, standing.external_type, standing.external_id)
