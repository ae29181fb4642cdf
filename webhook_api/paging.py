"""Keyset cursors: opaque to callers, and nothing but a place in a list, so they need no signature."""

from __future__ import annotations

import base64
import binascii
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


def no_cursor() -> RecordInvalid:
    return RecordInvalid("That is no cursor.", field="cursor", mend="Use the nextCursor of the page before.")


def uuid_text(text: str) -> str:
    """The id in its one spelling; ValueError for anything else."""
    return str(uuid.UUID(text))


def cut(rows: Sequence[Row], size: int, place: Callable[[Row], Sequence[str]]) -> tuple[list[Row], str | None]:
    """One page of rows that were read one too many, and the cursor of the next page."""
    page = list(rows[:size])
    return page, encode(*place(page[-1])) if len(rows) > size else None
