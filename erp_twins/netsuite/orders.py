"""The life of a sales order: status from what was fulfilled and billed, and what invoices do to it (reference 4.3)."""

from __future__ import annotations

import copy
from collections import defaultdict
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account, Change
from erp_twins.netsuite.errors import user_error
from erp_twins.netsuite.record_types import TYPES

_SHIPPED = {"InvtPart", "NonInvtPart"}


def status(doc: Doc) -> str:
    """The letter A to H. Goods that were billed ahead of their fulfilment count as fulfilled."""
    if doc.get("_cancelled"):
        return "C"
    open_lines = [line for line in doc["item"] if not line["isClosed"] and line["itemType"] != "Discount"]
    if not open_lines:
        return "H"
    if all(_billed(line) >= Decimal(line["quantity"]) for line in open_lines):
        return "G"
    if doc["orderStatus"] == "A":
        return "A"
    return _progress([line for line in open_lines if line["itemType"] in _SHIPPED])


def _progress(goods: list[Doc]) -> str:
    done = [(_fulfilled(line), _billed(line), Decimal(line["quantity"])) for line in goods]
    if all(fulfilled >= quantity for fulfilled, _, quantity in done):
        return "F"
    if not any(fulfilled for fulfilled, _, _ in done):
        return "B"
    return "E" if any(fulfilled > billed for fulfilled, billed, _ in done) else "D"


def _billed(line: Doc) -> Decimal:
    return Decimal(line["quantityBilled"])


def _fulfilled(line: Doc) -> Decimal:
    return max(Decimal(line["quantityFulfilled"]), _billed(line))


def left_to_bill(account: Account, line: Doc) -> Decimal:
    """How many of an order's line can still be billed; with fulfilment, of those that left the house."""
    if line["isClosed"]:
        return Decimal(0)
    ceiling = Decimal(line["quantity"])
    if account.settings.fulfillment and line["itemType"] in _SHIPPED:
        ceiling = Decimal(line["quantityFulfilled"])
    return max(ceiling - _billed(line), Decimal(0))


def refuse_lost_lines(doc: Doc, old: Doc | None) -> None:
    """Lines that were billed or fulfilled cannot be taken off, whatever a request replaces."""
    kept = {line["line"] for line in doc["item"]}
    for line in (old or {}).get("item", []):
        if line["line"] not in kept and (_billed(line) or Decimal(line["quantityFulfilled"])):
            raise user_error("line_locked", "item", line=line["line"])


def billing(account: Account, new: Doc | None, old: Doc | None) -> list[Change]:
    """What an invoice that comes, changes or goes does to the orders its lines stem from."""
    steps: defaultdict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for doc, sign in ((old, -1), (new, 1)):
        for line in (doc or {}).get("item", []):
            if line.get("orderDoc"):
                steps[line["orderDoc"]][line["orderLine"]] += sign * Decimal(line.get("quantity", 0))
    return [_billed_order(account, ident, by_line) for ident, by_line in steps.items() if any(by_line.values())]


def _billed_order(account: Account, ident: str, by_line: dict[int, Decimal]) -> Change:
    order = copy.deepcopy(account.find("salesOrder", ident))
    for line in order["item"]:
        step = by_line.get(line["line"], Decimal(0))
        if step > Decimal(line["quantity"]) - _billed(line):
            raise user_error("too_many", "item", line=line["line"], quantity=step)
        line["quantityBilled"] = _billed(line) + step
    order["status"] = status(order)
    return Change(TYPES["salesOrder"], order, "Touch")
