"""Reading values of a request body: each becomes what a record stores, or is refused with its path."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from erp_twins.jsonio import Doc
from erp_twins.netsuite import enums
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import bad_content
from erp_twins.netsuite.record_types import FAMILIES, TYPES, space
from erp_twins.netsuite.schema import Field, Kind

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")
_TRUTHS = {"true": True, "t": True, "false": False, "f": False}


def cents(value: Decimal | int) -> Decimal:
    """Half up to two places; minus zero becomes zero."""
    return Decimal(value).quantize(_CENT, ROUND_HALF_UP) + ZERO


def amount_of(transaction: Doc) -> Decimal:
    """The total of a sale, the amount of a payment."""
    return Decimal(transaction["total"] if "total" in transaction else transaction.get("payment", 0))


def read(account: Account, field: Field, value: Any, path: str) -> Any:
    """The stored form of a plain value, reference or enumeration."""
    if field.kind == "ref":
        return reference(account, field, value, path)
    if field.kind == "enum":
        return _enumerated(field, value, path)
    parsed = None if isinstance(value, dict | list) else _PLAIN[field.kind](value)
    if parsed is None:
        raise bad_content(path, "value", field=field.name)
    return parsed


def _text(value: Any) -> str | None:
    return None if isinstance(value, bool) else str(value)


def _number(value: Any) -> Decimal | None:
    try:
        parsed = None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None
    return parsed if parsed is not None and parsed.is_finite() else None


def _integer(value: Any) -> int | None:
    parsed = _number(value)
    return int(parsed) if parsed is not None and parsed == parsed.to_integral_value() else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())


def _date(value: Any) -> str | None:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return None


def _rate(value: Any) -> Decimal | str | None:
    text = str(value).strip()
    number = _number(text.removesuffix("%"))
    return f"{number}%" if number is not None and text.endswith("%") else number


def share(rate: Decimal | int | str, of: Decimal) -> Decimal:
    """What a rate comes to: a percentage of an amount, or the amount that it names."""
    if isinstance(rate, str):
        return cents(of * Decimal(rate.removesuffix("%")) / 100)
    return cents(rate)


_PLAIN: dict[Kind, Callable[[Any], Any]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "rate": _rate,
}


def _enumerated(field: Field, value: Any, path: str) -> str:
    plain = (value.get("id") or value.get("refName")) if isinstance(value, dict) else value
    ident = enums.ident_of(field.target, str(plain))
    if ident is None:
        raise bad_content(path, "value", field=field.name)
    return ident


# --- references ---


def reference(account: Account, field: Field, value: Any, path: str) -> str:
    """The internal id that a reference means: `{"id"}`, `{"externalId"}`, `{"refName"}`, or a bare id."""
    ident = _referred(account, field.target, value)
    if not ident:
        raise bad_content(path, "reference", field=field.name, value=_told(value))
    return ident


def _told(value: Any) -> str:
    return str(next(iter(value.values()), "")) if isinstance(value, dict) else str(value)


def _referred(account: Account, target: str, value: Any) -> str:
    sent: Doc = value if isinstance(value, dict) else {"id": value}
    names = FAMILIES.get(target, (target,))
    if target == "address":  # an entry of the customer's address book, which the form looks up
        return str(sent.get("id", ""))
    if sent.get("id") not in {None, ""}:
        ident = str(sent["id"])
        idents = ((name, account.resolved(name, ident)) for name in names)
        return next((one for name, one in idents if account.get(name, one)), "")
    if sent.get("externalId"):
        held = account.index.holder(space(TYPES[names[0]]), "externalId", str(sent["externalId"]))
        return held[1] if held and held[0] in names else ""
    return _named(account, names, str(sent.get("refName", "")))


def _named(account: Account, names: tuple[str, ...], text: str) -> str:
    rows = (row for name in names for row in account.rows(name))
    return next((row["id"] for row in rows if text and name_of(row).casefold() == text.casefold()), "")


_NAME_FIELDS = ("entityId", "itemId", "acctName", "tranId", "periodName", "name")


def name_of(doc: Doc) -> str:
    """What a reference to this record shows."""
    return next((str(doc[name]) for name in _NAME_FIELDS if doc.get(name)), "")


def target_of(account: Account, target: str, ident: str) -> tuple[str, Doc] | None:
    """Type and stored record that a reference points to."""
    found = ((name, account.get(name, ident)) for name in FAMILIES.get(target, (target,)))
    return next(((name, doc) for name, doc in found if doc), None)
