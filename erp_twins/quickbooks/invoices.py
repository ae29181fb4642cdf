"""Sales forms: invoice, credit memo, refund receipt, sales receipt (reference 4.6, 4.9)."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults, lines, tax
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.money import ZERO, cents, number, ref, truth

_ADDRESSES = ("BillAddr", "ShipAddr")


def check(company: Company, entity: str, doc: Doc, old: Doc | None, options: frozenset[str]) -> None:
    """Complete a sales form, or refuse it."""
    doc.setdefault("TxnDate", company.today())
    _number(company, entity, doc, old, options)
    currency(company, doc)
    _due(company, entity, doc)
    lines.settle(company, doc, old)
    _defaults(company, doc)
    _totals(company, doc, old)
    _balance(company, entity, doc, old)


def currency(company: Company, doc: Doc) -> None:
    """A form's currency is its customer's (6000 otherwise); the rate defaults to the company's table, then 1."""
    customer = company.get("Customer", ref(doc, "CustomerRef"))
    own = ref(customer or {}, "CurrencyRef") or company.settings.currency
    if (ref(doc, "CurrencyRef") or own) != own:
        raise faults.business(f"You must change the transaction currency to match the customer's: {own}.")
    doc["CurrencyRef"] = {"value": own}
    if not company.settings.multicurrency:
        doc.pop("ExchangeRate", None)
        return
    sent = number(doc.get("ExchangeRate", 0), "ExchangeRate")
    doc["ExchangeRate"] = sent or rate(company, own)


def rate(company: Company, code: str) -> Decimal:
    found = company.get("ExchangeRate", code)
    return Decimal(found["Rate"]) if found else Decimal(1)


def _number(company: Company, entity: str, doc: Doc, old: Doc | None, options: frozenset[str]) -> None:
    """Own numbers are kept, or the company numbers by itself, as its preference says."""
    if not company.settings.custom_txn_numbers:
        doc["DocNumber"] = old["DocNumber"] if old and old.get("DocNumber") else _next_number(company)
    elif doc.get("DocNumber") == "AUTO_GENERATE":
        doc["DocNumber"] = _next_number(company)
    elif doc.get("DocNumber") and company.settings.warn_duplicate_numbers and "allowduplicatedocnum" not in options:
        _refuse_taken(company, entity, doc)


def _refuse_taken(company: Company, entity: str, doc: Doc) -> None:
    held = company.holder(f"numbers:{entity}", str(doc["DocNumber"]))
    if held and held[1] != doc.get("Id"):
        raise faults.duplicate_number(str(doc["DocNumber"]), *held)


def _next_number(company: Company) -> str:
    company.counters["DocNumber"] = company.counters.get("DocNumber", 1000) + 1
    return str(company.counters["DocNumber"])


def _due(company: Company, entity: str, doc: Doc) -> None:
    if entity != "Invoice":
        return
    customer = company.get("Customer", ref(doc, "CustomerRef")) or {}
    if "SalesTermRef" not in doc and customer.get("SalesTermRef"):
        doc["SalesTermRef"] = dict(customer["SalesTermRef"])
    term = company.get("Term", ref(doc, "SalesTermRef")) or {}
    due = date.fromisoformat(doc["TxnDate"]) + timedelta(days=int(term.get("DueDays", 0)))
    doc.setdefault("DueDate", due.isoformat())


def _defaults(company: Company, doc: Doc) -> None:
    doc.setdefault("EmailStatus", "NotSet")
    doc.setdefault("PrintStatus", "NeedToPrint")
    doc["ApplyTaxAfterDiscount"] = truth(doc.get("ApplyTaxAfterDiscount", False))
    doc.setdefault("LinkedTxn", [])
    doc["CustomField"] = [one for one in doc.get("CustomField", []) if one]
    if doc["EmailStatus"] == "NeedToSend" and not doc.get("BillEmail"):
        raise faults.fault(
            6420, "E-mail needed for delivery type", "An e-mail address is needed to send this form", "BillEmail"
        )
    if company.settings.tax_engine != "non_us":
        doc.pop("GlobalTaxCalculation", None)
    customer = company.get("Customer", ref(doc, "CustomerRef")) or {}
    for name in _ADDRESSES:
        if name not in doc and customer.get(name):
            doc[name] = copy.deepcopy(customer[name])
        if name in doc:
            doc[name].setdefault("Id", company.next_address())


