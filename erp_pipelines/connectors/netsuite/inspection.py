"""The first look at an account: what the role may do and what the books allow. All that is missing is named at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from erp_pipelines.connectors.netsuite.client import NetSuiteClient, Row
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME, NetSuiteConfig
from erp_pipelines.connectors.netsuite.faults import NO_SUCH_RECORD
from erp_pipelines.connectors.netsuite.wire import RecordDoc
from erp_pipelines.connectors.netsuite.zones import SQL_FORMAT, Sample, Zone, parse, zone_of
from erp_pipelines.connectors.provider import Company
from erp_pipelines.domain.errors import ConnectionLost, ConsentRefused, Rejected

# Record types that are written in every case, and those that are read in every case, with the permission that each needs
# as NetSuite's role form shows it.
WRITTEN = {
    "customer": "Lists, Customers",
    "inventoryItem": "Lists, Items",
    "nonInventorySaleItem": "Lists, Items",
    "serviceSaleItem": "Lists, Items",
    "salesOrder": "Transactions, Sales Order",
}
READ = {
    "invoice": "Transactions, Invoice",
    "customerPayment": "Transactions, Customer Payment",
    "creditMemo": "Transactions, Credit Memo",
}
# Tables that are searched.
TABLES = {
    "customer": "Lists, Customers",
    "item": "Lists, Items",
    "transaction": "Transactions, Find Transaction",
    "nexttransactionlinelink": "Transactions, Find Transaction",
    "deletedrecord": "Lists, Deleted Records",
}
WORKBOOK = "Reports, SuiteAnalytics Workbook (Edit)"
# An id that no record has: whether it is "not there" or "not yours to see" tells what the role may do.
NOBODY = "0"
# What a query that names one table and no column of it is refused with where there is no such table, for this role.
NO_SUCH_TABLE = "INVALID_PARAMETER"
_LOGIN = {
    "oauth2_m2m": "The token was given, but no call is let in: add the Setup permissions REST Web Services (Full) and Log in using OAuth 2.0 Access Tokens (Full) to the role of the certificate's mapping.",
    "tba": "See that account id, consumer key and secret, token id and secret are of one integration and one access token, that Token-Based Authentication is ticked on the integration record, and that the role has the Setup permissions REST Web Services (Full) and Log in using Access Tokens (Full); the user's Login Audit Trail has the precise reason.",
}


def described(client: NetSuiteClient, config: NetSuiteConfig, auth_method: str) -> Company:
    """Read the account. The facts are JSON. Raises ConsentRefused naming all that is missing and where to set it."""
    look = _Look(client)
    try:
        look.at_permissions()
        facts = {} if look.missing else look.facts(config)
    except ConnectionLost:
        raise ConsentRefused(f"{DISPLAY_NAME} refuses the login.", mend=_LOGIN[auth_method]) from None
    except Rejected as error:  # for a reason that is no permission
        raise ConsentRefused(error.message, mend=error.mend) from None
    if look.missing:
        raise _lacking(look.missing)
    account = client.account
    return Company(account.id, company_name(facts["subsidiaries"], account.id), account.environment, facts)


def company_name(subsidiaries: dict[str, str], account_id: str) -> str:
    """The name of the parent subsidiary; REST tells that of no other account."""
    return subsidiaries[min(subsidiaries, key=int)] if subsidiaries else f"{DISPLAY_NAME} {account_id}"


def subsidiaries(client: NetSuiteClient) -> dict[str, str]:
    """Names by id; empty where the account is no OneWorld account, which has no such table."""
    try:
        rows = client.query("SELECT id, name FROM subsidiary ORDER BY id")
    except Rejected as error:
        if error.erp_code.startswith(NO_SUCH_TABLE):
            return {}
        raise
    return {row["id"]: row.get("name", "") for row in rows}


def currency_rows(client: NetSuiteClient) -> tuple[Row, ...]:
    """The account's currencies: the shortest list that there is."""
    return client.query("SELECT id, symbol FROM currency ORDER BY id")


def _lacking(missing: list[str]) -> ConsentRefused:
    return ConsentRefused(
        f"{DISPLAY_NAME} lets us in, but the role may do too little. It lacks: {'; '.join(missing)}.",
        mend="Add these permissions to the role in NetSuite under Setup, Users/Roles, Manage Roles, then connect again.",
    )


