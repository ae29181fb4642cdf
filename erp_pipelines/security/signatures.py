"""Signatures of webhooks: who sent these bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac


def hmac_sha256_base64(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw bytes, keyed with the secret's UTF-8."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def signed_by(secret: str, body: bytes, signature: str) -> bool:
    """Whether `signature` is the secret's over exactly these bytes; constant time. No secret signs nothing."""
    # Bytes, since compare_digest refuses text outside ASCII, and a header may hold any.
    return bool(secret) and hmac.compare_digest(hmac_sha256_base64(secret, body).encode(), signature.strip().encode())
