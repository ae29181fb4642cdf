"""A payment as a Payment that settles the invoices of its orders. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import customer_of, external_id, refuse_refund, set_only, setting_missing
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_shared import (
    NOTE_LENGTH,
    currency,
    reference,
)
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.payments import Allocation, Payment

ZERO = Decimal(0)


def payment(record: Payment, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """Each part goes to its order's invoice, see `applied`. `refs` holds the orders, and as its only customer theirs.

    RequirementMissing where some of it is for no order, and the tenant does not want such money to stand as a credit.
    """
    refuse_refund(record, DISPLAY_NAME)
    _check_credit(record, books)
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
            **currency(record.currency, record.exchange_rate, books),
            "Line": [_line(part, refs) for part in record.parts],
        }
    )


def _line(part: Allocation, refs: Mapping[Ref, str]) -> dict[str, Any]:
    invoice = external_id(refs, Ref("Order", part.order_id), DISPLAY_NAME)
    return {"Amount": part.amount, "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}


def _check_credit(record: Payment, books: Books) -> None:
    if record.unallocated and books.own.overpayments != "unapplied":
        raise setting_missing(
            f"{record.unallocated} of payment {record.id} is for no order.",
            "overpayments",
            "Let it stand as the customer's credit in the settings of the QuickBooks connection "
            "(providerSettings.overpayments: unapplied), or enter the payment by hand.",
        )


def deposit_account(method: str | None, books: Books) -> str | None:
    """Where money of this method goes, or is taken from."""
    return books.own.deposit_accounts.get((method or "").casefold()) or books.settings.deposit_account_id


def payment_method(method: str | None, books: Books) -> str | None:
    return books.own.payment_methods.get((method or "").casefold())


def applied(body: Mapping[str, Any], still_open: Mapping[str, Decimal]) -> dict[str, Any]:
    """The same payment with no more applied to each invoice than is open; the rest is the customer's credit."""
    lines = [{**line, "Amount": min(line["Amount"], still_open.get(invoice_of(line), ZERO))} for line in body["Line"]]
    return {**body, "Line": [line for line in lines if line["Amount"]]}


def invoice_of(line: Mapping[str, Any]) -> str:
    """The invoice that a line of a payment settles."""
    return str(line["LinkedTxn"][0]["TxnId"])


def _note(record: Payment) -> str:
    """The mark, and in full what PaymentRefNum may have cut: processors' ids are longer than its 21 characters."""
    lines = [
        text.mark(record.id),
        f"Reference: {record.reference}" if record.reference else "",
        f"Method: {record.method}" if record.method else "",
    ]
    return clean_lines("\n".join(lines), NOTE_LENGTH)
