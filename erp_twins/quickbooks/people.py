"""What a person does inside the product: payments, edits, deactivations, voids, merges, deposits.

People never see a stale SyncToken, and a closed subscription does not stop the twin's own controls.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults, operations
from erp_twins.quickbooks.company import Change, Company
from erp_twins.quickbooks.entities import NAMES, SCHEMAS


@dataclass(frozen=True)
class Person:
    """A user of one company. The twin's lock must be held; `QuickBooksTwin.person` wraps that."""

    company: Company

    def pay(self, *, invoice_id: str = "", doc_number: str = "", amount: Any = None, method: str = "") -> Doc:
        """Receive a payment for an invoice: of its open balance unless an amount is given."""
        with self.company.acting("person"):
            invoice = self._invoice(invoice_id, doc_number)
            return operations.pay_as_person(self.company, invoice, amount, method)

    def _invoice(self, ident: str, number: str) -> Doc:
        if ident:
            return self.company.find("Invoice", ident)
        held = self.company.holder("numbers:Invoice", number) if number else None
        return self.company.find("Invoice", held[1] if held else number)

    def edit(self, entity: str, ident: str, changes: Doc) -> Doc:
        """Change some fields of a document."""
        with self.company.acting("person"):
            return operations.update(
                self.company, SCHEMAS[entity], {**changes, **self._handle(entity, ident), "sparse": True}
            )

    def deactivate(self, entity: str, ident: str) -> Doc:
        return self.edit(entity, ident, {"Active": False})

    def void(self, entity: str, ident: str) -> Doc:
        with self.company.acting("person"):
            return operations.void(self.company, SCHEMAS[entity], self._handle(entity, ident))

    def delete(self, entity: str, ident: str) -> Doc:
        with self.company.acting("person"):
            return operations.delete(self.company, SCHEMAS[entity], self._handle(entity, ident))

    def _handle(self, entity: str, ident: str) -> Doc:
        doc = self.company.find(entity, ident)
        return {"Id": doc["Id"], "SyncToken": doc["SyncToken"]}

    def deposit(self, payment_id: str) -> Doc:
        """Put a payment into a bank deposit: from now on the API may not change it (6540)."""
        payment = self.company.find("Payment", payment_id)
        self.company.deposited.append(f"Payment:{payment['Id']}")
        return payment

    def merge(self, entity: str, winner_id: str, loser_id: str) -> Doc:
        """Two records become one: documents move to the winner, the loser's Id vanishes."""
        company = self.company
        winner, loser = company.find(entity, winner_id), company.find(entity, loser_id)
        if entity not in {*NAMES, "Item"} or winner_id == loser_id:
            raise faults.unsupported("merge", entity)
        with company.acting("person"):
            company.commit(
                [
                    Change(kind, _moved(doc, entity, loser_id, winner), "Update")
                    for kind, doc in self._users(entity, loser_id)
                ]
            )
            merged = dict(company.find(entity, winner_id))  # its balance has just moved
            company.commit([Change(entity, loser, "Vanish"), Change(entity, merged, "Merge", loser_id)])
        return company.find(entity, winner_id)

    def _users(self, entity: str, ident: str) -> list[tuple[str, Doc]]:
        kinds = ("Invoice", "Payment", "CreditMemo", "RefundReceipt", "SalesReceipt")
        return [(kind, doc) for kind in kinds for doc in self.company.rows(kind) if _uses(doc, f"{entity}Ref", ident)]


def _uses(value: Any, name: str, ident: str) -> bool:
    if isinstance(value, list):
        return any(_uses(item, name, ident) for item in value)
    if not isinstance(value, dict):
        return False
    here = value.get(name)
    return (isinstance(here, dict) and here.get("value") == ident) or any(
        _uses(item, name, ident) for item in value.values()
    )


def _moved(doc: Doc, entity: str, loser_id: str, winner: Doc) -> Doc:
    """A copy in which references to the loser point to the winner."""
    target = {"value": winner["Id"], "name": winner.get("DisplayName") or winner.get("Name", "")}
    return _swapped(copy.deepcopy(doc), f"{entity}Ref", loser_id, target)  # type: ignore[no-any-return]


def _swapped(value: Any, name: str, loser_id: str, target: Doc) -> Any:
    if isinstance(value, list):
        return [_swapped(item, name, loser_id, target) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _swapped(item, name, loser_id, target) for key, item in value.items()}
    here = changed.get(name)
    return {**changed, name: dict(target)} if isinstance(here, dict) and here.get("value") == loser_id else changed
