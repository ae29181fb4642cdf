"""Secrets out of logs: by the name of the field they stand in, and by their looks wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "[redacted]"
DEEPEST = 16

# Names as they are compared: lower case, letters and digits only.
_SECRET_PARTS = (
    "token", "secret", "password", "passwd", "authorization", "signature", "apikey", "privatekey", "encryptionkey",
    "cookie", "credential", "assertion", "verifier",
)  # fmt: skip
_SECRET_NAMES = frozenset({"code", "authcode", "pwd", "key", "keys", "jwt"})
# Named like secrets, but no secrets: QuickBooks' version of a record, and when a token ends.
_HARMLESS = re.compile(r"synctoken|.*(expiresat|expiresin|type)")
_ERROR_CODE = re.compile(r"-?\d{1,6}")
_NAMED = r"(?!sync)[\w-]*(?:token|secret|password|signature|assertion)"
_PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), MASK),
    (re.compile(r"\b(Bearer|Basic|OAuth)\s+[\w+/=.~-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
    (re.compile(r"([?&;]|^)(code|state)=[^&\s\"'#]+", re.IGNORECASE), rf"\1\2={MASK}"),
    (re.compile(rf"(?<![\w-])({_NAMED})=[^&\s\"'#]+", re.IGNORECASE), rf"\1={MASK}"),
    (re.compile(rf"""(["']{_NAMED}["']\s*:\s*["'])[^"']+""", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(\w+://[^/\s:@]*):[^/\s@]+@"), rf"\1:{MASK}@"),
)


def is_secret(name: str) -> bool:
    """Whether a field, header or parameter of this name holds a secret."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if _HARMLESS.fullmatch(plain):
        return False
    return plain in _SECRET_NAMES or any(part in plain for part in _SECRET_PARTS)


def mask_text(text: str) -> str:
    """The text without bearer and basic credentials, JWTs, private keys, passwords in URLs and secret parameters."""
    for pattern, masked in _PATTERNS:
        text = pattern.sub(masked, text)
    return text


def mask_url(url: str) -> str:
    """The URL with its password and its secret parameters (code, state, tokens, signatures) masked."""
    return mask_text(url)


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with the values of secret ones masked."""
    return {name: MASK if is_secret(name) else mask_text(value) for name, value in headers.items()}


def mask(value: Any, depth: int = 0) -> Any:
    """A copy of a JSON-like value: what stands under a secret name is masked whole, texts are searched."""
    if depth > DEEPEST:
        return MASK
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {
            name: MASK if _holds_secret(str(name), entry) else mask(entry, depth + 1) for name, entry in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(entry, depth + 1) for entry in value]
    return value


def _holds_secret(name: str, entry: Any) -> bool:
    """A `code` of a few digits is that of an error; those of a consent are long."""
    is_error_code = name.lower() == "code" and _ERROR_CODE.fullmatch(str(entry)) is not None
    return entry is not None and is_secret(name) and not is_error_code


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor of every door: last before the renderer, when exceptions are text already."""
    masked: dict[str, Any] = mask(event)
    return masked
