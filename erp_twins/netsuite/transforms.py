"""One transaction made from another: `!transform` (reference 3.8)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import orders, records
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import Refused, user_error
from erp_twins.netsuite.items import CUSTOM_PRICE
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.records import Write
from erp_twins.netsuite.schema import RecordType
from erp_twins.netsuite.sublists import merged_body
from erp_twins.netsuite.values import cents

_CARRIED = (
    "entity", "subsidiary", "location", "department", "class", "currency", "exchangeRate", "terms", "otherRefNum", "memo", "email",
    "shipMethod", "discountItem", "discountRate", "billingAddress", "shippingAddress", "taxItem", "isTaxable", "shippingTaxCode",
    "taxDetailsOverride",
)  # fmt: skip
_CARRIED_LINE = (
    "item", "description", "price", "rate", "amount", "isTaxable", "taxCode", "taxRate1", "tax1Amt", "location", "department",
    "class", "taxDetailsReference",
)  # fmt: skip

_OF_THE_WHOLE = ("amount", "tax1Amt")  # not of a part of a line


def transform(account: Account, kind: RecordType, ident: str, target: str, write: Write) -> Doc:
    """The new record, the body's values laid over those that come from the source. Raises Refused."""
    if target not in kind.transforms:
        raise Refused(400, "INVALID_REQUEST", "url")
    old = account.find(kind.name, ident)
    records.refuse_locked(account, kind, old)
    draft = _DRAFTS[kind.name, target](account, old, write)
    into = TYPES[target]
    sent = write.reader.record(into, write.body)
    lines = {name: sent.pop(name) for name in into.sublists if name in sent}
    doc = merged_body(draft, sent)
    doc["createdFrom"] = old["id"]
    for name, rows in lines.items():
        doc[name] = _merged(name, doc, rows or [])
    if "taxDetails" in doc and "taxDetails" not in lines:
        doc["taxDetails"] = _details(old, doc["item"])
    return records.save_new(account, into, doc)


def _merged(name: str, doc: Doc, rows: list[Doc]) -> list[Doc]:
    """Lines of an order are chosen by `orderLine`; a quantity of zero leaves one out. Other sublists are as sent."""
    if name != "item":
        return [*([] if name == "apply" else doc.get(name, [])), *rows]
    by_line = {row.get("orderLine"): row for row in rows}
    lines = [_overlaid(line, by_line.pop(line.get("orderLine"), {})) for line in doc["item"]]
    return [line for line in lines if line.get("quantity") != 0] + [row for key, row in by_line.items() if key is None]


def _overlaid(line: Doc, sent: Doc) -> Doc:
    if "quantity" in sent and sent["quantity"] != line.get("quantity"):
        line = {name: value for name, value in line.items() if name not in _OF_THE_WHOLE}
    return {**line, **sent}


def _invoice(account: Account, order: Doc, _write: Write) -> Doc:
    if order["status"] == "A":
        raise user_error("not_approved")
    lines = [line for line in (_billable(account, order, line) for line in order["item"]) if line]
    if not any(line["quantity"] for line in lines if "quantity" in line):
        raise user_error("nothing_to_bill")
    first = not any(Decimal(line["quantityBilled"]) for line in order["item"])
    costs = ("shippingCost", "handlingCost") if first else ()  # freight is billed once
    return _carried(order, (*_CARRIED, *costs), lines)


def _billable(account: Account, order: Doc, line: Doc) -> Doc | None:
    made = {name: copy.deepcopy(line[name]) for name in _CARRIED_LINE if name in line}
    if line["itemType"] == "Discount":
        if isinstance(made["rate"], str):
            made.pop("amount")  # its share of what is billed now
        return made
    left = orders.left_to_bill(account, line)
    if not left:
        return None
    if left != Decimal(line["quantity"]):
        made = {name: value for name, value in made.items() if name not in _OF_THE_WHOLE}
    made["price"] = CUSTOM_PRICE  # what was agreed on, whatever the price list says by now
    return {**made, "quantity": left, "orderDoc": order["id"], "orderLine": line["line"]}


def _carried(old: Doc, names: tuple[str, ...], lines: list[Doc]) -> Doc:
    doc = {name: copy.deepcopy(old[name]) for name in (*names, "taxDetails") if name in old}
    return {**doc, "item": lines}


def _details(old: Doc, lines: list[Doc]) -> list[Doc]:
    """The source's tax details, each as large as the part of its line that goes on."""
    whole = {line.get("taxDetailsReference"): Decimal(line.get("quantity", 1)) for line in old["item"]}
    parts = {line.get("taxDetailsReference"): Decimal(line.get("quantity", 1)) for line in lines}
    details: list[Doc] = []
    for row in old["taxDetails"]:
        name = row.get("taxDetailsReference")
        if name in parts:
            share = parts[name] / whole[name]
            amounts = {key: cents(Decimal(row[key]) * share) for key in ("taxBasis", "taxAmount") if key in row}
            details.append({**row, **amounts})
    return details


def _payment(_account: Account, invoice: Doc, write: Write) -> Doc:
    """The whole rest of the invoice, unless the body says how much."""
    names = ("subsidiary", "location", "department", "class", "currency", "exchangeRate")
    doc = {name: invoice[name] for name in names if name in invoice}
    sent = {name.lower() for name in write.body}
    whole: Doc = {} if "apply" in sent else {"apply": [{"doc": invoice["id"], **_amount(write)}]}
    return {**doc, "customer": invoice["entity"], **whole}


def _amount(write: Write) -> Doc:
    sent = next((value for name, value in write.body.items() if name.lower() == "payment"), None)
    return {} if sent is None else {"amount": Decimal(str(sent))}


def _credit(_account: Account, invoice: Doc, _write: Write) -> Doc:
    lines = [{name: copy.deepcopy(line[name]) for name in (*_CARRIED_LINE, "quantity") if name in line} for line in invoice["item"]]  # fmt: skip
    return _carried(invoice, (*_CARRIED, "shippingCost", "handlingCost"), lines)


_DRAFTS: dict[tuple[str, str], Callable[[Account, Doc, Write], Doc]] = {
    ("salesOrder", "invoice"): _invoice,
    ("invoice", "customerPayment"): _payment,
    ("invoice", "creditMemo"): _credit,
}
