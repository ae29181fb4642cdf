"""Whether the ids among a connection's settings stand in the company's own lists, are active and fit their purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import TaxCode, read_tax_codes, tax_codes
from erp_pipelines.connectors.quickbooks.settings import QuickBooksSettings
from erp_pipelines.connectors.quickbooks.wire import AccountDoc, ItemDoc, Listed
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.errors import RecordInvalid

INCOME = frozenset({"Income", "Other Income"})
MONEY = frozenset({"Bank", "Other Current Asset"})
ACCOUNT_TYPES: Mapping[str, frozenset[str]] = {
    "incomeAccountId": INCOME,
    "depositAccountId": MONEY,
    "providerSettings.refundAccountId": MONEY,
    "discountAccountId": INCOME | {"Expense", "Other Expense", "Cost of Goods Sold"},
}
INCOMES, DEPOSITS = "providerSettings.incomeAccounts", "providerSettings.depositAccounts"
LINE_ITEMS = "providerSettings.lineItems"
ITEMS = ("shippingItemId", "providerSettings.roundingItemId", "providerSettings.refundItemId")


@dataclass(frozen=True)
class Chosen:
    """The ids that settings name, by the JSON path of the setting.

    `others`: the list besides; `codes`: the percentage that a tax code is chosen for.
    """

    accounts: Mapping[str, str]
    items: Mapping[str, str]
    others: Mapping[str, tuple[str, str]]
    codes: Mapping[str, tuple[str, Decimal | None]]

    @classmethod
    def of(cls, settings: ConnectionSettings) -> Chosen:
        own = QuickBooksSettings.model_validate(settings.provider_settings or {})
        ids = settings.model_dump(by_alias=True)
        ids |= {f"providerSettings.{name}": value for name, value in own.model_dump(by_alias=True).items()}
        singles = (("taxCodeId", None), ("exemptTaxCodeId", Decimal(0)))
        codes = {name: (ids[name], percent) for name, percent in singles if ids[name]}
        codes |= {f"providerSettings.taxCodes.{rate}": (code, rate * 100) for rate, code in own.tax_codes.items()}
        return cls(
            {name: ids[name] for name in ACCOUNT_TYPES if ids.get(name)}
            | {f"{INCOMES}.{kind}": account for kind, account in own.income_accounts.items()}
            | {f"{DEPOSITS}.{method}": account for method, account in own.deposit_accounts.items()},
            {name: ids[name] for name in ITEMS if ids[name]}
            | {f"{LINE_ITEMS}.{kind}": item for kind, item in own.line_items.items()},
            _others(own),
            codes,
        )


def _others(own: QuickBooksSettings) -> dict[str, tuple[str, str]]:
    chosen = {("classId", "Class"): own.class_id, ("departmentId", "Department"): own.department_id}
    chosen |= {(f"classes.{name}", "Class"): found for name, found in own.classes.items()}
    chosen |= {(f"terms.{name}", "Term"): term for name, term in own.terms.items()}
    chosen |= {(f"paymentMethods.{name}", "PaymentMethod"): method for name, method in own.payment_methods.items()}
    return {f"providerSettings.{name}": (entity, row_id) for (name, entity), row_id in chosen.items() if row_id}


def check(
    client: QuickBooksClient, before: ConnectionSettings, after: ConnectionSettings, *, in_the_us: bool
) -> dict[str, Any]:
    """Raises RecordInvalid naming the first changed setting that is wrong; gives the facts that were read anew.

    A read for each list that a changed setting names; none where no such setting has changed.
    """
    old, new = Chosen.of(before), Chosen.of(after)
    _check_accounts(client, _changed(old.accounts, new.accounts))
    _check_items(client, _changed(old.items, new.items))
    _check_others(client, _changed(old.others, new.others))
    codes = _changed(old.codes, new.codes)
    if not codes:
        return {}
    if in_the_us:
        raise _wrong(next(iter(codes)), "is for companies outside the US; there lines take TAX or NON", "Take it away.")
    facts = {"taxCodes": read_tax_codes(client)}
    _check_codes(codes, tax_codes(facts))
    return facts


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if before.get(name) != value}


def _check_accounts(client: QuickBooksClient, wanted: Mapping[str, str]) -> None:
    found = {doc.id: doc for doc in client.by_ids(AccountDoc, "Account", wanted.values())}
    for name, account_id in wanted.items():
        account = found.get(account_id)
        if account is None or not account.active:
            raise _wrong(
                name, f"{account_id} is no active account of the company", "Choose one of its chart of accounts."
            )
        allowed = ACCOUNT_TYPES.get(name) or (INCOME if name.startswith(INCOMES) else MONEY)
        if account.account_type not in allowed:
            kinds = ", ".join(sorted(allowed))
            raise _wrong(name, f"account {account_id} is of type {account.account_type}", f"Choose one of: {kinds}.")


def _check_items(client: QuickBooksClient, wanted: Mapping[str, str]) -> None:
    found = {doc.id: doc for doc in client.by_ids(ItemDoc, "Item", wanted.values())}
    for name, item_id in wanted.items():
        item = found.get(item_id)
        if item is None or not item.active or item.type == "Category":
            raise _wrong(
                name, f"{item_id} is no active item that can be sold", "Choose a service or non-inventory item."
            )


def _check_others(client: QuickBooksClient, wanted: Mapping[str, tuple[str, str]]) -> None:
    for entity in sorted({entity for entity, _ in wanted.values()}):
        ids = {name: row_id for name, (kind, row_id) in wanted.items() if kind == entity}
        found = {row.id for row in client.by_ids(Listed, entity, ids.values()) if row.active}
        for name, row_id in ids.items():
            if row_id not in found:
                raise _wrong(name, f"{row_id} is no active {entity} of the company", "Choose one of its list.")


def _check_codes(wanted: Mapping[str, tuple[str, Decimal | None]], found: Mapping[str, TaxCode]) -> None:
    for name, (code_id, percent) in wanted.items():
        code = found.get(code_id)
        if code is None or not code.active:
            raise _wrong(name, f"{code_id} is no active tax code of the company", "Choose one of its tax codes.")
        if percent is not None and code.percent != percent:
            said = f"the rates of tax code {code_id} come to {code.percent} %"
            raise _wrong(name, said, "Choose the tax code of that rate.")


def _wrong(name: str, said: str, mend: str) -> RecordInvalid:
    return RecordInvalid(f"{name}: {said}.", field=name, mend=mend)
