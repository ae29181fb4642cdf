"""Identity tokens, signed with a key that the twin makes when it first needs one."""

from __future__ import annotations

import base64
from datetime import datetime
from functools import cached_property

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from erp_twins.jsonio import Doc
from erp_twins.quickbooks.grants import Grant

_KEY_ID = "twin-key-1"


class Signer:
    """RS256 keys of one twin; a restarted twin has new ones."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def id_token(self, issuer: str, grant: Grant, now: datetime) -> str:
        """Claims as reference 1.7 lists them: `aud` is a list."""
        moment = int(now.timestamp())
        times = {"auth_time": moment, "iat": moment, "exp": moment + 3600}
        claims = {"sub": "twin-user-1", "aud": [grant.client_id], "realmid": grant.realm, "iss": issuer, **times}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    def public_key(self) -> Doc:
        numbers = self._key.public_key().public_numbers()
        parts = {"e": _text(numbers.e), "n": _text(numbers.n)}
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID, **parts}


def _text(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
