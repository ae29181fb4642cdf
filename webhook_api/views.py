"""What API and console show alike: log entries, mappings and errors, with their links into the ERP."""

from __future__ import annotations

from collections.abc import Iterable
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
from webhook_api import dagster_links
from webhook_api.auth import Principal
from webhook_api.list_schemas import LogDetailOut, LogOut, MappingOut

RecordAt = tuple[str, str, str]  # provider, entity type, our id


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
    run_url = dagster_links.run(runtime, around["run_id"])
    return LogDetailOut(**asdict(row), **mask(around), document_url=url, run_url=run_url)


def _document_url(conn: Connection, runtime: Runtime, tenant_id: str, row: LogRow) -> str | None:
    record = (row.provider, row.entity_type, row.entity_id or "")
    return document_urls(conn, runtime, tenant_id, [record]).get(record)


def document_urls(
    conn: Connection, runtime: Runtime, tenant_id: str, records: Iterable[RecordAt]
) -> dict[RecordAt, str]:
    """Where each record opens in its ERP; those that do not stand there, or have no page, are left out."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for provider, kind, entity_id in records:
        wanted.setdefault((provider, kind), set()).add(entity_id)
    rows = {row.provider: row for row in connections.of_tenant(conn, tenant_id)} if wanted else {}
    found: dict[RecordAt, str] = {}
    for (provider, kind), ids in wanted.items():
        if provider in rows:
            for entity_id, one in mappings.find(conn, rows[provider].key, kind, sorted(ids)).items():
                url = erp_url(runtime, rows[provider], one.external_type, one.external_id)
                found |= {(provider, kind, entity_id): url} if url else {}
    return found


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
