"""The fields of canonical records by the names that files use: `name`, `billingAddress.city`."""

from __future__ import annotations

import datetime as dt
import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from erp_pipelines.domain.records import Record


class Content(Enum):
    """How a cell of the field is read."""

    TEXT = "text"
    AMOUNT = "amount"
    DATE = "date"


@dataclass(frozen=True)
class Field:
    content: Content
    required: bool


def fields_of(kind: type[Record], prefix: str = "") -> dict[str, Field]:
    """All fields of the record, nested ones with a dotted name, in the record's order; an order's lines are left out."""
    found: dict[str, Field] = {}
    for name, info in kind.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        inner = _plain(info.annotation)
        if isinstance(inner, type) and issubclass(inner, Record):
            found |= fields_of(inner, f"{path}.")
        elif get_origin(inner) is not tuple:
            found[path] = Field(_content(inner), info.is_required() and not prefix)
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`; case counts for nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0)
    return by_lower[close[0]] if close else ""


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted name; None where there is none."""
    value: Any = data
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _plain(annotation: Any) -> Any:
    """The type without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return _plain(next(part for part in get_args(annotation) if part is not types.NoneType))
    return annotation


def _content(inner: Any) -> Content:
    if inner is Decimal:
        return Content.AMOUNT
    return Content.DATE if inner is dt.date else Content.TEXT
