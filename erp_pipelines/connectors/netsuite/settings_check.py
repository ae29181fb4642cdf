"""Whether the ids among a connection's settings stand in the account's own lists and are active."""

from __future__ import annotations

from collections.abc import Mapping

from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.settings import NetSuiteSettings
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.errors import RecordInvalid, Rejected

# The table of each setting that SuiteQL can look up. Tax codes, ship items and forms are in none that all accounts have.
TABLES: Mapping[str, str] = {
    "subsidiaryId": "subsidiary",
    "locationId": "location",
    "departmentId": "department",
    "classId": "classification",
    "incomeAccountId": "account",
    "cogsAccountId": "account",
    "assetAccountId": "account",
    "depositAccountId": "account",
    "shippingItemId": "item",
    "discountItemId": "item",
}
_OWN = "providerSettings."
BY_NAME: Mapping[str, str] = {f"{_OWN}lineItems": "item", f"{_OWN}classes": "classification"}


def check(client: NetSuiteClient, before: ConnectionSettings, after: ConnectionSettings) -> None:
    """A query for each list that a changed setting names. Raises RecordInvalid naming the first setting that is wrong.

    A list that the role may not see settles nothing.
    """
    old, new = _chosen(before), _chosen(after)
    changed = {path: ident for path, ident in new.items() if old.get(path) != ident}
    for table in sorted({_table(path) for path in changed}):
        _check(client, table, {path: ident for path, ident in changed.items() if _table(path) == table})


def _chosen(settings: ConnectionSettings) -> dict[str, str]:
    """The ids that settings name, by the JSON path of the setting."""
    own = NetSuiteSettings.model_validate(settings.provider_settings or {}).model_dump(by_alias=True)
    found = {**settings.model_dump(by_alias=True), **{f"{_OWN}{name}": value for name, value in own.items()}}
    named = {f"{path}.{name}": ident for path in BY_NAME for name, ident in found[path].items()}
    return {path: str(found[path]) for path in found if found[path] and path.removeprefix(_OWN) in TABLES} | named


def _table(path: str) -> str:
    group = path.rpartition(".")[0]
    return BY_NAME.get(group) or TABLES[path.removeprefix(_OWN)]


def _check(client: NetSuiteClient, table: str, chosen: Mapping[str, str]) -> None:
    try:
        rows = client.by_ids(f"SELECT id, isinactive FROM {table} WHERE id IN ({{ids}}) ORDER BY id", list(chosen.values()))  # noqa: S608 # fmt: skip
    except Rejected:
        return
    active = {row["id"]: row.get("isinactive") != "T" for row in rows}
    for path, ident in chosen.items():
        if not active.get(ident):
            why = "is inactive there" if ident in active else "does not stand there"
            raise RecordInvalid(
                f"{path}: NetSuite has a list for that ({table}), and id {ident} {why}.",
                field=path,
                mend="Choose the internal id of an active entry; NetSuite shows internal ids where Home, Set Preferences, Show Internal IDs is ticked.",
            )
