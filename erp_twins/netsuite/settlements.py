"""Payments and credits against invoices: the `apply` sublist, what is due, what is left (reference 4.5, 4.6)."""

from __future__ import annotations

import copy
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import mandatory
from erp_twins.netsuite.accounts import Account, Change
from erp_twins.netsuite.errors import bad_content, user_error
from erp_twins.netsuite.headers import dated, numbered, source
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.schema import RecordType
from erp_twins.netsuite.values import ZERO, cents


def payer(doc: Doc) -> str:
    return str(doc.get("customer") or doc.get("entity"))


def complete_payment(account: Account, kind: RecordType, doc: Doc, old: Doc | None) -> None:
    """A payment or a deposit. Without an amount it is as large as what it is applied to. Raises Refused."""
    source(account, kind, doc, old, "customer")
    mandatory.check(account, kind, doc)
    dated(account, kind, doc, old)
    numbered(account, kind, doc, old)
    doc.setdefault("undepFunds", "account" not in doc)
    stays, goes = ("B", "C") if kind.name == "customerPayment" else ("A", "B")
    doc["status"] = stays if doc["undepFunds"] else goes
    total = cents(doc["payment"]) if doc.get("payment") is not None else None
    if "apply" in kind.sublists:
        complete(account, doc, total)
    doc["payment"] = total if total is not None else doc["applied"]
    doc["unapplied"] = doc["payment"] - doc.get("applied", ZERO)


def complete(account: Account, doc: Doc, total: Decimal | None) -> None:
    """The applications of a payment or a credit of this total. Raises Refused for a wrong invoice or too much."""
    lines = _wanted(account, doc, total)
    for number, line in enumerate(lines):
        _check(account, doc, line, f"apply.items[{number}]")
    doc["apply"] = lines
    doc["applied"] = sum((line["amount"] for line in lines), ZERO)
    if total is not None and doc["applied"] > total:
        raise user_error("applied_total", "apply")
    doc["unapplied"] = (doc["applied"] if total is None else total) - doc["applied"]
    if "item" in doc:
        doc["amountRemaining"] = doc["unapplied"]
        doc["status"] = "A" if doc["unapplied"] else "B"


def _wanted(account: Account, doc: Doc, total: Decimal | None) -> list[Doc]:
    """The lines that apply something: `apply` false or an amount of zero takes one away."""
    lines = [dict(line) for line in doc.get("apply", []) if line.get("apply", True) and line.get("amount") != 0]
    if doc.get("autoApply") and total is not None:
        lines += _oldest_first(account, doc, total, {line["doc"] for line in lines})
    return [_numbered(account, doc, number, line) for number, line in enumerate(lines, 1)]


def _oldest_first(account: Account, doc: Doc, total: Decimal, taken: set[str]) -> list[Doc]:
    lines: list[Doc] = []
    left = total
    for invoice in open_invoices(account, payer(doc)):
        part = min(left, Decimal(invoice["amountRemaining"]))
        if part > 0 and invoice["id"] not in taken:
            lines.append({"doc": invoice["id"], "amount": part})
            left -= part
    return lines


def _numbered(account: Account, doc: Doc, number: int, line: Doc) -> Doc:
    if "doc" not in line:
        raise bad_content(f"apply.items[{number - 1}].doc", "value", field="doc")
    due = _due(account, doc, line["doc"])
    return {"doc": line["doc"], "amount": cents(line.get("amount", due)), "line": number, "apply": True}


def _due(account: Account, doc: Doc, ident: str) -> Decimal:
    """What is open on an invoice, this document's own part included."""
    invoice = account.find("invoice", ident)
    return Decimal(invoice["amountRemaining"]) + Decimal(invoice.get("_applied", {}).get(doc.get("id"), ZERO))


def _check(account: Account, doc: Doc, line: Doc, path: str) -> None:
    invoice = account.find("invoice", line["doc"])
    strange = invoice["entity"] != payer(doc) or invoice.get("currency") != doc.get("currency")
    if strange or line["amount"] < 0:
        raise bad_content(f"{path}.doc", "reference", field="doc", value=line["doc"])
    if line["amount"] > _due(account, doc, line["doc"]):
        raise user_error("overapplied", f"{path}.amount", doc=invoice["tranId"])


def effects(account: Account, new: Doc | None, old: Doc | None) -> list[Change]:
    """What a payment or credit that comes, changes or goes does to invoices; each one it touches is modified by it."""
    before = {line["doc"]: line["amount"] for line in (old or {}).get("apply", [])}
    after = {line["doc"]: line["amount"] for line in (new or {}).get("apply", [])}
    ident = (new or old or {})["id"]
    touched = [doc for doc in {**before, **after} if before.get(doc) != after.get(doc)]
    return [_applied(account, invoice, ident, after.get(invoice)) for invoice in touched]


def _applied(account: Account, invoice_id: str, ident: str, amount: Decimal | None) -> Change:
    invoice = copy.deepcopy(account.find("invoice", invoice_id))
    parts = {key: value for key, value in invoice.get("_applied", {}).items() if key != ident}
    invoice["_applied"] = parts if amount is None else {**parts, ident: amount}
    settle_invoice(invoice)
    return Change(TYPES["invoice"], invoice, "Touch")


def settle_invoice(doc: Doc) -> None:
    """Paid, remaining and status of an invoice. Raises Refused when more is applied than it comes to."""
    doc["amountPaid"] = sum((Decimal(part) for part in doc.get("_applied", {}).values()), ZERO)
    doc["amountRemaining"] = Decimal(doc["total"]) - doc["amountPaid"]
    if doc["amountRemaining"] < 0:
        raise user_error("paid")
    doc["status"] = "V" if doc.get("_voided") else ("A" if doc["amountRemaining"] else "B")


def open_invoices(account: Account, customer: str) -> list[Doc]:
    return [row for row in account.rows("invoice") if row["entity"] == customer and Decimal(row["amountRemaining"]) > 0]


def shown(account: Account, doc: Doc) -> Doc:
    """With the whole apply sublist as the form shows it: what is applied, then what could be."""
    lines = [_shown_line(account, line) for line in doc.get("apply", [])]
    applied = {line["doc"] for line in lines}
    free = [row["id"] for row in open_invoices(account, payer(doc)) if row["id"] not in applied]
    rest = [{"doc": ident, "apply": False, "line": number} for number, ident in enumerate(free, len(lines) + 1)]
    return {**doc, "apply": lines + [_shown_line(account, line) for line in rest]}


def _shown_line(account: Account, line: Doc) -> Doc:
    invoice = account.find("invoice", line["doc"])
    extra = {"refNum": invoice["tranId"], "type": "Invoice", "applyDate": invoice["tranDate"]}
    return {**line, **extra, "due": invoice["amountRemaining"], "total": invoice["total"]}
