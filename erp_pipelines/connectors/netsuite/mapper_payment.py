"""A payment as a customer payment. Pure; which invoices of its orders it settles is found out when it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import customer_of, external_id, refuse_refund, set_only
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.keys import payment_key
from erp_pipelines.connectors.netsuite.mapper_shared import currency, reference
from erp_pipelines.connectors.text import clean
from erp_pipelines.domain.payments import Payment


def payment(record: Payment, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """`refs` holds the orders, and as its only customer theirs. What is for no order stays unapplied."""
    refuse_refund(record, DISPLAY_NAME)
    for part in record.parts:
        external_id(refs, Ref("Order", part.order_id), DISPLAY_NAME)
    account = books.own.deposit_account_id or books.settings.deposit_account_id
    return {
        **set_only(
            {
                "customer": reference(customer_of(record.order_id, refs, DISPLAY_NAME)),
                "tranDate": record.date.isoformat(),
                "payment": record.amount,
                "memo": _memo(record, books),
                "account": reference(account),
                "undepFunds": account is None,
                "customForm": reference(books.own.custom_form_ids.customer_payment),
            }
        ),
        **currency(record.currency, books),
        **books.own.payment_fields,
        **payment_key(record, books).fields,
    }


def applied(shares: Mapping[str, Decimal]) -> dict[str, Any]:
    """What of it settles which invoice, by the invoice's id."""
    lines = [{"doc": reference(ident), "apply": True, "amount": share} for ident, share in shares.items()]
    return {"apply": {"items": lines}}


def _memo(record: Payment, books: Books) -> str:
    said = (record.method, record.reference)
    return clean(" · ".join(part for part in said if part), books.config.memo_length)
