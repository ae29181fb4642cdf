"""Texts as ERPs take them."""

from __future__ import annotations

import unicodedata


def clean(text: str | None, length: int) -> str:
    """NFC on one line, without control characters or outer blanks, at most `length` characters."""
    normal = unicodedata.normalize("NFC", text or "")
    printable = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} else char for char in normal)
    return " ".join(printable.split())[:length].strip()


def clean_lines(text: str, length: int) -> str:
    """The same, with its line breaks kept."""
    return "\n".join(line for line in (clean(line, length) for line in text.splitlines()) if line)[:length].strip()


def name(text: str, length: int, suffix: str = "") -> str:
    """A name for a list: no colon either, since ERPs read one as parent and child. The suffix is kept whole."""
    return clean(text.replace(":", " "), length - len(suffix)) + suffix
