"""A payment of an order as a Payment that settles its invoice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_shared import (
    NOTE_LENGTH,
    currency,
    external_id,
    reference,
    set_only,
)
from erp_pipelines.domain.errors import Rejected, RequirementMissing
from erp_pipelines.domain.payments import Payment


def payment(record: Payment, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """All of it goes to the order's invoice, see `applied`. `refs` holds the order, and as its only customer the order's."""
    if record.amount <= 0:
        raise Rejected(
            f"A payment of {record.amount} is no payment in QuickBooks.",
            cause="refund",
            mend="Record it as a refund of the order.",
            definitive=False,
        )
    invoice = {"TxnId": external_id(refs, Ref("Order", record.order_id)), "TxnType": "Invoice"}
    deposit_to, method = deposit_account(record.method, books), payment_method(record.method, books)
    return set_only(
        {
            "CustomerRef": reference(customer_of(record.order_id, refs)),
            "TotalAmt": record.amount,
            "TxnDate": record.date.isoformat(),
            "PaymentRefNum": text.clean(record.reference, books.config.payment_reference_length),
            "PrivateNote": _note(record),
            "PaymentMethodRef": reference(method) if method else None,
            "DepositToAccountRef": reference(deposit_to) if deposit_to else None,
            **currency(record.currency, None, books),
            "Line": [{"Amount": record.amount, "LinkedTxn": [invoice]}],
        }
    )


def deposit_account(method: str | None, books: Books) -> str | None:
    """Where money of this method goes, or is taken from."""
    return books.own.deposit_accounts.get((method or "").casefold()) or books.settings.deposit_account_id


def payment_method(method: str | None, books: Books) -> str | None:
    return books.own.payment_methods.get((method or "").casefold())


def customer_of(order_id: str, refs: Mapping[Ref, str]) -> str:
    """The ERP id of the only customer in `refs`."""
    customers = [found for ref, found in refs.items() if ref.entity_type == "Customer"]
    if len(customers) != 1:
        raise RequirementMissing(
            f"The customer of order {order_id} is not in QuickBooks yet.",
            requirement=f"mapping:Order:{order_id}",
            mend=f"Synchronise order {order_id} first.",
        )
    return customers[0]


def applied(body: Mapping[str, Any], amount: Decimal) -> dict[str, Any]:
    """The same payment with no more than this applied to its invoice; the rest is the customer's credit."""
    (line,) = body["Line"]
    return {**body, "Line": [{**line, "Amount": amount}] if amount else []}


def _note(record: Payment) -> str:
    """The mark, and in full what PaymentRefNum may have cut: processors' ids are longer than its 21 characters."""
    lines = [
        text.mark(record.id),
        f"Reference: {record.reference}" if record.reference else "",
        f"Method: {record.method}" if record.method else "",
    ]
    return text.clean_lines("\n".join(lines), NOTE_LENGTH)
