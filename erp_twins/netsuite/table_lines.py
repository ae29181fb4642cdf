"""Rows of transactions for SuiteQL: headers, lines with the ledger's signs, and links between documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.schema import RecordType
from erp_twins.netsuite.settlements import payer
from erp_twins.netsuite.values import amount_of

_HEADER, _TAX, _SHIPPING, _DISCOUNT = 10**9, 2 * 10**9, 3 * 10**9, 4 * 10**9  # where their unique keys begin
Rows = Callable[[], Iterable[Doc]]


def _documents(account: Account, kinds: tuple[str, ...]) -> Iterator[tuple[RecordType, Doc]]:
    return ((TYPES[name], doc) for name in kinds for doc in account.seen_rows(name))


def headers(account: Account, kinds: tuple[str, ...]) -> Rows:
    return lambda: (_header(account, kind, doc) for kind, doc in _documents(account, kinds))


def _header(account: Account, kind: RecordType, doc: Doc) -> Doc:
    total = amount_of(doc)
    negative = kind.name == "creditMemo" and account.settings.credit_totals_negative
    return {
        **doc,
        "type": kind.code,
        "recordType": kind.segment,
        "entity": payer(doc),
        "transactionNumber": f"{kind.prefix}{doc['id']}",
        "foreignTotal": -total if negative else total,
        "posting": kind.posting,
        "voided": bool(doc.get("_voided")),
        "foreignAmountPaid": doc.get("amountPaid"),
        "foreignAmountUnpaid": doc.get("amountRemaining") if kind.name == "invoice" else None,
        "foreignPaymentAmountUnused": doc.get("unapplied"),
    }


def lines(account: Account, kinds: tuple[str, ...]) -> Rows:
    def rows() -> Iterator[Doc]:
        for kind, doc in _documents(account, kinds):
            yield from _lines(kind, doc)

    return rows


def _lines(kind: RecordType, doc: Doc) -> Iterator[Doc]:
    """The header row with the total, then what it consists of with the opposite sign: sales are negative."""
    sign = 1 if kind.name == "creditMemo" else -1
    total = amount_of(doc)
    names = ("subsidiary", "department", "class", "location", "createdFrom")
    common = {name: doc.get(name) for name in names} | {"transaction": doc["id"], "entity": payer(doc)}
    common |= {"isCogs": False, "taxLine": False, "mainLine": False, "isClosed": False}
    common["lineLastModifiedDate"] = doc["lastModifiedDate"]
    yield {**common, "id": 0, "lineSequenceNumber": 0, "mainLine": True, "uniqueKey": _HEADER + int(doc["id"])} | _sums(-sign * total)  # fmt: skip
    last = 0
    for last, line in enumerate(doc.get("item", []), 1):
        yield {**common, "lineSequenceNumber": last} | _item(line, sign)
    for step, extra in enumerate(_extras(doc, sign), 1):
        yield {**common, "id": int(doc.get("_lines", 0)) + step, "lineSequenceNumber": last + step, **extra}


def _sums(amount: Decimal) -> Doc:
    return {"foreignAmount": amount, "netAmount": amount}


def _item(line: Doc, sign: int) -> Doc:
    quantity = line.get("quantity")
    own = ("department", "class", "location")
    rate = line.get("rate")
    return {
        "id": line["line"],
        "uniqueKey": line["lineUniqueKey"],
        "item": line["item"],
        "itemType": line["itemType"],
        "memo": line.get("description"),
        "rate": None if isinstance(rate, str) else rate,
        "quantity": None if quantity is None else sign * Decimal(quantity),
        "quantityBilled": line["quantityBilled"],
        "quantityShipRecv": line["quantityFulfilled"],
        "isClosed": line["isClosed"],
        **_sums(sign * Decimal(line["amount"])),
        **{name: line[name] for name in own if line.get(name)},
        **({"createdFrom": line["orderDoc"]} if line.get("orderDoc") else {}),
    }


def _extras(doc: Doc, sign: int) -> Iterator[Doc]:
    """Discount, shipping and tax of the whole document."""
    ident = int(doc["id"])
    parts: tuple[tuple[int, Any, Doc], ...] = (
        (_DISCOUNT, doc.get("discountTotal"), {"itemType": "Discount", "item": doc.get("discountItem")}),
        (_SHIPPING, doc.get("shippingCost"), {"itemType": "ShipItem", "item": None}),
        (_TAX, doc.get("taxTotal"), {"itemType": "TaxItem", "taxLine": True, "item": None}),
    )
    for start, amount, extra in parts:
        if amount:
            yield {"uniqueKey": start + ident, **extra, **_sums(sign * Decimal(amount))}


def links(account: Account, kinds: tuple[str, ...]) -> Rows:
    """From orders to their invoices by line, from invoices to what settles them."""

    def rows() -> Iterator[Doc]:
        for kind, doc in _documents(account, kinds):
            common = {"nextDoc": doc["id"], "nextType": kind.code, "lastModifiedDate": doc["lastModifiedDate"]}
            for line in doc.get("item", []):
                if line.get("orderDoc"):
                    yield {**common, **_bill(line)}
            for line in doc.get("apply", []):
                yield {**common, **_settlement(line)}

    return rows


def _bill(line: Doc) -> Doc:
    ends = {"previousDoc": line["orderDoc"], "previousLine": line["orderLine"], "nextLine": line["line"]}
    return {**ends, "previousType": "SalesOrd", "linkType": "OrdBill", "foreignAmount": line["amount"]}


def _settlement(line: Doc) -> Doc:
    ends = {"previousDoc": line["doc"], "previousLine": 0, "nextLine": 0}
    return {**ends, "previousType": "CustInvc", "linkType": "Payment", "foreignAmount": line["amount"]}
