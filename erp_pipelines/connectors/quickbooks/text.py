"""Numbers and quotes as QuickBooks takes them, and our mark in the notes of what we made."""

from __future__ import annotations

import hashlib
import re

from erp_pipelines.connectors.text import clean

MARK = "PrometheusId:"
DOC_NUMBER_LENGTH = 21


def document_number(number: str) -> str:
    """The number itself; a longer one than 21 characters is cut to 12, a hyphen and 8 hex digits of its SHA-256."""
    plain = clean(number, len(number))
    if len(plain) <= DOC_NUMBER_LENGTH:
        return plain
    return f"{plain[:12]}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"


def mark(record_id: str) -> str:
    """What says in a note that this document stands for our record."""
    return MARK + clean(record_id, len(record_id))


def carries(note: str, record_id: str) -> bool:
    """Whether the note has the mark of exactly this record."""
    return re.search(rf"(?<!\S){re.escape(mark(record_id))}(?!\S)", note) is not None


def record_of(note: str) -> str | None:
    """Our id in the mark of a note, to the end of its line; None without a mark."""
    found = re.search(rf"(?<!\S){MARK}(.+)", note)
    return found.group(1).strip() if found else None


def is_marked(note: str) -> bool:
    """Whether the note has the mark of any record."""
    return MARK in note


def quoted(text: str, *, escape_backslash: bool = True) -> str:
    r"""A value within a query: in single quotes, an apostrophe as \' (doubling it is refused)."""
    escaped = text.replace("\\", "\\\\") if escape_backslash else text
    return "'" + escaped.replace("'", "\\'") + "'"
