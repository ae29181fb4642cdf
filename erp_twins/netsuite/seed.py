"""What a new account holds: the lists that a company sets up before it sells anything."""

from __future__ import annotations

import calendar
from decimal import Decimal
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account, Change
from erp_twins.netsuite.record_types import TYPES

_ACCOUNTS = (
    ("1000", "Checking", "Bank"),
    ("1100", "Accounts Receivable", "AcctRec"),
    ("1050", "Undeposited Funds", "OthCurrAsset"),
    ("1200", "Inventory Asset", "OthCurrAsset"),
    ("4000", "Sales", "Income"),
    ("4100", "Services", "Income"),
    ("4200", "Shipping Income", "Income"),
    ("4900", "Discounts Given", "Income"),
    ("5000", "Cost of Goods Sold", "COGS"),
    ("2200", "Sales Taxes Payable", "OthCurrLiab"),
)
_TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))
_CURRENCIES = (("US Dollar", "USD", "1"), ("Euro", "EUR", "1.10"), ("British Pound", "GBP", "1.25"))
_PLAIN = {
    "priceLevel": ("Base Price", "Wholesale", "Employee", "Online Price"),
    "department": ("Sales", "Service"),
    "classification": ("Online", "Retail"),
    "taxType": ("State Tax",),
    "taxSchedule": ("Taxable Goods", "Not Taxable"),
    "paymentMethod": ("Cash", "Check", "Visa", "ACH"),
}
_TAX_CODES = (("CA State", "8"), ("Reduced", "5"), ("Not Taxable", "0"))
_FORMS = ("salesOrder", "invoice", "creditMemo", "customerPayment", "customer")
FIRST_YEAR, LAST_YEAR = 2020, 2045


def fill(account: Account) -> None:
    """Seed an empty account, without history. Two subsidiaries on OneWorld, two locations where they are on."""
    lists: dict[str, list[Doc]] = {
        "account": [{"acctNumber": number, "acctName": name, "acctType": kind} for number, name, kind in _ACCOUNTS],
        "term": [{"name": name, "daysUntilNetDue": days} for name, days in _TERMS],
        "currency": _currencies(account),
        "taxcode": [{"itemId": name, "rate": Decimal(rate)} for name, rate in _TAX_CODES],
        "shipItem": [{"itemId": name} for name in ("Ground", "Express")],
        "customForm": [{"name": f"Standard {TYPES[name].title}", "recordType": name} for name in _FORMS],
        "location": [{"name": name, "subsidiary": ["1"]} for name in ("Main Warehouse", "Shop")],
        "subsidiary": [{"name": account.settings.name, "currency": "1"}, {"name": "Northern Branch", "parent": "1", "currency": "1"}],
        **{name: [{"name": text} for text in texts] for name, texts in _PLAIN.items()},
    }  # fmt: skip
    for name, rows in lists.items():
        if account.has(_FEATURES.get(name, "")) or name not in _FEATURES:
            _store(account, name, dict(enumerate(rows, 1)))
    _store(account, "priceLevel", {-1: {"name": "Custom"}})
    _store(account, "customerStatus", {13: {"name": "Customer-Closed Won"}})
    _store(account, "accountingPeriod", _periods())
    account.history.clear()


_FEATURES = {
    "location": "locations",
    "department": "departments",
    "classification": "classes",
    "subsidiary": "one_world",
}


def _store(account: Account, name: str, rows: dict[int, Doc]) -> None:
    kind = TYPES[name]
    docs = ({"id": str(ident), "isInactive": False, **row} for ident, row in rows.items())
    account.commit(*(Change(kind, doc, "Create") for doc in docs))
    account.counters[name] = max(account.counters.get(name, 0), *rows)


def _currencies(account: Account) -> list[Doc]:
    """The account's own currency first: it has id 1."""
    home = account.settings.currency
    rows = [row for row in _CURRENCIES if row[1] == home] or [(home, home, "1")]
    rows += [row for row in _CURRENCIES if row[1] != home] if account.has("multicurrency") else []
    return [{"name": name, "symbol": symbol, "exchangeRate": Decimal(rate)} for name, symbol, rate in rows]


def _periods() -> dict[int, Doc]:
    return {
        year * 100 + month: _period(year, month) for year in range(FIRST_YEAR, LAST_YEAR + 1) for month in range(1, 13)
    }


def _period(year: int, month: int) -> dict[str, Any]:
    last = calendar.monthrange(year, month)[1]
    name = f"{calendar.month_abbr[month]} {year}"
    return {
        "periodName": name,
        "startDate": f"{year}-{month:02}-01",
        "endDate": f"{year}-{month:02}-{last}",
        "closed": False,
    }
