"""CSV for spreadsheets, sent as it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from fastapi.responses import StreamingResponse

# A spreadsheet takes what begins like this for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvResponse(StreamingResponse):
    media_type = "text/csv"


def answer(lines: Iterable[str], file_name: str) -> CsvResponse:
    """A file to download."""
    return CsvResponse(lines, headers={"Content-Disposition": f'attachment; filename="{file_name}"'})


def line(cells: Iterable[object]) -> str:
    """One line; texts that a spreadsheet would run are disarmed."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_cell(value) for value in cells])
    return buffer.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
