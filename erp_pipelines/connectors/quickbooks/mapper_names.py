"""Customers and items: the two name lists. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.mapping import is_email, list_name, number, set_only, setting_missing
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_shared import address, reference
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.products import Product

EMAIL_LENGTH, ITEM_NAME_LENGTH, SKU_LENGTH, DESCRIPTION_LENGTH, COMPANY_LENGTH = 100, 100, 100, 4000, 100
# Sent with a create only. The currency cannot change; the rest belongs to the bookkeeper once the record stands:
# an adopted item keeps its kind and its account, an adopted customer its notes.
AT_CREATION_ONLY = frozenset({"CurrencyRef", "Notes", "Type", "IncomeAccountRef"})


def customer(record: Customer, books: Books, *, suffix: str = "") -> dict[str, Any]:
    """A Customer. What fits no field of QuickBooks (a malformed e-mail address, an overlong phone) stands in Notes."""
    shown = list_name(record.name, books.config.display_name_length, suffix, "customer", DISPLAY_NAME)
    email = record.email if record.email and is_email(record.email, EMAIL_LENGTH) else None
    phone = clean(record.phone, books.config.phone_length + 1)
    fits = len(phone) <= books.config.phone_length
    return set_only(
        {
            "DisplayName": shown,
            "CompanyName": clean(record.name, COMPANY_LENGTH),
            "PrimaryEmailAddr": {"Address": email} if email else None,
            "PrimaryPhone": {"FreeFormNumber": phone} if phone and fits else None,
            "BillAddr": address(record.billing_address),
            "ShipAddr": address(record.shipping_address),
            "SalesTermRef": _term(record.terms, books),
            "Notes": _notes(record, books, email=email is None, phone=not fits),
            "Taxable": not record.tax_exempt,
            "Active": record.active,
            "CurrencyRef": reference(record.currency) if books.multi_currency else None,
        }
    )


def item(record: Product, books: Books, *, suffix: str = "") -> dict[str, Any]:
    """An Item: Service or NonInventory. The shop keeps the stock, so QuickBooks counts none."""
    account = books.own.income_accounts.get(record.kind) or books.income_account_id
    if not account:
        raise setting_missing(
            "No income account is known for items.",
            "incomeAccountId",
            "Choose the income account in the settings of the QuickBooks connection.",
        )
    return set_only(
        {
            "Name": list_name(record.name, ITEM_NAME_LENGTH, suffix, "product", DISPLAY_NAME),
            "Sku": clean(record.sku, SKU_LENGTH),
            "Description": clean_lines(record.description or "", DESCRIPTION_LENGTH),
            "UnitPrice": number(record.unit_price) if record.unit_price is not None else None,
            "Type": "Service" if record.kind == "service" else "NonInventory",
            "IncomeAccountRef": reference(account),
            "Taxable": record.taxable if books.in_the_us else None,
            "Active": record.active,
        }
    )


def changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """What an update sends of a body that was made for a create."""
    return {name: part for name, part in body.items() if name not in AT_CREATION_ONLY}


def _term(terms: str | None, books: Books) -> dict[str, str] | None:
    """An invoice without a due date of its own takes it from there."""
    term = books.own.terms.get((terms or "").casefold())
    return reference(term) if term else None


def _notes(record: Customer, books: Books, *, email: bool, phone: bool) -> str:
    lines = [
        text.mark(record.id),
        f"E-mail: {record.email}" if email and record.email else "",
        f"Phone: {record.phone}" if phone and record.phone else "",
        f"Terms: {record.terms}" if record.terms else "",
        record.notes or "",
    ]
    return clean_lines("\n".join(lines), books.config.notes_length)
