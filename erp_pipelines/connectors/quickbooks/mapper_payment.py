"""A payment of an order as a Payment that settles its invoice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import customer_of, external_id, refuse_refund, set_only
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_shared import (
    NOTE_LENGTH,
    currency,
    reference,
)
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.payments import Payment


def payment(record: Payment, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """All of it goes to the order's invoice, see `applied`. `refs` holds the order, and as its only customer the order's."""
    refuse_refund(record, DISPLAY_NAME)
    invoice = {"TxnId": external_id(refs, Ref("Order", record.order_id), DISPLAY_NAME), "TxnType": "Invoice"}
    deposit_to, method = deposit_account(record.method, books), payment_method(record.method, books)
    return set_only(
        {
            "CustomerRef": reference(customer_of(record.order_id, refs, DISPLAY_NAME)),
            "TotalAmt": record.amount,
            "TxnDate": record.date.isoformat(),
            "PaymentRefNum": clean(record.reference, books.config.payment_reference_length),
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
    return clean_lines("\n".join(lines), NOTE_LENGTH)
