"""Keyset cursors: opaque to callers, and nothing but a place in a list, so they need no signature."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from erp_pipelines.domain.errors import RecordInvalid

Row = TypeVar("Row")


def encode(*place: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def decode(cursor: str | None, parts: int) -> list[str] | None:
    """The place in the cursor; None without one. Raises RecordInvalid for what never was a cursor of ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        place = None
    if not isinstance(place, list) or len(place) != parts or not all(isinstance(part, str) for part in place):
        raise no_cursor()
    return place


def moment_and_id(cursor: str | None) -> tuple[dt.datetime, str] | None:
    """The place in a list that is ordered by time and id."""
    place = decode(cursor, 2)
    try:
        return (dt.datetime.fromisoformat(place[0]), str(uuid.UUID(place[1]))) if place else None
    except ValueError:
        raise no_cursor() from None


def number(cursor: str | None) -> int | None:
    """The place in a list that is ordered by a number."""
    place = decode(cursor, 1)
    try:
        return int(place[0]) if place else None
    except ValueError:
        raise no_cursor() from None


def no_cursor() -> RecordInvalid:
    return RecordInvalid("That is no cursor.", field="cursor", mend="Use the nextCursor of the page before.")


def cut(rows: Sequence[Row], size: int, place: Callable[[Row], Sequence[str]]) -> tuple[list[Row], str | None]:
    """One page of rows that were read one too many, and the cursor of the next page."""
    page = list(rows[:size])
    return page, encode(*place(page[-1])) if len(rows) > size else None
