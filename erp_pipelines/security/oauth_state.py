"""The `state` of an OAuth consent: unguessable, and kept as a digest only."""

from __future__ import annotations

import hashlib
import secrets

STATE_BYTES = 32


def new_state() -> str:
    """256 random bits, fit for a URL."""
    return secrets.token_urlsafe(STATE_BYTES)


def digest(state: str) -> str:
    """What is stored. The state has entropy enough, so a plain hash cannot be searched back."""
    return hashlib.sha256(state.encode()).hexdigest()
