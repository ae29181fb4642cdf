"""A tenant's connections: seen by managers, handled by admins."""

from __future__ import annotations

from fastapi import APIRouter

from erp_pipelines.access import connections
from erp_pipelines.domain.connections import ConnectionKey
from webhook_api.dependencies import Admin, House, Manager
from webhook_api.schemas import ConnectionOut, DisconnectedOut, Page, SettingsChange

router = APIRouter(prefix="/api/integrations/connections", tags=["connections"])


@router.get("")
def get_all(runtime: House, user: Manager) -> Page[ConnectionOut]:
    """Every provider, connected or not; never more than one page."""
    return Page(items=[ConnectionOut.of(status) for status in connections.list_(runtime, user.tenant_id)])


@router.get("/{provider}")
def get_one(runtime: House, user: Manager, provider: str) -> ConnectionOut:
    return ConnectionOut.of(connections.status(runtime, ConnectionKey(user.tenant_id, provider)))


@router.put("/{provider}/settings")
def change_settings(runtime: House, user: Admin, provider: str, change: SettingsChange) -> ConnectionOut:
    """Lay these settings over those that stand; answers with the connection as it is then."""
    key = ConnectionKey(user.tenant_id, provider)
    connections.change_settings(runtime, key, change.model_dump(exclude_unset=True), user.user_id)
    return ConnectionOut.of(connections.status(runtime, key))


@router.delete("/{provider}")
def disconnect(runtime: House, user: Admin, provider: str) -> DisconnectedOut:
    """Revoke at the provider and delete all tokens; settings, mappings and logs stay."""
    return DisconnectedOut.of(connections.disconnect(runtime, ConnectionKey(user.tenant_id, provider), user.user_id))
