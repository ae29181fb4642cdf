"""Sales tax both ways: SuiteTax with its own result or an override, and the legacy codes on lines (reference 4.7)."""

from __future__ import annotations

from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import user_error
from erp_twins.netsuite.values import ZERO, cents


def complete(account: Account, doc: Doc) -> None:
    """Set `taxAmount` on every line and `taxTotal`; subtotal and discount must stand already. Raises Refused."""
    if not account.has("suite_tax"):
        _legacy(account, doc)
    elif doc.get("taxDetailsOverride"):
        _overridden(doc)
    else:
        rate = account.settings.tax_rate_percent
        for line in doc["item"]:
            line["taxAmount"] = cents(_base(doc, line) * rate / 100)
        doc["taxTotal"] = _total(doc)


def _total(doc: Doc) -> Decimal:
    return sum((Decimal(line["taxAmount"]) for line in doc["item"]), ZERO)


def _base(doc: Doc, line: Doc) -> Decimal:
    """A line's amount less its part of the order's discount."""
    amount = Decimal(line["amount"])
    if not doc["discountTotal"] or not doc["subtotal"]:
        return amount
    return amount * (1 + Decimal(doc["discountTotal"]) / Decimal(doc["subtotal"]))


def _overridden(doc: Doc) -> None:
    """The sender's own tax: what the details say, to the cent."""
    references = {line.get("taxDetailsReference") for line in doc["item"]}
    details = doc.get("taxDetails", [])
    for detail in details:
        if detail.get("taxDetailsReference") not in references:
            raise user_error("tax_reference", "taxDetails", reference=detail.get("taxDetailsReference", ""))
    for line in doc["item"]:
        own = [d for d in details if d["taxDetailsReference"] == line.get("taxDetailsReference")]
        line["taxAmount"] = sum((cents(Decimal(d.get("taxAmount", 0))) for d in own), ZERO)
    doc["taxTotal"] = _total(doc)


def _legacy(account: Account, doc: Doc) -> None:
    for line in doc["item"]:
        sent = line.get("tax1Amt")
        line["taxAmount"] = cents(sent) if sent is not None else cents(_base(doc, line) * _rate(account, doc, line) / 100)  # fmt: skip
    shipping = _code_rate(account, doc.get("shippingTaxCode", ""))
    doc["taxTotal"] = _total(doc) + cents(Decimal(doc.get("shippingCost", 0)) * shipping / 100)


def _rate(account: Account, doc: Doc, line: Doc) -> Decimal:
    if line.get("taxRate1") is not None:
        return Decimal(line["taxRate1"])
    if line.get("taxCode"):
        return _code_rate(account, line["taxCode"])
    if not doc.get("isTaxable", True) or not line.get("isTaxable", True):
        return Decimal(0)
    return Decimal(doc["taxRate"]) if doc.get("taxRate") is not None else _code_rate(account, doc.get("taxItem", ""))


def _code_rate(account: Account, code: str) -> Decimal:
    return Decimal((account.get("taxcode", code) or {}).get("rate", 0))
