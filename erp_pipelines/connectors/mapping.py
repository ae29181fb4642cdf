"""What the mappers of all providers need. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.text import name as fit_name
from erp_pipelines.domain.errors import Rejected, RequirementMissing
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.orders import LineKind, Order, OrderLine
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.refunds import Refund

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")


def requirements(record: CanonicalRecord, items: Mapping[LineKind, str]) -> tuple[Ref, ...]:
    """An order needs its customer, then each product once; a payment its orders, a refund its products too.

    `items`: the ERP's own items for lines that are no goods, whose products need not stand there.
    """
    match record:
        case Order():
            return (Ref("Customer", record.customer_id), *_products(record.lines, items))
        case Refund():
            return (Ref("Order", record.order_id), *_products(record.lines, items))
        case Payment():
            return tuple(Ref("Order", part.order_id) for part in record.parts)
    return ()


def _products(lines: Iterable[OrderLine], items: Mapping[LineKind, str]) -> Iterator[Ref]:
    named = dict.fromkeys(line.product for line in lines if line.kind is None or line.kind not in items)
    return (Ref("Product", product) for product in named)


def item_of(line: OrderLine, refs: Mapping[Ref, str], items: Mapping[LineKind, str], provider: str) -> str:
    """The ERP's item of a line: the one chosen for its kind, else its product's."""
    chosen = items.get(line.kind) if line.kind else None
    return chosen or external_id(refs, Ref("Product", line.product), provider)


def class_of(line: OrderLine, classes: Mapping[str, str], provider: str) -> str | None:
    """The ERP's class for the line's own word, else for its kind. RequirementMissing for a word that nobody has mapped."""
    word = line.sales_class
    if word and word.casefold() not in classes:
        raise setting_missing(
            f"A line is of the class {word!r}, for which no class of {provider} is chosen.",
            "classes",
            f"Choose one for it in the settings of the {provider} connection (providerSettings.classes).",
        )
    return classes.get((word or line.kind or "").casefold())


def external_id(refs: Mapping[Ref, str], ref: Ref, provider: str) -> str:
    """The ERP id of one of our records; RequirementMissing while there is none. `provider` is a name for people."""
    if ref not in refs:
        raise RequirementMissing(
            f"{ref.entity_type} {ref.entity_id} is not in {provider} yet.",
            requirement=f"mapping:{ref.entity_type}:{ref.entity_id}",
            mend=f"Synchronise {ref.entity_type} {ref.entity_id} first.",
        )
    return refs[ref]


def customer_of(order_id: str, refs: Mapping[Ref, str], provider: str) -> str:
    """The ERP id of the only customer in `refs`."""
    customers = [found for ref, found in refs.items() if ref.entity_type == "Customer"]
    if len(customers) != 1:
        raise RequirementMissing(
            f"The customer of order {order_id} is not in {provider} yet.",
            requirement=f"mapping:Order:{order_id}",
            mend=f"Synchronise order {order_id} first.",
        )
    return customers[0]


def setting_missing(message: str, setting: str, mend: str) -> RequirementMissing:
    return RequirementMissing(message, requirement=f"setting:{setting}", mend=mend)


def set_only(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, empty text or empty: ERPs would read those as a wish to clear."""
    return {name: part for name, part in parts.items() if part not in (None, "", {}, [])}


def number(amount: Decimal) -> Decimal:
    """The same amount always looks the same, whatever zeros it came with."""
    plain = amount.normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain


def is_email(text: str, length: int) -> bool:
    """Whether ERPs take it: one address with an @ and a dot after it."""
    return len(text) <= length and _EMAIL.fullmatch(text) is not None


def list_name(name: str, length: int, suffix: str, what: str, provider: str) -> str:
    """The name of a customer or product as a name list takes it. Raises Rejected where nothing is left of it."""
    named = fit_name(name, length, suffix)
    if named == suffix:
        raise Rejected(
            f"Nothing is left of the {what}'s name without the characters that {provider} refuses.",
            cause="value",
            mend=f"Give the {what} a name with letters or digits.",
            definitive=False,
        )
    return named


def refuse_refund(record: Payment, provider: str) -> None:
    """Money that goes back is a person's business. Raises Rejected."""
    if record.amount <= 0:
        raise Rejected(
            f"A payment of {record.amount} is no payment in {provider}.",
            cause="refund",
            mend="Record it as a refund of the order.",
            definitive=False,
        )


def refund_by_hand(record: Refund, provider: str) -> Rejected:
    """What to say where refunds are not brought to the ERP."""
    return Rejected(
        f"Refund {record.id} of order {record.order_number}: refunds are not brought to {provider}.",
        cause="refund-by-hand",
        mend=f"Enter it in {provider} by hand.",
        definitive=False,
    )
