"""Customers and items. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.mapping import is_email, list_name, number, set_only, setting_missing
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.mapper_shared import address, currency, reference
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import Address

RECORD_TYPES = {
    "inventory": "inventoryItem",
    "noninventory": "nonInventorySaleItem",
    "service": "serviceSaleItem",
}
BILLING, SHIPPING = "Shop billing address", "Shop shipping address"
OUR_LABELS = frozenset({BILLING, SHIPPING})
# Sent with a create only. Some of it cannot change, the rest belongs to the bookkeeper once the record stands.
AT_CREATION_ONLY = frozenset(
    """
    subsidiary currency comments customForm incomeAccount cogsAccount assetAccount taxSchedule includeChildren isPerson
    """.split()
)


def customer(record: Customer, books: Books, *, suffix: str = "") -> dict[str, Any]:
    """A customer, always as a company. What fits no field of NetSuite stands in the comments:
    a malformed e-mail address, and terms that the account does not know by that name.
    """
    shown = list_name(record.name, books.config.name_length, suffix, "customer", DISPLAY_NAME)
    by_name = books.own.customer_numbering == "name"
    term = books.terms.get((record.terms or "").casefold())
    email = record.email if record.email and is_email(record.email, books.config.email_length) else None
    return {
        **set_only(
            {
                "entityId": shown if by_name else None,
                # Auto-generated numbers would take the place of what is sent.
                "autoName": False if by_name else None,
                "companyName": list_name(record.name, books.config.name_length, "", "customer", DISPLAY_NAME),
                "isPerson": False,
                "email": email,
                "phone": clean(record.phone, books.config.phone_length),
                "subsidiary": _subsidiary(books),
                "isInactive": not record.active,
                "terms": reference(term),
                "comments": _comments(record, email=email is None, terms=term is None),
                "customForm": reference(books.own.custom_form_ids.customer),
                "addressBook": _address_book(record, books),
            }
        ),
        **_taxable(taxable=not record.tax_exempt, name="taxable", books=books),
        **currency(record.currency, books),
        **books.own.customer_fields,
    }


def item(record: Product, books: Books, *, suffix: str = "") -> dict[str, Any]:
    """An item by its SKU, or by its name where it has none. Its kind is the record type, see `record_type`."""
    own, config = books.own, books.config
    income = own.income_account_id or books.settings.income_account_id
    if not income:
        raise _account_missing("income", "incomeAccountId")
    return {
        **set_only(
            {
                "itemId": list_name(
                    record.sku or record.name, config.item_name_length, suffix, "product", DISPLAY_NAME
                ),
                "displayName": clean(record.name, config.item_name_length),
                "salesDescription": clean_lines(record.description or "", config.description_length),
                "incomeAccount": reference(income),
                **(_stock_accounts(books) if record.kind == "inventory" else {}),
                "taxSchedule": reference(own.tax_schedule_id),
                "subsidiary": {"items": [reference(books.subsidiary)]}
                if books.one_world and books.subsidiary
                else None,
                "isInactive": not record.active,
                "customForm": reference(own.custom_form_ids.item),
                "price": _price(record, books),
            }
        ),
        **_taxable(taxable=record.taxable, name="isTaxable", books=books),
        **own.item_fields,
    }


def record_type(record: Product) -> str:
    return RECORD_TYPES[record.kind]


def changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """What an update sends of a body that was made for a create."""
    return {name: part for name, part in body.items() if name not in AT_CREATION_ONLY}


def _subsidiary(books: Books) -> dict[str, str] | None:
    if not books.one_world:
        return None
    if not books.subsidiary:
        known = ", ".join(f"{ident} ({name})" for ident, name in books.subsidiaries.items())
        raise setting_missing(
            "The account has several subsidiaries, and none is chosen for new customers.",
            "subsidiaryId",
            f"Choose the subsidiary in the settings of the NetSuite connection: {known}.",
        )
    return reference(books.subsidiary)


def _taxable(*, taxable: bool, name: str, books: Books) -> dict[str, Any]:
    """Where the account has SuiteTax, registrations and schedules decide instead."""
    return {} if books.suite_tax else {name: taxable}


def _address_book(record: Customer, books: Books) -> dict[str, Any] | None:
    """One entry per address: the same one for both is one entry."""
    billing, shipping = record.billing_address, record.shipping_address
    same = shipping is None or shipping == billing
    entries = [_entry(billing, BILLING, books, billing=True, shipping=same)]
    if not same:
        entries.append(_entry(shipping, SHIPPING, books, billing=billing is None, shipping=True))
    return {"items": [entry for entry in entries if entry]} if any(entries) else None


def _entry(place: Address | None, label: str, books: Books, *, billing: bool, shipping: bool) -> dict[str, Any] | None:
    found = address(place, books)
    if found is None:
        return None
    return {"label": label, "defaultBilling": billing, "defaultShipping": shipping, "addressBookAddress": found}


def _comments(record: Customer, *, email: bool, terms: bool) -> str:
    lines = [
        f"E-mail: {record.email}" if email and record.email else "",
        f"Terms: {record.terms}" if terms and record.terms else "",
        record.notes or "",
    ]
    return clean_lines("\n".join(lines), 4000)


def _stock_accounts(books: Books) -> dict[str, Any]:
    own = books.own
    if not own.cogs_account_id:
        raise _account_missing("cost of goods sold", "cogsAccountId")
    if not own.asset_account_id:
        raise _account_missing("asset", "assetAccountId")
    return {"cogsAccount": reference(own.cogs_account_id), "assetAccount": reference(own.asset_account_id)}


def _account_missing(kind: str, setting: str) -> Exception:
    return setting_missing(
        f"No {kind} account is known for items.",
        setting,
        f"Choose the {kind} account in the settings of the NetSuite connection.",
    )


def _price(record: Product, books: Books) -> dict[str, Any] | None:
    """The list price at the level that the settings choose; orders carry their own prices anyway."""
    level = books.own.base_price_level_id
    home = books.currencies.get(books.home_currency)
    if not level or record.unit_price is None:
        return None
    line = {"priceLevel": reference(level), "currencyPage": reference(home), "quantity": {"value": "0"}}
    return {"items": [set_only({**line, "price": number(record.unit_price)})]}
