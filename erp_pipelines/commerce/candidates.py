"""What a file offers: records to save, and rows that cannot be one, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from erp_pipelines.commerce.cells import Binding, bind
from erp_pipelines.commerce.fields import Content, Field, fields_of
from erp_pipelines.commerce.line_files import LineFile, open_lines
from erp_pipelines.commerce.maps import ColumnMap, load_map
from erp_pipelines.commerce.readers import CsvFile, Item, Row, is_json, open_csv, read_json
from erp_pipelines.commerce.rejects import Rejection
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import PipelineError, RecordInvalid
from erp_pipelines.domain.orders import Order, OrderLine
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import parse

Importable = Customer | Product | Order


@dataclass(frozen=True)
class Candidate:
    """A record to save. `explain` words a refusal of it, naming the line of its line file where one is at fault."""

    line: int
    row: tuple[str, ...]
    record: Importable
    explain: Callable[[PipelineError], str] = str


@dataclass(frozen=True)
class Source:
    """An opened file. `lines` is its file of order lines, if it has one."""

    header: tuple[str, ...]
    offers: Iterator[Candidate | Rejection]
    lines: LineFile | None = None


@dataclass
class _Seen:
    """The ids met so far: a file that says two things of one record says nothing."""

    lines: dict[str, int] = field(default_factory=dict)

    def check(self, record_id: str | None, line: int) -> None:
        if record_id is None:
            return
        first = self.lines.setdefault(record_id, line)
        if first != line:
            raise RecordInvalid(f"The id {record_id!r} stands in line {first} and again in line {line}.", field="id")


def open_source(
    stack: ExitStack, kind: type[Importable], file: Path, map_file: Path | None, lines: Path | None
) -> Source:
    """Open the file, and the lines of its orders, until `stack` closes.

    Raises RecordInvalid, before anything is read but headers, for whatever is wrong with files, map and columns.
    """
    if is_json(file):
        return _json_source(kind, file, map_file, lines)
    if kind is Order and lines is None:
        raise RecordInvalid(
            f"{file.name}: orders in CSV have their lines in a second file.", mend="Name it with --lines."
        )
    if kind is not Order and lines is not None:
        raise RecordInvalid("Only orders have lines.", mend="Leave --lines out.")
    fields = record_fields(kind)
    options = load_map(map_file, fields, line_fields() if kind is Order else None) if map_file else ColumnMap()
    if lines is not None and map_file is not None and options.lines is None:
        raise RecordInvalid(f"{map_file.name} does not describe the lines.", mend="Add lines: with its columns.")
    opened = stack.enter_context(open_csv(file))
    binding = bind(options.record, options, opened.header, fields, file.name)
    line_file = None if lines is None else open_lines(lines, options, line_fields())
    return Source(opened.header, _from_csv(kind, opened, binding, line_file, file.name), line_file)


def record_fields(kind: type[Importable]) -> dict[str, Field]:
    """The fields that a file may give. An order's number may be left out: it is the id then."""
    fields = fields_of(kind)
    return {**fields, "number": Field(Content.TEXT, required=False)} if kind is Order else fields


def line_fields() -> dict[str, Field]:
    return {"orderId": Field(Content.TEXT, required=True), **fields_of(OrderLine)}


def _json_source(kind: type[Importable], file: Path, map_file: Path | None, lines: Path | None) -> Source:
    if map_file is not None:
        raise RecordInvalid(
            "A map names the columns of a CSV file; JSON has the canonical names.", mend="Leave --map out."
        )
    if lines is not None:
        raise RecordInvalid("Orders in JSON have their lines within.", mend="Leave --lines out.")
    return Source(("record",), _from_json(kind, read_json(file)))


def _from_json(kind: type[Importable], items: Iterator[Item]) -> Iterator[Candidate | Rejection]:
    seen = _Seen()
    for item in items:
        try:
            record = _json_record(kind, item, seen)
        except PipelineError as error:
            yield Rejection(item.line, str(error), (item.text,))
        else:
            yield Candidate(item.line, (item.text,), record)


def _json_record(kind: type[Importable], item: Item, seen: _Seen) -> Importable:
    if item.fault:
        raise RecordInvalid(f"The line {item.fault}.")
    value = item.value
    if isinstance(value, dict):
        record_id = value.get("id")
        seen.check(record_id if isinstance(record_id, str) else None, item.line)
        value = _numbered(kind, value)
    return parse(kind, value)


def _numbered(kind: type[Importable], data: dict[str, Any]) -> dict[str, Any]:
    return {"number": data["id"], **data} if kind is Order and "id" in data else data


def _from_csv(
    kind: type[Importable], opened: CsvFile, binding: Binding, lines: LineFile | None, name: str
) -> Iterator[Candidate | Rejection]:
    seen = _Seen()
    for row in opened.rows:
        try:
            yield _csv_candidate(kind, row, binding, lines, seen, len(opened.header))
        except PipelineError as error:
            yield Rejection(row.line, str(error), row.cells)
    if lines is not None:
        lines.reject_unclaimed(name)


def _csv_candidate(
    kind: type[Importable], row: Row, binding: Binding, lines: LineFile | None, seen: _Seen, width: int
) -> Candidate:
    if row.fault:
        if lines is not None:
            lines.claim(row, binding.places.get("id"), width)
        raise RecordInvalid(f"The row {row.fault}.")
    record_id = binding.text(row.cells, "id")
    seen.check(record_id, row.line)
    if lines is None:
        return Candidate(row.line, row.cells, parse(kind, binding.data(row.cells)))
    taken = lines.take(record_id)
    data = _numbered(kind, binding.data(row.cells))
    record = parse(kind, {**data, "lines": [line for _, line in taken]})
    numbers = tuple(number for number, _ in taken)
    return replace(Candidate(row.line, row.cells, record), explain=lambda error: lines.explain(error, numbers))
