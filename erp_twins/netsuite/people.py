"""What a person does inside the product: edits, payments, billing, credits, voids, deletions, approvals."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite import orders, records, transforms
from erp_twins.netsuite.accounts import Account, Change
from erp_twins.netsuite.bodies import Reader
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.records import Write
from erp_twins.netsuite.values import cents


@dataclass(frozen=True)
class Person:
    """A user of one account. The twin's lock must be held; `NetSuiteTwin.person` wraps that.

    Ids may be internal or `eid:` external ones. What a person changes, others see `delay_seconds` later than it is dated.
    """

    account: Account
    delay_seconds: int = 0

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self.account.acting("person", self.delay_seconds):
            yield

    def _write(self, body: Doc, *replaced: str) -> Write:
        return Write(body, Reader(self.account, "error"), frozenset(replaced))

    def create(self, name: str, body: Doc) -> Doc:
        with self._working():
            return records.create(self.account, TYPES[name], self._write(body))

    def edit(self, name: str, ident: str, changes: Doc, *replaced: str) -> Doc:
        """Change some fields of a record; `replaced` names sublists that are given whole."""
        with self._working():
            return records.update(self.account, TYPES[name], ident, self._write(changes, *replaced))

    def deactivate(self, name: str, ident: str) -> Doc:
        return self.edit(name, ident, {"isInactive": True})

    def delete(self, name: str, ident: str) -> Doc:
        with self._working():
            return records.delete(self.account, TYPES[name], ident)

    def void(self, name: str, ident: str) -> Doc:
        with self._working():
            return records.void(self.account, TYPES[name], ident)

    def bill(self, order_id: str, quantities: dict[int, Any] | None = None, **body: Any) -> Doc:
        """Make an invoice of an order: of all that is left, or of so many by line (0 leaves a line out)."""
        rows = [{"orderLine": int(line), "quantity": quantity} for line, quantity in (quantities or {}).items()]
        return self._transform(
            "salesOrder", order_id, "invoice", {**body, **({"item": {"items": rows}} if rows else {})}
        )

    def pay(self, invoice_id: str, amount: Any = None, **body: Any) -> Doc:
        """Receive a payment for an invoice: of all that is due unless an amount is given."""
        part = {} if amount is None else {"payment": str(amount)}
        return self._transform("invoice", invoice_id, "customerPayment", {**part, **body})

    def credit(self, invoice_id: str, **body: Any) -> Doc:
        """Credit an invoice, applied to it unless the body says otherwise: as far as something is due."""
        invoice = self.account.find("invoice", invoice_id)
        due = Decimal(invoice["amountRemaining"])
        lines = [{"doc": {"id": invoice["id"]}, "amount": cents(due)}] if due else []
        return self._transform("invoice", invoice_id, "creditMemo", {"apply": {"items": lines}, **body})

    def _transform(self, name: str, ident: str, target: str, body: Doc) -> Doc:
        with self._working():
            found = self.account.resolved(name, ident)
            return transforms.transform(self.account, TYPES[name], found, target, self._write(body))

    def approve(self, order_id: str) -> Doc:
        return self.edit("salesOrder", order_id, {"orderStatus": "B"})

    def close(self, order_id: str) -> Doc:
        """Close every line of an order."""
        order = self.account.find("salesOrder", order_id)
        lines = [{"line": line["line"], "isClosed": True} for line in order["item"]]
        return self.edit("salesOrder", order["id"], {"item": {"items": lines}})

    def cancel(self, order_id: str) -> Doc:
        return self._order(order_id, _cancelled)

    def fulfil(self, order_id: str, quantities: dict[int, Any] | None = None) -> Doc:
        """Ship an order: all of it, or so many by line."""

        def shipped(order: Doc) -> None:
            for line in order["item"]:
                step = (quantities or {}).get(line["line"], 0 if quantities else line.get("quantity", 0))
                line["quantityFulfilled"] = Decimal(line["quantityFulfilled"]) + Decimal(str(step))

        return self._order(order_id, shipped)

    def _order(self, ident: str, change: Any) -> Doc:
        order = copy.deepcopy(self.account.find("salesOrder", ident))
        change(order)
        order["status"] = orders.status(order)
        with self._working():
            self.account.commit(Change(TYPES["salesOrder"], order, "Update"))
        return order

    def lock(self, name: str, ident: str, *, locked: bool = True) -> None:
        """A workflow locks a record: it cannot be opened any more, while SuiteQL still shows it."""
        key = f"{name}:{self.account.find(name, ident)['id']}"
        self.account.locked = [one for one in self.account.locked if one != key] + ([key] if locked else [])


def _cancelled(order: Doc) -> None:
    order["_cancelled"] = True
