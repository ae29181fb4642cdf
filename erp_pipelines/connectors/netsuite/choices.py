"""What the settings of a connection may name: the account's own lists, for forms."""

from __future__ import annotations

from collections.abc import Mapping

from erp_pipelines.connectors.netsuite.client import MOST_ROWS, NetSuiteClient
from erp_pipelines.connectors.netsuite.settings_check import BY_NAME, TABLES
from erp_pipelines.connectors.provider import Choice
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.errors import Rejected

# The column that people know a row by, where it is not the name.
NAMES: Mapping[str, str] = {"account": "fullname", "item": "itemid"}
SHARED = frozenset(field.alias for field in ConnectionSettings.model_fields.values())


def choices(client: NetSuiteClient) -> dict[str, tuple[Choice, ...]]:
    """By the JSON path of the setting. A query for each list: subsidiaries, locations, departments, classes, accounts, items."""
    lists = {table: _rows(client, table) for table in sorted(set(TABLES.values()))}
    own = {f"providerSettings.{name}": lists[table] for name, table in TABLES.items()}
    shared = {name: lists[table] for name, table in TABLES.items() if name in SHARED}
    by_name = {path: lists[table] for path, table in BY_NAME.items()}
    return {path: found for path, found in (own | shared | by_name).items() if found}


def _rows(client: NetSuiteClient, table: str) -> tuple[Choice, ...]:
    """The active rows; none of a list that goes on beyond a page, or that the account or the role has not."""
    name = NAMES.get(table, "name")
    statement = f"SELECT id, {name} AS name FROM {table} WHERE isinactive = 'F' ORDER BY {name}, id"  # noqa: S608 - constants
    try:
        rows = client.query(statement)
    except Rejected:
        return ()
    return () if len(rows) == MOST_ROWS else tuple(Choice(row["id"], row.get("name", "")) for row in rows)
