"""Sales tax: US automated (`us_ast`), US manual, none, and per-rate taxes outside the US (reference 4.10)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.money import ZERO, cents, number, ref

_US_CODES = ("TAX", "NON")
_RATE_NEEDED = "Make sure all your transactions have a GST/HST rate before you save."


def detail_of(line: Doc) -> Doc:
    detail = line.get("SalesItemLineDetail")
    return detail if isinstance(detail, dict) else {}


def line_code(company: Company, line: Doc) -> None:
    """Check or fill in the tax code of a sales line."""
    detail = detail_of(line)
    code = ref(detail, "TaxCodeRef")
    if company.settings.tax_engine == "non_us":
        _foreign_code(company, code)
    elif code and code not in _US_CODES:
        raise faults.fault(
            6100, "Invalid Tax Code", "The tax code on a line must be TAX or NON for a US company", "TaxCodeRef"
        )
    elif not code:
        item = company.get("Item", ref(detail, "ItemRef"))
        detail["TaxCodeRef"] = {"value": "TAX" if item and item.get("Taxable") else "NON"}


def _foreign_code(company: Company, code: str) -> None:
    if not code:
        raise faults.business(_RATE_NEEDED)
    if company.get("TaxCode", code) is None:
        raise QboFault(faults.bad_reference("TaxCodeRef", code))


def detail(company: Company, doc: Doc, discount: Decimal, delta: Decimal) -> Doc:
    """The TxnTaxDetail that the service books; `TotalTax` or tax lines sent by the client override the engine.

    `delta` is added to the total: the switch that lets a test see whether a client notices.
    """
    sent = doc.get("TxnTaxDetail") or {}
    engine = company.settings.tax_engine
    if engine == "us_none" or doc.get("GlobalTaxCalculation") == "NotApplicable":
        return {"TotalTax": ZERO}
    booked = _by_rate(company, doc, sent, discount) if engine == "non_us" else _us(company, doc, sent, discount)
    return {**booked, "TotalTax": booked["TotalTax"] + delta}


def _us(company: Company, doc: Doc, sent: Doc, discount: Decimal) -> Doc:
    base = _base(doc, ("TAX",), discount)
    if "TotalTax" in sent:
        booked: Doc = {"TotalTax": cents(number(sent["TotalTax"], "TxnTaxDetail.TotalTax"))}
    elif company.settings.tax_engine == "us_ast":
        booked = {"TotalTax": cents(base * company.settings.ast_rate_percent / 100) if _taxable(company, doc) else ZERO}
    else:
        booked = {
            "TotalTax": sum((cents(base * rate / 100) for _, rate in _rates(company, ref(sent, "TxnTaxCodeRef"))), ZERO)
        }
    return {**booked, "TxnTaxCodeRef": sent["TxnTaxCodeRef"]} if sent.get("TxnTaxCodeRef") else booked


def _taxable(company: Company, doc: Doc) -> bool:
    customer = company.get("Customer", ref(doc, "CustomerRef"))
    return customer is None or bool(customer.get("Taxable", True))


def _base(doc: Doc, codes: tuple[str, ...], discount: Decimal) -> Decimal:
    """Net amount of the lines with these codes; the discount lowers it only when tax applies after it."""
    lines = [line for line in doc["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    base = sum((line["Amount"] for line in lines if ref(detail_of(line), "TaxCodeRef") in codes), ZERO)
    whole = sum((line["Amount"] for line in lines), ZERO)
    lowered = discount * base / whole if doc.get("ApplyTaxAfterDiscount") and whole else ZERO
    return base - lowered


def _rates(company: Company, code: str) -> list[tuple[str, Decimal]]:
    """Rate Ids and percentages of a tax code."""
    found = company.get("TaxCode", code) or {}
    entries = (found.get("SalesTaxRateList") or {}).get("TaxRateDetail", [])
    ids = [ref(entry, "TaxRateRef") for entry in entries]
    return [(ident, Decimal((company.get("TaxRate", ident) or {}).get("RateValue", 0))) for ident in ids]


def _by_rate(company: Company, doc: Doc, sent: Doc, discount: Decimal) -> Doc:
    given = {
        _rate_of(line): cents(number(line["Amount"], "TaxLine.Amount"))
        for line in sent.get("TaxLine", [])
        if "Amount" in line
    }
    nets: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    percents: dict[str, Decimal] = {}
    for code in {ref(detail_of(line), "TaxCodeRef") for line in doc["Line"] if detail_of(line)}:
        for ident, percent in _rates(company, code):
            nets[ident] += _base(doc, (code,), discount)
            percents[ident] = percent
    lines = [_tax_line(ident, percents[ident], nets[ident], given.get(ident)) for ident in sorted(nets)]
    return {"TotalTax": sum((line["Amount"] for line in lines), ZERO), "TaxLine": lines}


def _rate_of(line: Doc) -> str:
    return ref(line.get("TaxLineDetail") or {}, "TaxRateRef")


def _tax_line(ident: str, percent: Decimal, net: Decimal, given: Decimal | None) -> Doc:
    """One rate on its summed net, rounded half up once."""
    amount = cents(net * percent / 100) if given is None else given
    inside = {
        "TaxRateRef": {"value": ident},
        "PercentBased": True,
        "TaxPercent": percent,
        "NetAmountTaxable": cents(net),
    }
    return {"Amount": amount, "DetailType": "TaxLineDetail", "TaxLineDetail": inside}
