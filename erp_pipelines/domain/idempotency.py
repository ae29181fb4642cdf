"""Keys that make a repeat harmless, and fingerprints that make it unnecessary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

# QuickBooks allows 50 characters for a requestid (36 with batches): reference/quickbooks, section 3.
KEY_LENGTH = 32


def fingerprint(value: Any) -> str:
    """The same JSON value always gives the same text, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def request_key(connection_id: str, entity: str, entity_id: str, purpose: str, content: str, generation: int) -> str:
    """The key sent with one write: equal for every repeat of it, different for everything else.

    `content` is the fingerprint of the canonical record (not of the mapped body: a changed
    setting must not make a new key for a write that may have happened already).
    `generation` counts definitive refusals: a provider may remember those under the old key.
    """
    parts = (connection_id, entity, entity_id, purpose, content, str(generation))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:KEY_LENGTH]


def batch_key(keys: Sequence[str]) -> str:
    """The key of one call that carries several writes, from the keys of these in their order."""
    return hashlib.sha256("\x1f".join(keys).encode()).hexdigest()[:KEY_LENGTH]


def notice_key(*parts: str) -> str:
    """A deterministic id for a webhook notice that carries none of its own."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
