"""Tenants: one distributor each."""

from __future__ import annotations

from erp_pipelines.domain.connections import check_tenant_id
from erp_pipelines.domain.errors import Conflict, RecordInvalid
from erp_pipelines.storage import commerce as store
from erp_pipelines.storage.engine import Connection


def add(conn: Connection, tenant_id: str, name: str) -> bool:
    """Make the tenant; False when it stands there already under the same name.

    Raises RecordInvalid for an id or name that cannot be, Conflict when the id is another tenant's.
    """
    check_tenant_id(tenant_id)
    wanted = name.strip()
    if not wanted:
        raise RecordInvalid(f"Tenant {tenant_id!r} has no name.", field="name", mend="Give it one with --name.")
    if store.insert_tenant(conn, tenant_id, wanted):
        return True
    known = store.tenant_name(conn, tenant_id)
    if known != wanted:
        raise Conflict(f"There is a tenant {tenant_id!r} already: {known!r}.", mend="Choose another id.")
    return False
