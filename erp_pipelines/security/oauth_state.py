"""The `state` of an OAuth consent, and the secret of the browser that began it: unguessable, kept as digests only."""

from __future__ import annotations

import hashlib
import hmac
import secrets

STATE_BYTES = 32


def new_state() -> str:
    """256 random bits, fit for a URL."""
    return secrets.token_urlsafe(STATE_BYTES)


def digest(state: str) -> str:
    """What is stored. The state has entropy enough, so a plain hash cannot be searched back."""
    return hashlib.sha256(state.encode()).hexdigest()


def is_of(secret: str, stored: str) -> bool:
    """Whether `stored` is this secret's digest; in constant time."""
    return hmac.compare_digest(digest(secret), stored)
