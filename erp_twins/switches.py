"""Switches of a twin and settings of its accounts: frozen dataclasses, changed by name and checked by type."""

from __future__ import annotations

from dataclasses import Field, asdict, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Protocol, TypeVar


class Switches(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


SwitchesT = TypeVar("SwitchesT", bound=Switches)


def changed(switches: SwitchesT, changes: dict[str, Any]) -> SwitchesT:
    """The switches with some changed; names in snake_case or camelCase. Raises ValueError for an unknown name or type."""
    known = {one.name: getattr(switches, one.name) for one in fields(switches)}
    plain = {_snake(name): value for name, value in changes.items()}
    unknown = plain.keys() - known.keys()
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return replace(switches, **{name: _fit(name, value, known[name]) for name, value in plain.items()})


def plain(switches: Switches) -> dict[str, Any]:
    return asdict(switches)


def _fit(name: str, value: Any, present: Any) -> Any:
    """A value of the present one's type; None stays for settings that may be absent."""
    if isinstance(present, Decimal):
        try:
            return Decimal(str(value))
        except InvalidOperation as error:
            raise ValueError(f"{name} must be a number") from error
    if isinstance(present, tuple) and isinstance(value, list | set | frozenset):
        return tuple(value)
    if present is not None and value is not None and type(value) is not type(present):
        raise ValueError(f"{name} must be a {type(present).__name__}")
    return value


def _snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name)
