"""Sales orders, invoices and credit memos: sourced values, lines and prices, totals (reference 4.3, 4.4, 4.6)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite import items, mandatory, orders, settlements, taxes
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import missing, user_error
from erp_twins.netsuite.headers import dated, numbered, source
from erp_twins.netsuite.schema import RecordType
from erp_twins.netsuite.values import ZERO, cents, share, target_of

_PRICED = ("item", "quantity", "rate", "price", "amount")


def complete(account: Account, kind: RecordType, doc: Doc, old: Doc | None) -> None:
    """Everything that the form works out by itself. Raises Refused."""
    source(account, kind, doc, old, "entity")
    mandatory.check(account, kind, doc)
    dated(account, kind, doc, old)
    _due(account, doc)
    numbered(account, kind, doc, old)
    _lines(account, doc, old or {})
    orders.refuse_lost_lines(doc, old)
    _totals(account, doc)
    _state(account, kind, doc)


def _due(account: Account, doc: Doc) -> None:
    days = (account.get("term", doc.get("terms", "")) or {}).get("daysUntilNetDue")
    if days is not None and "dueDate" not in doc:
        doc["dueDate"] = (date.fromisoformat(doc["tranDate"]) + timedelta(days=int(days))).isoformat()


def _state(account: Account, kind: RecordType, doc: Doc) -> None:
    if kind.name == "salesOrder":
        doc.setdefault("orderStatus", account.settings.default_order_status)
        doc["status"] = orders.status(doc)
    elif kind.name == "invoice":
        settlements.settle_invoice(doc)
    else:
        settlements.complete(account, doc, Decimal(doc["total"]))


# --- lines ---


def _lines(account: Account, doc: Doc, old: Doc) -> None:
    before = {line["line"]: line for line in old.get("item", [])}
    lines = doc.get("item", [])
    if not lines:
        raise user_error("no_lines", "item")
    doc["_lines"] = max([doc.get("_lines", 0), *before])
    for number, line in enumerate(lines):
        place = f"item.items[{number}]"
        if line.get("line") not in before:
            doc["_lines"] += 1
            line["line"], line["lineUniqueKey"] = doc["_lines"], account.next_number("line")
        _line(account, doc, line, before.get(line["line"]), place)
        if line["itemType"] == "Discount":
            above = Decimal(lines[number - 1]["amount"]) if number else ZERO
            _discounted(line, before.get(line["line"], {}), above)


def _line(account: Account, doc: Doc, line: Doc, before: Doc | None, path: str) -> None:
    if "item" not in line:
        raise missing("Item")
    item = _item(account, doc, line, before, path)
    line["itemType"] = item["itemType"]
    line.setdefault("isClosed", False)
    line.setdefault("isTaxable", item.get("isTaxable", True))
    for name in ("quantityBilled", "quantityFulfilled"):
        line.setdefault(name, Decimal(0))
    if item["itemType"] == "Discount":
        line.setdefault("rate", item.get("rate", 0))
    else:
        line.setdefault("quantity", Decimal(1))
        _priced(account, doc, line, before, item)


def _discounted(line: Doc, before: Doc, above: Decimal) -> None:
    """A discount line takes its rate off the line above, unless its amount was sent."""
    sent = line.get("amount") is not None and line["amount"] != before.get("amount")
    line["amount"] = line["grossAmt"] = cents(line["amount"]) if sent else share(line["rate"], above)


def _item(account: Account, doc: Doc, line: Doc, before: Doc | None, path: str) -> Doc:
    _, item = target_of(account, "item", line["item"]) or ("", {})
    if before is None or before["item"] != line["item"]:
        if item.get("isInactive"):
            raise user_error("inactive", f"{path}.item", field="item", value=item["itemId"])
        subsidiary = doc.get("subsidiary", "")
        if account.has("one_world") and not items.sold_in(account, item, subsidiary):
            raise user_error("subsidiary", f"{path}.item", field="item", value=line["item"], subsidiary=subsidiary)
    return item


def _priced(account: Account, doc: Doc, line: Doc, before: Doc | None, item: Doc) -> None:
    """Rate and amount of a line. A rate that is sent gives way to the price level unless the level is the custom one."""
    sent = {name for name in _PRICED if name in line and line[name] != (before or {}).get(name)}
    if not sent:
        return
    if "amount" in sent and "rate" not in sent:
        quantity = Decimal(line["quantity"])
        line["rate"] = Decimal(line["amount"]) / quantity if quantity else ZERO
        line["price"] = items.CUSTOM_PRICE
    else:
        _by_level(account, doc, line, item, sent)
    if "amount" not in sent:
        line["amount"] = Decimal(line["quantity"]) * Decimal(line["rate"])
    line["amount"] = line["grossAmt"] = cents(Decimal(line["amount"]))


def _by_level(account: Account, doc: Doc, line: Doc, item: Doc, sent: set[str]) -> None:
    customer = account.get("customer", doc["entity"]) or {}
    level = line.get("price") or customer.get("priceLevel") or items.BASE_PRICE
    listed = items.price(item, level, doc.get("currency", ""), Decimal(line["quantity"]))
    own = "rate" in sent and not account.settings.price_level_overrides_rate
    if level == items.CUSTOM_PRICE or listed is None or own:
        line["price"] = items.CUSTOM_PRICE
        line.setdefault("rate", ZERO)
    else:
        line["price"], line["rate"] = level, listed


# --- totals ---


def _totals(account: Account, doc: Doc) -> None:
    doc["subtotal"] = sum((Decimal(line["amount"]) for line in doc["item"]), ZERO)
    doc["discountTotal"] = _discount(account, doc)
    taxes.complete(account, doc)
    total = doc["subtotal"] + doc["discountTotal"] + doc["taxTotal"]
    doc["total"] = total + cents(doc.get("shippingCost", 0)) + cents(doc.get("handlingCost", 0))
    doc["totalAfterTaxes"] = doc["total"]


def _discount(account: Account, doc: Doc) -> Decimal:
    if doc.get("discountRate") is None and not doc.get("discountItem"):
        return ZERO
    if not doc.get("discountItem"):
        raise missing("Discount Item")
    rate: Any = doc.get("discountRate")
    if rate is None:
        rate = (account.get("discountItem", doc["discountItem"]) or {}).get("rate", 0)
    return share(rate, doc["subtotal"])
