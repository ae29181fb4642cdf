from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from erp_pipelines.domain.errors import SettingsInvalid
from webhook_api.auth import AuthConfig, Forbidden, KeysUnavailable, Role, TokenVerifier, Unauthenticated

SECRET = "made-up secret for tests, long enough to be taken"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def claims(**changes: Any) -> dict[str, Any]:
    given = {"sub": "ann", "tenant_id": "acme", "role": "Admin", "exp": time.time() + 60, **changes}
    return {name: value for name, value in given.items() if value is not None}


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), SECRET, "HS256")


def verifier(**config: Any) -> TokenVerifier:
    return TokenVerifier(AuthConfig(**({"secret": SECRET} | config)))


def test_a_good_token_names_caller_tenant_and_role() -> None:
    found = verifier().principal(signed())
    assert (found.user_id, found.tenant_id, found.role, found.customer_id) == ("ann", "acme", Role.ADMIN, None)
    assert verifier().principal(signed(role="Customer", customer_id="c1")).customer_id == "c1"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1}, {"exp": None}, {"sub": None}, {"tenant_id": None}, {"role": None}, {"tenant_id": "*"},
        {"tenant_id": ["acme"]}, {"tenant_id": "acme\n"}, {"role": "Customer"}, {"nbf": 9999999999}, {"sub": 7},
    ],
)  # fmt: skip
def test_tokens_that_lack_something_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verifier().principal(signed(**changes))


@pytest.mark.parametrize("role", ["Warehouse", "admin", 1])
def test_a_role_that_is_not_ours_may_nothing(role: Any) -> None:
    with pytest.raises(Forbidden):
        verifier().principal(signed(role=role))


def test_forged_tokens_are_refused() -> None:
    head, body, signature = signed().split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(tenant_id="beta")).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    forged = [
        "", "x", "a.b.c", f"{head}.{other}.{signature}", f"{none}.{body}.", f"{head}.{body}.",
        jwt.encode(claims(), "another secret of the right length, made up", "HS256"),
        jwt.encode(claims(), SECRET + "x" * 40, "HS512"),
        jwt.encode(claims(), RSA_KEY, "RS256"),
    ]  # fmt: skip
    for token in forged:
        with pytest.raises(Unauthenticated) as refused:
            verifier().principal(token)
        assert SECRET not in str(refused.value)


def test_issuer_and_audience_count_where_they_are_set() -> None:
    strict = verifier(issuer="shop", audience="erp")
    assert strict.principal(signed(iss="shop", aud="erp")).user_id == "ann"
    for changes in ({}, {"iss": "shop"}, {"iss": "shop", "aud": "other"}, {"iss": "x", "aud": "erp"}):
        with pytest.raises(Unauthenticated):
            strict.principal(signed(**changes))
    assert verifier().principal(signed(iss="anybody", aud="anything")).user_id == "ann"


@pytest.mark.parametrize(
    "config", [{}, {"secret": ""}, {"secret": "x" * 31}, {"secret": SECRET, "jwks_url": "https://x.example.com/"}]
)
def test_a_configuration_that_cannot_be_safe_is_refused(config: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        AuthConfig(**config)
    assert "ERP_JWT_SECRET" in refused.value.message
    assert refused.value.mend
    assert SECRET not in repr(AuthConfig(secret=SECRET))


@pytest.fixture(scope="module")
def key_set() -> Iterator[str]:
    """The address of a key set with an RSA and an EC key."""
    keys = [
        {**jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "r", "use": "sig"},
        {**jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "e", "use": "sig"},
    ]

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": keys}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/keys"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("key", "kid", "algorithm"), [(RSA_KEY, "r", "RS256"), (RSA_KEY, "r", "PS256"), (EC_KEY, "e", "ES256")]
)
def test_a_key_set_verifies_public_key_tokens(key_set: str, key: Any, kid: str, algorithm: str) -> None:
    keyed = TokenVerifier(AuthConfig(jwks_url=key_set))
    assert keyed.principal(jwt.encode(claims(), key, algorithm, headers={"kid": kid})).tenant_id == "acme"


def keyed_with(key: bytes) -> str:
    """An HS256 token under any key: PyJWT itself refuses to make one with a public key."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"r"}').rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=")
    mac = hmac.new(key, head + b"." + body, hashlib.sha256).digest()
    return b".".join((head, body, base64.urlsafe_b64encode(mac).rstrip(b"="))).decode()


def test_a_key_set_takes_no_shared_secret_and_no_unknown_key(key_set: str) -> None:
    keyed = TokenVerifier(AuthConfig(jwks_url=key_set))
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    stranger = ec.generate_private_key(ec.SECP256R1())
    for token in (
        keyed_with(public),  # the public key as a shared secret
        jwt.encode(claims(), SECRET, "HS256"),
        jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "unknown"}),
        jwt.encode(claims(), stranger, "ES256", headers={"kid": "e"}),
        jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "r"}),
    ):
        with pytest.raises(Unauthenticated):
            keyed.principal(token)


def test_a_key_set_that_cannot_be_fetched_lets_nobody_in() -> None:
    keyed = TokenVerifier(AuthConfig(jwks_url="http://127.0.0.1:9/keys"))
    with pytest.raises(KeysUnavailable):
        keyed.principal(jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "e"}))