def _totals(company: Company, doc: Doc, old: Doc | None) -> None:
    taken_off = lines.discount(doc)
    same_tax = old is not None and doc.get("TxnTaxDetail") == old["TxnTaxDetail"]
    delta = ZERO if same_tax else company.settings.tax_delta
    doc["TxnTaxDetail"] = tax.detail(company, doc, taken_off, delta)
    doc["TotalAmt"] = cents(lines.subtotal(doc) - taken_off + lines.shipping(doc) + doc["TxnTaxDetail"]["TotalTax"])
    if doc["TotalAmt"] < 0:
        raise faults.business("The transaction amount must be 0 or greater.")
    if company.settings.multicurrency:
        doc["HomeTotalAmt"] = cents(doc["TotalAmt"] * doc["ExchangeRate"])


def _balance(company: Company, entity: str, doc: Doc, old: Doc | None) -> None:
    if entity == "Invoice":
        doc["Deposit"] = cents(number(doc.get("Deposit", 0), "Deposit"))
        if doc["Deposit"] and not company.settings.allow_deposit:
            raise faults.business("Deposits are turned off for this company.")
        doc["LinkedTxn"] = [link for link in doc["LinkedTxn"] if link.get("TxnType") != "Payment"] + payment_links(old)
        doc["Balance"] = max(doc["TotalAmt"] - doc["Deposit"] - applied(old), ZERO)
        if company.settings.multicurrency:
            doc["HomeBalance"] = cents(doc["Balance"] * doc["ExchangeRate"])
    elif entity == "CreditMemo":
        doc["RemainingCredit"] = doc["Balance"] = max(doc["TotalAmt"] - used(old), ZERO)
    else:
        doc["Balance"] = ZERO


def payment_links(invoice: Doc | None) -> list[Doc]:
    """Links that are written from the payment's side only."""
    return [link for link in (invoice or {}).get("LinkedTxn", []) if link.get("TxnType") == "Payment"]


def applied(invoice: Doc | None) -> Decimal:
    """What payments have settled of an invoice."""
    return invoice["TotalAmt"] - invoice.get("Deposit", ZERO) - invoice["Balance"] if invoice else ZERO


def used(memo: Doc | None) -> Decimal:
    return memo["TotalAmt"] - memo["RemainingCredit"] if memo else ZERO


def voided(doc: Doc) -> Doc:
    """The same form with every amount, quantity and tax at zero."""
    emptied = copy.deepcopy(doc)
    for line in emptied["Line"]:
        line["Amount"] = ZERO
        if "Qty" in tax.detail_of(line):
            line["SalesItemLineDetail"]["Qty"] = Decimal(0)
    zeros: Doc = {
        name: ZERO
        for name in ("TotalAmt", "Balance", "HomeTotalAmt", "HomeBalance", "RemainingCredit", "Deposit")
        if name in emptied
    }
    note = f"Voided - {doc['PrivateNote']}" if doc.get("PrivateNote") else "Voided"
    return {**emptied, **zeros, "TxnTaxDetail": {"TotalTax": ZERO}, "LinkedTxn": [], "PrivateNote": note}


def refuse_linked(doc: Doc) -> None:
    """A form with payments must be unlinked before it is deleted (reference 4.2)."""
    if payment_links(doc):
        raise faults.fault(
            800, "Dependencies exist", "The transaction has linked transactions; unlink them before deleting it"
        )