@dataclass
class _Look:
    client: NetSuiteClient
    missing: list[str] = field(default_factory=list)

    def at_permissions(self) -> None:
        for record_type, permission in WRITTEN.items():
            self._lacks(f"{permission} (Edit)", partial(self._touch, record_type))
        for record_type, permission in READ.items():
            self._lacks(f"{permission} (View)", partial(self._open, record_type))
        if not self._lacks(WORKBOOK, partial(self._search, "currency"), unless=NO_SUCH_TABLE):
            for table, permission in TABLES.items():
                self._lacks(f"{permission} (View)", partial(self._search, table))

    def facts(self, config: NetSuiteConfig) -> dict[str, Any]:
        properties = self._properties("salesOrder")
        divisions = subsidiaries(self.client)
        if "subsidiary" in properties and not divisions:
            self.missing.append("Lists, Subsidiaries (View)")
        currencies = self._currencies()
        zone = self._zone(config.zone)
        return {
            "subsidiaries": divisions,
            "suiteTax": "taxDetailsOverride" in properties if properties else None,
            "currencies": {symbol: ident for symbol, ident in currencies.items() if len(currencies) > 1},
            "homeCurrency": next((symbol for symbol, ident in currencies.items() if ident == "1"), ""),
            "terms": self._named("term"),
            "tables": [table for table in ("location", "department", "classification") if self._has(table)],
            "zone": zone.name,
            "zoneProven": zone.proven,
            **self._limits(),
        }

    def _properties(self, record_type: str) -> frozenset[str]:
        """Empty where NetSuite does not say: then most is taken to be there."""
        try:
            return self.client.metadata(record_type)
        except Rejected:
            return frozenset()

    def _lacks(self, permission: str, call: Callable[[], object], *, unless: str = "") -> bool:
        """Whether a call is refused for want of this permission; it is noted then, once. No other reason is left for them."""
        try:
            call()
        except Rejected as error:
            if unless and error.erp_code.startswith(unless):
                return False
        else:
            return False
        if permission not in self.missing:
            self.missing.append(permission)
        return True

    def _touch(self, record_type: str) -> None:
        """Ask for a record that is not there, then to change it: neither does anything."""
        self._open(record_type)
        try:
            self.client.update(record_type, NOBODY, {})
        except Rejected as error:
            if error.erp_code != NO_SUCH_RECORD:
                raise

    def _open(self, record_type: str) -> None:
        self.client.find(RecordDoc, record_type, NOBODY, ("externalId",))

    def _search(self, table: str) -> tuple[Row, ...]:
        return self.client.query(f"SELECT COUNT(*) AS found FROM {table} WHERE ROWNUM <= 1")  # noqa: S608 - names of this module

    def _has(self, table: str) -> bool:
        try:
            self._search(table)
        except Rejected:
            return False
        return True

    def _named(self, table: str) -> dict[str, str]:
        """Ids of a list by name; empty where this role sees no such list."""
        try:
            rows = self.client.query(f"SELECT id, name FROM {table} ORDER BY id")  # noqa: S608 - names of this module
        except Rejected:
            return {}
        return {row["name"]: row["id"] for row in rows if row.get("name")}

    def _currencies(self) -> dict[str, str]:
        """Ids by code, the company's own one first. An account without several currencies may have no such table."""
        try:
            rows = currency_rows(self.client)
        except Rejected:
            return {}
        return {row["symbol"]: row["id"] for row in rows if row.get("symbol")}

    def _zone(self, expected: str) -> Zone:
        return zone_of(list(self._samples()), expected)

    def _samples(self) -> Iterator[Sample]:
        """The customers that were changed first and last, and one of the other half of the year, read both ways."""
        shown = f"TO_CHAR(lastmodifieddate, '{SQL_FORMAT}')"
        columns = f"SELECT id, {shown} AS at FROM customer"  # noqa: S608 - constants of this package
        summer = "WHERE TO_CHAR(lastmodifieddate, 'MM') BETWEEN '04' AND '09'"
        winter = "WHERE TO_CHAR(lastmodifieddate, 'MM') IN ('11', '12', '01', '02')"
        for half in (summer, winter):
            for row in self.client.query(f"{columns} {half} ORDER BY lastmodifieddate DESC, id DESC", limit=1):
                doc = self.client.find(RecordDoc, "customer", row["id"], ("lastModifiedDate",))
                if doc is not None and doc.updated_at is not None:
                    yield Sample(doc.updated_at.replace(microsecond=0), parse(row["at"]))

    def _limits(self) -> dict[str, Any]:
        """How many calls at once; only an administrator's role is told."""
        try:
            limits = self.client.governance_limits()
        except Rejected:
            return {}
        ours = limits.get("integrationLimitType") == "integrationSpecific"
        limit = limits.get("integrationConcurrencyLimit" if ours else "accountConcurrencyLimit")
        return {"concurrencyLimit": int(limit), "concurrencyIsOurs": ours} if limit else {}
