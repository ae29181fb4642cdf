"""The file of order lines: read once before any order, then taken order by order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from erp_pipelines.commerce.cells import Binding, bind
from erp_pipelines.commerce.fields import Field
from erp_pipelines.commerce.maps import ColumnMap
from erp_pipelines.commerce.readers import Row, open_csv
from erp_pipelines.commerce.rejects import Rejection
from erp_pipelines.domain.errors import PipelineError, RecordInvalid
from erp_pipelines.domain.orders import OrderLine
from erp_pipelines.domain.records import parse

LINE_FIELD = re.compile(r"lines[.\[](\d+)\]?")


@dataclass
class LineFile:
    """Lines by the order they belong to. A broken line belongs to whatever order it may name."""

    path: Path
    header: tuple[str, ...]
    binding: Binding
    by_order: dict[str, list[Row]] = field(default_factory=dict)
    broken: dict[str, list[Row]] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    rejections: list[Rejection] = field(default_factory=list)
    left_over: list[int] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Raises RecordInvalid for a fault after which the rest of the file is unknown: orders would lose lines."""
        if row.torn:
            raise RecordInvalid(f"{self.path.name}: line {row.line} {row.fault}.", mend="Close the quote.")
        if row.fault:
            for order_id in may_name(row, self.binding.places["orderId"], len(self.header)) or [""]:
                self.broken.setdefault(order_id, []).append(row)
            return
        self.by_order.setdefault(self.binding.text(row.cells, "orderId") or "", []).append(row)

    def take(self, order_id: str | None) -> list[tuple[int, OrderLine]]:
        """The lines of an order, each with its line in the file.

        Raises RecordInvalid, naming every faulty line, when one is faulty, and when there is none.
        """
        rows = self.by_order.pop(order_id or "", []) if order_id else []
        faults = self._broken_lines(order_id or "")
        taken: list[tuple[int, OrderLine]] = []
        for row in rows:
            try:
                taken.append((row.line, self._line(row)))
            except PipelineError as error:
                faults.append((row.line, str(error)))
                self.rejections.append(Rejection(row.line, str(error), row.cells))
        if faults:
            raise RecordInvalid(" ".join(f"Line {line} of {self.path.name}: {why}" for line, why in sorted(faults)))
        if order_id and not taken:
            raise RecordInvalid(f"{self.path.name} has no line of order {order_id!r}.", field="lines")
        return taken

    def claim(self, row: Row, place: int | None, width: int) -> None:
        """A broken row of the orders file was rejected: the lines of the order it may name are no riddle."""
        for order_id in may_name(row, place or 0, width):
            self.by_order.pop(order_id, None)
            self._broken_lines(order_id)

    def explain(self, error: PipelineError, numbers: Sequence[int]) -> str:
        """The error's text; where it is about one line of the order, with that line's place in the file."""
        found = LINE_FIELD.match(getattr(error, "field", ""))
        if found is None or not 0 < int(found[1]) <= len(numbers):
            return str(error)
        return f"Line {numbers[int(found[1]) - 1]} of {self.path.name}: {error}"

    def reject_unclaimed(self, orders_file: str) -> None:
        """After the last order: what is left belongs to none of them.

        A whole line of another order is no fault: the file of orders may be a part, such as the rows rejected before.
        """
        nameless = self.by_order.pop("", [])
        self.rejections += [Rejection(row.line, "The line names no order.", row.cells) for row in nameless]
        self.left_over = sorted(row.line for rows in self.by_order.values() for row in rows)
        for row in {row.line: row for rows in self.broken.values() for row in rows}.values():
            if row.line not in self.claimed:
                why = f"The row {row.fault}, and names no order of {orders_file}: see that none has lost a line."
                self.rejections.append(Rejection(row.line, why, row.cells))
        self.rejections.sort(key=lambda rejection: rejection.line)

    def _line(self, row: Row) -> OrderLine:
        data = self.binding.data(row.cells)
        data.pop("orderId")
        return parse(OrderLine, data)

    def _broken_lines(self, order_id: str) -> list[tuple[int, str]]:
        rows = self.broken.get(order_id, []) if order_id else []
        for row in rows:
            if row.line not in self.claimed:
                self.rejections.append(Rejection(row.line, f"The row {row.fault}.", row.cells))
        self.claimed |= {row.line for row in rows}
        return [(row.line, f"The row {row.fault}.") for row in rows]


def may_name(row: Row, place: int, width: int) -> list[str]:
    """The ids that a row with a cell too many or too few may mean: its id stands at its place, or moved by as many."""
    moved = len(row.cells) - width
    places = range(max(place + min(moved, 0), 0), place + max(moved, 0) + 1)
    return sorted({row.cells[at].strip() for at in places if at < len(row.cells)} - {""})


def open_lines(file: Path, options: ColumnMap, fields: Mapping[str, Field]) -> LineFile:
    """Read the whole file of lines. Raises RecordInvalid when it or its columns cannot be used."""
    with open_csv(file) as opened:
        binding = bind(options.lines, options, opened.header, fields, file.name)
        found = LineFile(file, opened.header, binding)
        for row in opened.rows:
            found.add(row)
    return found
