"""Column maps: which column of a file holds which field. Everything about a map is checked before a row is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from erp_pipelines.commerce.fields import Field, nearest
from erp_pipelines.domain.errors import RecordInvalid

KEYS = ("null", "dates", "columns", "defaults", "lines")
LINE_KEYS = ("columns", "defaults")
# A date whose day, month and year cannot be taken for one another.
SAMPLE = dt.datetime(2003, 11, 25, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Section:
    """Field -> column, and field -> text that stands for a missing value, of one file."""

    columns: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnMap:
    """A whole map. `record` None: the file's headers are the canonical names themselves; so for `lines`."""

    nulls: frozenset[str] = frozenset()
    dates: tuple[str, ...] = ()
    record: Section | None = None
    lines: Section | None = None


def load_map(path: Path, fields: Mapping[str, Field], line_fields: Mapping[str, Field] | None) -> ColumnMap:
    """The map in a YAML file. `line_fields` is None for records that have no lines.

    Raises RecordInvalid for a file that cannot be read and for an unknown key or field, naming the nearest known one.
    """
    data = _mapping(_read(path), path.name)
    _check_keys(data, KEYS if line_fields else KEYS[:-1], path.name)
    if "columns" not in data:
        raise RecordInvalid(f"{path.name} has no columns.", mend="Write columns: and under it field: column.")
    lines = _mapping(data["lines"], f"{path.name}: lines") if "lines" in data else None
    if lines is not None:
        _check_keys(lines, LINE_KEYS, f"{path.name}: lines")
    return ColumnMap(
        nulls=frozenset(_texts(data.get("null", []), f"{path.name}: null")),
        dates=tuple(_date_format(text, path.name) for text in _texts(data.get("dates", []), f"{path.name}: dates")),
        record=_section(data, fields, path.name),
        lines=None if lines is None else _section(lines, line_fields or {}, f"{path.name}: lines"),
    )


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
        # BaseLoader makes text of everything: `null` stays a key, `no` and `1.10` stay what was written.
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError) as error:
        raise RecordInvalid(f"The map {path.name} cannot be read: {_reason(error)}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise RecordInvalid(f"The map {path.name} is no YAML{where}: {getattr(error, 'problem', error)}.") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else "it is not UTF-8 text"


def _section(data: Mapping[str, Any], fields: Mapping[str, Field], where: str) -> Section:
    columns = _flat(_mapping(data.get("columns", {}), f"{where}: columns"), fields, f"{where}: columns")
    defaults = _flat(_mapping(data.get("defaults", {}), f"{where}: defaults"), fields, f"{where}: defaults")
    return Section(columns, defaults)


def _flat(data: Mapping[str, Any], fields: Mapping[str, Field], where: str, prefix: str = "") -> dict[str, str]:
    """Nested names with dots. Raises RecordInvalid for a field that the record does not have."""
    found: dict[str, str] = {}
    for name, value in data.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and any(known.startswith(f"{path}.") for known in fields):
            found |= _flat(value, fields, where, f"{path}.")
        elif path not in fields:
            raise RecordInvalid(f"{where}: there is no field {path!r}; the nearest is {nearest(path, fields)!r}.")
        elif not isinstance(value, str) or not value:
            raise RecordInvalid(f"{where}: {path} must be one text.")
        else:
            found[path] = value
    return found


def _check_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            raise RecordInvalid(f"{where}: there is no key {key!r}; the nearest is {nearest(key, known)!r}.")


def _mapping(data: Any, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise RecordInvalid(f"{where} must be a mapping of names.", mend="Write name: value, one a line.")
    return data


def _texts(data: Any, where: str) -> list[str]:
    if isinstance(data, str):
        return [data]
    if not isinstance(data, list) or not all(isinstance(text, str) for text in data):
        raise RecordInvalid(f"{where} must be a list of texts.")
    return data


def _date_format(text: str, where: str) -> str:
    try:
        whole = dt.datetime.strptime(SAMPLE.strftime(text), text).date() == SAMPLE.date()  # noqa: DTZ007  only the day counts
    except ValueError:
        whole = False
    if not whole:
        raise RecordInvalid(f"{where}: dates: {text!r} does not describe a date.", mend="Write it like %d/%m/%Y.")
    return text
