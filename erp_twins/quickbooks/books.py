"""What documents do to a customer's balance: open invoices less unapplied payments and open credits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from erp_twins.jsonio import Doc
from erp_twins.quickbooks.money import ZERO, cents, ref

if TYPE_CHECKING:
    from erp_twins.quickbooks.company import Company

_OPEN = {"Invoice": ("Balance", 1), "Payment": ("UnappliedAmt", -1), "CreditMemo": ("RemainingCredit", -1)}


def book(company: Company, entity: str, old: Doc | None, new: Doc | None) -> None:
    """Carry a document's change into its customer's Balance; the customer's SyncToken stays as it is."""
    for doc, sign in ((old, -1), (new, 1)):
        if doc and entity in _OPEN:
            _add(company, ref(doc, "CustomerRef"), sign * _open(entity, doc))


def _add(company: Company, ident: str, step: Decimal) -> None:
    """Stored documents are replaced, never changed: a ledger taken earlier stays as it was."""
    customers = company.tables.get("Customer", {})
    if step and ident in customers:
        balance = cents(Decimal(customers[ident].get("Balance", ZERO)) + step)
        customers[ident] = {**customers[ident], "Balance": balance, "BalanceWithJobs": balance}


def _open(entity: str, doc: Doc) -> Decimal:
    field, sign = _OPEN[entity]
    return sign * Decimal(doc.get(field, ZERO))
