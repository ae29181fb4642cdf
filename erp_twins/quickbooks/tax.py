"""Sales tax: US automated (`us_ast`), US manual, none, and per-rate taxes outside the US (reference 4.10)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.money import ZERO, cents, number, ref

PSEUDO = ("SHIPPING_ITEM_ID", "GRATUITY_ITEM_ID")
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
    sent = (doc.get("TxnTaxDetail") or {}) if company.settings.honour_tax_override else {}
    engine = company.settings.tax_engine
    if engine == "us_none" or doc.get("GlobalTaxCalculation") == "NotApplicable":
        return {"TotalTax": ZERO}
    booked = _by_rate(company, doc, sent, discount) if engine == "non_us" else _us(company, doc, sent, discount)
    return {**booked, "TotalTax": booked["TotalTax"] + delta}


def _us(company: Company, doc: Doc, sent: Doc, discount: Decimal) -> Doc:
    base = _base(doc, "TAX") - (_lowered(doc, "TAX", discount) if doc.get("ApplyTaxAfterDiscount") else ZERO)
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


def _base(doc: Doc, code: str) -> Decimal:
    """Amount of the lines with this code."""
    return sum((line["Amount"] for line in _sales(doc) if ref(detail_of(line), "TaxCodeRef") == code), ZERO)


def _lowered(doc: Doc, code: str, discount: Decimal) -> Decimal:
    """What the discount takes off the lines with this code: it is spread over all that is sold, shipping apart."""
    sold = [line for line in _sales(doc) if ref(detail_of(line), "ItemRef") not in PSEUDO]
    whole = sum((line["Amount"] for line in sold), ZERO)
    base = sum((line["Amount"] for line in sold if ref(detail_of(line), "TaxCodeRef") == code), ZERO)
    return discount * base / whole if whole else ZERO


def _sales(doc: Doc) -> list[Doc]:
    return [line for line in doc["Line"] if line["DetailType"] == "SalesItemLineDetail"]


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
    taxes: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    percents: dict[str, Decimal] = {}
    for code in {ref(detail_of(line), "TaxCodeRef") for line in _sales(doc)}:
        rates = _rates(company, code)
        lowered = _lowered(doc, code, discount) if company.settings.discount_lowers_tax_abroad else ZERO
        net, base = _base(doc, code) - lowered, _taxed(doc, code, rates) - lowered
        for ident, percent in rates:
            nets[ident], taxes[ident] = nets[ident] + net, taxes[ident] + base * percent / 100
            percents[ident] = percent
    for ident in given.keys() - nets.keys():
        raise QboFault(faults.bad_reference("TaxLineDetail.TaxRateRef", ident))
    lines = [_tax_line(ident, percents[ident], nets[ident], given.get(ident, taxes[ident])) for ident in sorted(nets)]
    return {"TotalTax": sum((line["Amount"] for line in lines), ZERO), "TaxLine": lines}


def _taxed(doc: Doc, code: str, rates: list[tuple[str, Decimal]]) -> Decimal:
    """What a code's rates are applied to: of lines that say their gross amount, what is left of it without the tax."""
    factor = 1 + sum((percent for _, percent in rates), ZERO) / 100
    lines = [detail for line in _sales(doc) if ref(detail := detail_of(line), "TaxCodeRef") == code]
    inclusive = doc.get("GlobalTaxCalculation") == "TaxInclusive"
    gross = [number(one["TaxInclusiveAmt"], "TaxInclusiveAmt") for one in lines if "TaxInclusiveAmt" in one]
    if inclusive and len(gross) == len(lines):
        return sum(gross, ZERO) / factor
    return _base(doc, code)


def _rate_of(line: Doc) -> str:
    return ref(line.get("TaxLineDetail") or {}, "TaxRateRef")


def _tax_line(ident: str, percent: Decimal, net: Decimal, tax: Decimal) -> Doc:
    """One rate on its summed net, rounded half up once."""
    inside = {
        "TaxRateRef": {"value": ident},
        "PercentBased": True,
        "TaxPercent": percent,
        "NetAmountTaxable": cents(net),
    }
    return {"Amount": cents(tax), "DetailType": "TaxLineDetail", "TaxLineDetail": inside}
