"""External ids of what we made: unique in NetSuite, so the same record can never stand there twice.

They take letters, digits, `_` and `-` only, and NetSuite may compare them without regard to case. So a lower-case letter,
a digit and `-` stand for themselves, a capital is written as `_` and its small letter, and any other character as `_0` and
two hex digits for each of its UTF-8 bytes: no two of our ids become the same, and ours can be read back.
"""

from __future__ import annotations

import hashlib
import re

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_WRITTEN = re.compile(r"_0([0-9a-f]{2})|_([a-z])|([a-z0-9-])")
_HASH = 16


def external_id(prefix: str, kind: str, record_id: str, length: int) -> str:
    """`shop-order-10248`. A longer one than `length` ends in a hash of the whole id, and cannot be read back."""
    whole = f"{prefix}-{kind}-{''.join(map(_written, record_id))}"
    if len(whole) <= length:
        return whole
    digest = hashlib.sha256(record_id.encode()).hexdigest()[:_HASH]
    return f"{whole[: length - _HASH - 2]}_-{digest}"


def record_of(prefix: str, kind: str, text: str) -> str | None:
    """Our id in an external id of this kind; None for any other text."""
    start = f"{prefix}-{kind}-"
    rest = text.lower()
    if not rest.startswith(start):
        return None
    found = list(_WRITTEN.finditer(rest, len(start)))
    if "".join(one.group() for one in found) != rest[len(start) :]:
        return None
    return b"".join(map(_read, found)).decode("utf-8", "replace")


def _written(char: str) -> str:
    if char in _PLAIN:
        return char
    if char.isascii() and char.isupper():
        return f"_{char.lower()}"
    return "".join(f"_0{byte:02x}" for byte in char.encode())


def _read(one: re.Match[str]) -> bytes:
    byte, capital, plain = one.groups()
    return bytes.fromhex(byte) if byte else (capital.upper() if capital else plain).encode()
