"""Rows of CSV and JSON files with the line of the file at which each begins. What is broken is a row too, with its fault."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from erp_pipelines.domain.errors import RecordInvalid

JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})


@dataclass(frozen=True)
class Row:
    """One record of a CSV file. `fault` says why its cells cannot be trusted; `torn`: the rest of the file was not read."""

    line: int
    cells: tuple[str, ...]
    fault: str = ""
    torn: bool = False


@dataclass(frozen=True)
class Item:
    """One value of a JSON file, with the text that it was read from."""

    line: int
    value: Any
    text: str
    fault: str = ""


@dataclass(frozen=True)
class CsvFile:
    header: tuple[str, ...]
    rows: Iterator[Row]


def is_json(file: Path) -> bool:
    return file.suffix.lower() in JSON_SUFFIXES


@contextmanager
def open_csv(file: Path) -> Iterator[CsvFile]:
    """A CSV file (RFC 4180, UTF-8 with or without a mark), read as its rows are taken.

    Raises RecordInvalid for a file that cannot be opened or has no header in UTF-8.
    """
    with _opened(file) as stream:
        rows = _rows(stream)
        first = next(rows, None)
        if first is None:
            raise RecordInvalid(f"{file.name} is empty.", mend="Its first line must name the columns.")
        _check_header(first, file.name)
        header = tuple(cell.strip() for cell in first.cells)
        yield CsvFile(header, (_checked(row, len(header)) for row in rows))


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    try:
        # Bytes that are no UTF-8 become surrogates, so that one such row does not spoil the others.
        stream = file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise RecordInvalid(f"{file.name} cannot be read: {error.strerror}.", mend="Check the path.") from None
    with stream:
        yield stream


def _rows(stream: TextIO) -> Iterator[Row]:
    """The reader counts the lines it has taken, so a record begins after the count before it."""
    taken: list[str] = []
    reader = csv.reader(_kept(stream, taken), strict=True)
    while True:
        taken.clear()
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken(start, taken, str(error))
            continue
        if cells:
            yield Row(start, tuple(cells))


def _kept(stream: TextIO, taken: list[str]) -> Iterator[str]:
    for text in stream:
        taken.append(text)
        yield text


def _broken(line: int, taken: list[str], error: str) -> Row:
    cells = tuple(taken[0].rstrip("\r\n").split(",")) if taken else ()
    if "unexpected end" in error:
        return Row(line, cells, "has a quote that is never closed; nothing after it was read", torn=True)
    return Row(line, cells, f"is broken: {error}")


def _check_header(first: Row, name: str) -> None:
    if first.fault:
        raise RecordInvalid(f"{name}: line {first.line} {first.fault}.")
    text = "".join(first.cells)
    if not _is_text(text) or "\0" in text:
        raise RecordInvalid(f"{name} is not UTF-8 text.", mend="Save it again as CSV in UTF-8.")
    if len(first.cells) == 1 and (";" in text or "\t" in text):
        raise RecordInvalid(f"{name} is not separated by commas.", mend="Save it again with commas between the cells.")


def _checked(row: Row, width: int) -> Row:
    if row.fault:
        return row
    if not _is_text("".join(row.cells)):
        return Row(row.line, row.cells, "is not UTF-8 text")
    if len(row.cells) != width:
        return Row(row.line, row.cells, f"has {_cells(len(row.cells))}, the header has {width}")
    return row


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_json(file: Path) -> Iterator[Item]:
    """The records of a JSON array (read whole), or of JSON lines (read as they are taken).

    Raises RecordInvalid for a file that cannot be read, and before the first record for an array that is no JSON.
    A line that is no JSON is an item with a fault.
    """
    with _opened(file) as stream:
        if _begins_array(stream):
            yield from _array(stream.read(), file.name)
        else:
            yield from _json_lines(stream)


def _begins_array(stream: TextIO) -> bool:
    """Whether the first sign is a bracket; the stream stands at its beginning again."""
    for text in stream:
        if text.strip():
            break
    else:
        text = ""
    stream.seek(0)
    return text.lstrip().startswith("[")


def _array(text: str, name: str) -> list[Item]:
    decoder, items = _decoder(), []
    place, line = _next(text, text.index("[") + 1), 1
    counted = 0
    while not text.startswith("]", place):
        line += text.count("\n", counted, place)
        counted = place
        try:
            value, end = decoder.raw_decode(text, place)
        except ValueError as error:
            raise _no_json(name, line, error) from None
        items.append(Item(line, value, text[place:end]))
        place = _next(text, end)
        if text.startswith(",", place):
            place = _next(text, place + 1)
        elif not text.startswith("]", place):
            raise _no_json(name, line, ValueError("after the record, a comma or ] is missing"))
    if text[place + 1 :].strip():
        raise _no_json(name, line, ValueError("something stands after the array"))
    return items


def _json_lines(stream: TextIO) -> Iterator[Item]:
    decoder = _decoder()
    for line, text in enumerate(stream, 1):
        if not text.strip():
            continue
        try:
            yield Item(line, decoder.decode(text.strip()), text.strip())
        except ValueError as error:
            yield Item(line, None, text.strip(), f"is no JSON: {_words(error)}")


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


def _no_json(name: str, line: int, error: ValueError) -> RecordInvalid:
    return RecordInvalid(f"{name} is no JSON: the record in line {line}: {_words(error)}.")


def _words(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
