"""Secrets at rest: AES-256-GCM under a ring of keys, each ciphertext bound to the place where it is stored.

A stored value is base64url of

    version (1) | length of key id (1) | key id | salt (16) | nonce (12) | ciphertext and tag

The key of one value is derived from the ring's key and the salt, so random nonces stay safe however
many values there are. The associated data are this header and the table, row and field: a ciphertext
copied into another row, or under another key's name, does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from erp_pipelines.domain.errors import PipelineError, SettingsInvalid

VERSION = 1
KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 16, 12
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
PURPOSE = b"erp-pipelines secret at rest"
HOW_TO = (
    "Write ERP_ENCRYPTION_KEYS as id:base64-of-32-bytes, comma separated, newest first. Make a key with: "
    'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
)


class SecretUnreadable(PipelineError):
    """A stored secret that does not open: its key is not in the ring, or it was moved or changed."""

    code = "secret-unreadable"


@dataclass(frozen=True)
class _Header:
    """The readable part of a stored value; `raw` are the very bytes that were authenticated."""

    raw: bytes
    key_id: str
    salt: bytes
    nonce: bytes


@dataclass(frozen=True)
class Cipher:
    """A ring of keys; the newest encrypts, all of them decrypt. `repr` shows the ids only."""

    newest: str
    _keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def from_keys(cls, text: str) -> Cipher:
        """The ring in `text`, "id:base64-of-32-bytes, ..." newest first.

        Raises SettingsInvalid that names the wrong entry by its place and never shows a key.
        """
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(filter(None, map(str.strip, text.split(","))), 1):
            key_id, key = _entry(place, entry)
            if key_id in keys:
                _refuse(f"entry {place} repeats the id {key_id!r}")
            keys[key_id] = key
        if not keys:
            _refuse("it is empty")
        return cls(next(iter(keys)), keys)

    def encrypt(self, plain: str, *, table: str, row: str, field: str) -> str:
        """`plain` under the newest key, to be stored in exactly that field; never the same text twice."""
        salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
        key_id = self.newest.encode()
        header = bytes([VERSION, len(key_id)]) + key_id + salt + nonce
        sealed = self._aead(self.newest, salt).encrypt(nonce, plain.encode(), _bound(header, table, row, field))
        return base64.urlsafe_b64encode(header + sealed).decode()

    def decrypt(self, text: str, *, table: str, row: str, field: str) -> str:
        """What was encrypted for that field. Raises SecretUnreadable, naming the field and the mend."""
        place = f"{table}.{field} of row {row}"
        header, sealed = _split(text, place)
        if header.key_id not in self._keys:
            raise SecretUnreadable(
                f"{place} is encrypted under key {header.key_id!r}, which is not in ERP_ENCRYPTION_KEYS.",
                mend=f"Put the key {header.key_id!r} back at the end of ERP_ENCRYPTION_KEYS, or connect the ERP again.",
            )
        try:
            aead = self._aead(header.key_id, header.salt)
            return aead.decrypt(header.nonce, sealed, _bound(header.raw, table, row, field)).decode()
        except InvalidTag:
            raise _damaged(place) from None

    def needs_rotation(self, text: str) -> bool:
        """Whether a stored value is not under the newest key. Raises SecretUnreadable if it is no stored value."""
        return _split(text, "The value")[0].key_id != self.newest

    def _aead(self, key_id: str, salt: bytes) -> AESGCM:
        derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=PURPOSE)
        return AESGCM(derived.derive(self._keys[key_id]))


def new_key() -> str:
    """32 fresh random bytes in base64, for `ERP_ENCRYPTION_KEYS`."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _entry(place: int, entry: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon:
        _refuse(f"entry {place} has no ':' between id and key")
    if not KEY_ID.fullmatch(key_id):
        _refuse(f"the id of entry {place} must be 1 to 32 letters, digits, '-' or '_'")
    try:
        key = base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        _refuse(f"the key of entry {place} ({key_id!r}) is not base64")
    if len(key) != KEY_BYTES:
        _refuse(f"the key of entry {place} ({key_id!r}) has {len(key)} bytes, not {KEY_BYTES}")
    return key_id, key


def _refuse(what: str) -> NoReturn:
    raise SettingsInvalid(f"ERP_ENCRYPTION_KEYS is wrong: {what}.", mend=HOW_TO) from None


def _split(text: str, place: str) -> tuple[_Header, bytes]:
    """Header and sealed part of a stored value."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        version, length = raw[0], raw[1]
        key_id = raw[2 : 2 + length].decode("ascii")
    except (binascii.Error, ValueError, IndexError):
        raise _damaged(place) from None
    salt_at = 2 + length
    nonce_at, end = salt_at + SALT_BYTES, salt_at + SALT_BYTES + NONCE_BYTES
    if version != VERSION or len(raw) < end:
        raise _damaged(place)
    return _Header(raw[:end], key_id, raw[salt_at:nonce_at], raw[nonce_at:end]), raw[end:]


def _bound(header: bytes, *place: str) -> bytes:
    """The associated data. Lengths stand before the parts, so that no two places give the same bytes."""
    parts = [header, *(part.encode() for part in place)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _damaged(place: str) -> SecretUnreadable:
    return SecretUnreadable(
        f"{place} does not open: it was changed, cut short, or copied from another place.",
        mend="Restore the value from a backup, or connect the ERP again.",
    )
