"""Lines of sales forms: kinds, amounts, items, discount, shipping, subtotal (reference 4.5)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import checks, faults, tax
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.money import ZERO, cents, number, ref, truth

SHIPPING = tax.PSEUDO[0]
_KINDS = ("SalesItemLineDetail", "DiscountLineDetail", "GroupLineDetail", "DescriptionOnly")
_SUBTOTALS = ("SubTotalLineDetail", "SubtotalLineDetail")
_MOST_TAXABLE, _MOST, _LONGEST = 750, 10_000, 4000


def settle(company: Company, doc: Doc, old: Doc | None) -> None:
    """Check the lines, give them Ids and amounts, and append the subtotal."""
    lines = [line for line in checks.lines_of(doc) if line.get("DetailType") not in _SUBTOTALS]
    if not lines:
        raise QboFault(faults.missing("Line"))
    before = _by_id(old)
    for line in lines:
        _settle_line(company, doc, line, before)
    _number(lines, before)
    _limits(lines)
    doc["Line"] = lines
    doc["Line"] = [*lines, {"Amount": subtotal(doc), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}]


def _by_id(old: Doc | None) -> dict[str, Doc]:
    return {line["Id"]: line for line in (old or {}).get("Line", []) if "Id" in line}


def _number(lines: list[Doc], before: dict[str, Doc]) -> None:
    """Lines that name an Id of the stored document keep it; the others get new ones."""
    kept = {str(line.get("Id")) for line in lines} & before.keys()
    last = max((int(ident) for ident in before), default=0)
    for place, line in enumerate(lines, 1):
        if str(line.get("Id")) in kept:
            kept.discard(str(line["Id"]))
            line["Id"] = str(line["Id"])
        else:
            last += 1
            line["Id"] = str(last)
        line["LineNum"] = place


def _limits(lines: list[Doc]) -> None:
    taxable = any(ref(tax.detail_of(line), "TaxCodeRef") not in {"", "NON"} for line in lines)
    if len(lines) > (_MOST_TAXABLE if taxable else _MOST):
        raise faults.business("The transaction has too many lines.")
    if sum(line["DetailType"] == "DiscountLineDetail" for line in lines) > 1:
        raise faults.business("A transaction can have one discount line only.")


def _settle_line(company: Company, doc: Doc, line: Doc, before: dict[str, Doc]) -> None:
    kind = line.get("DetailType")
    if not kind:
        raise QboFault(faults.missing("Line.DetailType"))
    if kind not in _KINDS:
        raise QboFault(faults.bad_value(2170, "Invalid Enumeration", "Line.DetailType"))
    if len(str(line.get("Description", ""))) > _LONGEST:
        raise QboFault(faults.bad_length("Line.Description", 0, _LONGEST, len(line["Description"])))
    if kind == "SalesItemLineDetail":
        _sales_line(company, doc, line, before.get(str(line.get("Id"))))
    elif kind == "DiscountLineDetail":
        _discount_line(company, line)
    else:
        line["Amount"] = cents(number(line.get("Amount", 0), "Line.Amount"))


def _sales_line(company: Company, doc: Doc, line: Doc, old: Doc | None) -> None:
    detail = line.setdefault("SalesItemLineDetail", {})
    if not isinstance(detail, dict):
        raise QboFault(faults.unknown_property("SalesItemLineDetail"))
    line["Amount"] = _amount(line, detail)
    item = ref(detail, "ItemRef")
    if item in tax.PSEUDO:
        if item == SHIPPING and not company.settings.allow_shipping:
            raise faults.business("Shipping is turned off for this company, so a shipping line cannot be saved.")
    elif item and item != ref(tax.detail_of(old or {}), "ItemRef"):
        _item(company, doc, detail)
    if ref(detail, "ClassRef") not in {"", ref(tax.detail_of(old or {}), "ClassRef")}:
        _refuse(checks.reference(company, "Line.SalesItemLineDetail.ClassRef", detail["ClassRef"], "Class"))
    tax.line_code(company, line)


def _refuse(errors: Iterable[faults.Error]) -> None:
    found = tuple(errors)
    if found:
        raise QboFault(*found)


def _item(company: Company, doc: Doc, detail: Doc) -> None:
    _refuse(checks.reference(company, "Line.SalesItemLineDetail.ItemRef", detail["ItemRef"], "Item"))
    item = company.find("Item", ref(detail, "ItemRef"))
    if item["Type"] == "Category":
        raise faults.business("A category cannot be sold.")
    if item["Type"] == "Inventory" and str(doc.get("TxnDate", "")) < str(item["InvStartDate"]):
        raise faults.fault(
            6270, "Transaction date is prior to start date for inventory item", f"Item {item['Name']}", "TxnDate"
        )


def _amount(line: Doc, detail: Doc) -> Decimal:
    """The line's amount; it must equal quantity times price when both are sent. Zero for both counts as not sent."""
    for name in ("Qty", "UnitPrice"):
        if name in detail:
            detail[name] = number(detail[name], f"SalesItemLineDetail.{name}")
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    product = None if quantity is None or price is None else cents(quantity * price)
    if "Amount" not in line:
        if product is None:
            raise QboFault(faults.missing("Line.Amount"))
        return product
    amount = cents(number(line["Amount"], "Line.Amount"))
    if product is not None and product != amount and (quantity or price):
        detail_text = (
            f"Amount calculation incorrect in the request : Amount {amount} is not equal to UnitPrice * Qty {product}"
        )
        raise faults.fault(6070, "Amount calculation incorrect in the request", detail_text, "Line.Amount")
    return amount


