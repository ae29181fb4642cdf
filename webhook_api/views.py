"""What API and console show alike: log entries, mappings and errors, with their links into the ERP."""

from __future__ import annotations

from dataclasses import asdict

from erp_pipelines.access import connections as access
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.base import ExternalRef
from erp_pipelines.connectors.registry import catalogues
from erp_pipelines.domain.catalogue import cause_of
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.security.redaction import mask
from erp_pipelines.storage import connections, listings, log_details, mappings
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.listings import LogRow, MappingRow
from erp_pipelines.storage.open_errors import Group
from webhook_api.auth import Principal
from webhook_api.list_schemas import LogDetailOut, LogOut, MappingOut


def log_detail(runtime: Runtime, user: Principal, log_id: str) -> LogDetailOut:
    """Raises NotFound for an entry that the caller's tenant does not have."""
    with runtime.db.tenant(user.tenant_id) as conn:
        row = listings.log(conn, user.tenant_id, log_id)
        if row is None:
            raise NotFound(f"There is no log entry {log_id!r}.")
        around = asdict(log_details.of(conn, user.tenant_id, row.id))
        url = _document_url(conn, runtime, user.tenant_id, row)
    if not user.is_admin:
        around["payload"] = None
    return LogDetailOut(**asdict(row), **mask(around), document_url=url)


def _document_url(conn: Connection, runtime: Runtime, tenant_id: str, row: LogRow) -> str | None:
    key = ConnectionKey(tenant_id, row.provider)
    found = mappings.find(conn, key, row.entity_type, [row.entity_id or ""]).get(row.entity_id or "")
    if found is None:
        return None
    connection = connections.find(conn, key)
    return erp_url(runtime, connection, found.external_type, found.external_id) if connection else None


def erp_url(runtime: Runtime, row: ConnectionRow, external_type: str, external_id: str) -> str | None:
    """Where it opens in the ERP; None without a connection to the company it stands in."""
    connector = runtime.connectors.get(row.provider)
    if connector is None or row.external_company_id is None:
        return None
    return connector.document_url(access.facts(row), ExternalRef(external_type, external_id))


def mapping_list(conn: Connection, runtime: Runtime, key: ConnectionKey, rows: list[MappingRow]) -> list[MappingOut]:
    connection = connections.find(conn, key)
    return [
        MappingOut(
            **asdict(row),
            document_url=erp_url(runtime, connection, row.external_type, row.external_id) if connection else None,
        )
        for row in rows
    ]


def log_list(rows: list[LogRow]) -> list[LogOut]:
    return [LogOut(**asdict(row)) for row in rows]


def group_title(group: Group) -> str:
    """The provider's own entry where its code made the cause, else that of the product."""
    for found in catalogues():
        rule = found.rules(found.faults).get(group.erp_code or "") if found.provider == group.provider else None
        if rule and rule.cause == group.cause:
            return rule.title
    return cause_of(group.cause).title
