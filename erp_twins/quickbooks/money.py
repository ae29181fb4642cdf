"""Exact amounts and small readings of documents."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")


def cents(value: Decimal | int) -> Decimal:
    """Half up to two places; minus zero becomes zero."""
    return Decimal(value).quantize(_CENT, ROUND_HALF_UP) + ZERO


def number(value: Any, element: str) -> Decimal:
    """A JSON number or numeric text as Decimal; fault 2090 for anything else."""
    parsed = None if isinstance(value, bool) else _parsed(str(value))
    if parsed is None or not parsed.is_finite():
        raise faults.fault(2090, "Invalid Number", f"Invalid Number : {value}", element)
    return parsed


def _parsed(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def ref(doc: Doc, name: str) -> str:
    """The Id a reference points to, or an empty text."""
    value = doc.get(name)
    return str(value.get("value", "")) if isinstance(value, dict) else ""


def truth(value: Any) -> bool:
    """A JSON boolean or its text form."""
    return value is True or str(value).lower() == "true"
