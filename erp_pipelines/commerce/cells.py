"""From the cells of a row to the parts of a record."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from erp_pipelines.commerce.fields import Content, Field, nearest
from erp_pipelines.commerce.maps import ColumnMap, Section
from erp_pipelines.commerce.rejects import OUR_COLUMNS
from erp_pipelines.domain.errors import RecordInvalid

# 1234.50, .5 and 1,234.50. Not 1,234: half of the world reads that as a bit more than one.
AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+|\d{1,3}(?:,\d{3})+\.\d+)", re.ASCII)
# Exports put an apostrophe before what a spreadsheet would run.
DISARMED = re.compile(r"'[=+\-@\t\r]")


@dataclass(frozen=True)
class Binding:
    """The fields of one file, each with the place of its cell and how to read it."""

    fields: Mapping[str, Field]
    places: Mapping[str, int]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()
    dates: tuple[str, ...] = ()
    canonical: bool = False

    def text(self, cells: Sequence[str], path: str) -> str | None:
        """What the cell of a field says, or None when it has no value."""
        place = self.places.get(path)
        cell = "" if place is None else cells[place].strip()
        if self.canonical and DISARMED.match(cell):
            cell = cell[1:]
        return None if not cell or cell in self.nulls else cell

    def data(self, cells: Sequence[str]) -> dict[str, Any]:
        """The parts of the record, nested as it is, fields without a value left out. Raises RecordInvalid."""
        found: dict[str, Any] = {}
        for path in self.fields:
            text = self.text(cells, path)
            value = self.defaults.get(path) if text is None else self.value(path, text)
            if value is not None:
                _put(found, path, value)
        return found

    def value(self, path: str, text: str) -> Any:
        """The value that a text stands for. Raises RecordInvalid naming the field."""
        match self.fields[path].content:
            case Content.AMOUNT:
                return amount(text, path)
            case Content.DATE:
                return date(text, self.dates, path)
        return text


def bind(
    section: Section | None, options: ColumnMap, header: Sequence[str], fields: Mapping[str, Field], file: str
) -> Binding:
    """Find each field's column. Without a section the headers are the canonical names.

    Raises RecordInvalid for an unknown or doubled column and for a needed field without one.
    """
    columns = _canonical(header, fields, file) if section is None else section.columns
    places = {path: _place(column, header, file) for path, column in columns.items()}
    texts = {} if section is None else section.defaults
    for path, known in fields.items():
        if known.required and path not in places and path not in texts:
            raise RecordInvalid(
                f"{file}: no column is given for {path}.",
                mend=f"Name it under columns, as {path}: COLUMN." if section else f"Add a column {path}.",
            )
    plain = Binding(fields, places, {}, options.nulls, options.dates, canonical=section is None)
    defaults = {path: plain.value(path, text) for path, text in texts.items()}
    return Binding(fields, places, defaults, options.nulls, options.dates, canonical=section is None)


def _canonical(header: Sequence[str], fields: Mapping[str, Field], file: str) -> dict[str, str]:
    for column in header:
        if column not in fields and column not in OUR_COLUMNS:
            raise RecordInvalid(
                f"{file}: column {column!r} is no field; the nearest is {nearest(column, fields)!r}.",
                mend="Name the columns with --map.",
            )
    return {column: column for column in header if column in fields}


def _place(column: str, header: Sequence[str], file: str) -> int:
    if header.count(column) > 1:
        raise RecordInvalid(f"{file} has {header.count(column)} columns {column!r}.", mend="Give each its own name.")
    if column not in header:
        raise RecordInvalid(f"{file} has no column {column!r}; the nearest is {nearest(column, header)!r}.")
    return header.index(column)


def amount(text: str, path: str) -> Decimal:
    """Raises RecordInvalid for anything but English notation that can be read in one way only."""
    if not AMOUNT.fullmatch(text):
        raise RecordInvalid(
            f"{path}: {text!r} is no amount in English notation.", field=path, mend="Write it like 1234.50."
        )
    return Decimal(text.replace(",", ""))


def date(text: str, formats: Sequence[str], path: str) -> dt.date:
    """ISO 8601 first, then the formats in their order; a time of day is dropped. Raises RecordInvalid."""
    try:
        return dt.datetime.fromisoformat(text).date()
    except ValueError:
        pass
    for known in formats:
        try:
            return dt.datetime.strptime(text, known).date()  # noqa: DTZ007  only the day counts
        except ValueError:
            continue
    others = f" nor in {', '.join(formats)}" if formats else ""
    raise RecordInvalid(
        f"{path}: {text!r} is no date in ISO 8601{others}.", field=path, mend="Name its format under dates in the map."
    )


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
    data[last] = value