def _discount_line(company: Company, line: Doc) -> None:
    if not company.settings.allow_discount:
        raise faults.business("Discounts are turned off for this company.")
    detail = line.setdefault("DiscountLineDetail", {})
    detail["PercentBased"] = truth(detail.get("PercentBased", "DiscountPercent" in detail))
    if detail["PercentBased"] and "DiscountPercent" in detail:
        detail["DiscountPercent"] = number(detail["DiscountPercent"], "DiscountPercent")
        if not 0 <= detail["DiscountPercent"] <= 100:
            raise QboFault(faults.bad_value(2150, "Invalid Percent", "DiscountPercent"))
    elif "Amount" not in line:
        raise faults.fault(
            6090, "Discount line empty", "A discount line needs an amount or a percentage", "Line.Amount"
        )
    line["Amount"] = cents(number(line.get("Amount", 0), "Line.Amount"))


def subtotal(doc: Doc) -> Decimal:
    """Sum of what is sold, without shipping, discount and tax."""
    return sum((line["Amount"] for line in doc["Line"] if _sold(line)), ZERO)


def shipping(doc: Doc) -> Decimal:
    return sum((line["Amount"] for line in doc["Line"] if _pseudo(line)), ZERO)


def discount(doc: Doc) -> Decimal:
    """The discount in money; writes the amount of a percentage into its line. Fault 6000 above the subtotal."""
    whole = subtotal(doc)
    for line in doc["Line"]:
        if line["DetailType"] == "DiscountLineDetail":
            if line["DiscountLineDetail"]["PercentBased"]:
                line["Amount"] = cents(whole * line["DiscountLineDetail"].get("DiscountPercent", ZERO) / 100)
            if line["Amount"] > max(whole, ZERO):
                raise faults.business("The discount can't be greater than the subtotal.")
            return Decimal(line["Amount"])
    return ZERO


def _pseudo(line: Doc) -> bool:
    return line["DetailType"] == "SalesItemLineDetail" and ref(line["SalesItemLineDetail"], "ItemRef") in tax.PSEUDO


def _sold(line: Doc) -> bool:
    return line["DetailType"] in {"SalesItemLineDetail", "GroupLineDetail"} and not _pseudo(line)
