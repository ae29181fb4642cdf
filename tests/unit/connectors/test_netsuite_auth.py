"""Credentials of both kinds: what is taken, what is signed, and what a refusal says."""

from __future__ import annotations

import datetime as dt
import json
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from oauthlib.oauth1.rfc5849 import signature

from erp_pipelines.connectors.http import Call, MockTransport
from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.connectors.netsuite.auth import authorise
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.netsuite.connector import NetSuiteConnector
from erp_pipelines.connectors.netsuite.credentials import entered, stored
from erp_pipelines.connectors.netsuite.faults import CATALOGUE
from erp_pipelines.domain import errors
from tests.support.clock import START, FakeClock
from tests.unit.connectors.connector_support import Scripted, Step, answer
from tests.unit.connectors.netsuite_support import HOST, certificate, pem

P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 3072)
TOKEN_URL = f"{HOST}/services/rest/auth/oauth2/v1/token"
TBA = {
    "accountId": "1234567_SB1",
    "authMethod": "tba",
    "consumerKey": "consumer",
    "consumerSecret": "consumer-secret",
    "tokenId": "token",
    "tokenSecret": "token-secret",
}
GIVEN = {"access_token": "access", "expires_in": "3600", "token_type": "bearer"}


def machine(key=P256, **changes):
    form = {"accountId": "1234567-sb1", "clientId": "client", "certificateId": "kid-1", "privateKeyPem": pem(key)}
    return {**form, **changes}


def keeper(*steps: Step, **config):
    provider = Scripted(*steps)
    connector = NetSuiteConnector(NetSuiteConfig(**config), transport=MockTransport(provider), clock=FakeClock())
    return connector.credentials, provider


def text(form):
    return entered(form, START).text()


# --- account ids ---


@pytest.mark.parametrize(
    ("given", "realm", "host", "environment"),
    [
        ("1234567", "1234567", "1234567", "production"),
        (" 1234567_SB1 ", "1234567_SB1", "1234567-sb1", "sandbox"),
        ("1234567-sb12", "1234567_SB12", "1234567-sb12", "sandbox"),
        ("1234567_rp", "1234567_RP", "1234567-rp", "sandbox"),
        ("tstdrv1234", "TSTDRV1234", "tstdrv1234", "production"),
    ],
)
def test_account_ids_in_all_their_forms(given, realm, host, environment):
    account = Account.parse(given)
    assert (account.id, account.host, account.environment) == (realm, host, environment)


@pytest.mark.parametrize(
    "given",
    ["", "1", "evil.example.test/", "1234567@evil", "1234567.evil.test", "1234567_SB1_2", "12 34", "1234567#", "\uff11\uff12\uff13\uff14", "a" * 40, "1234567\n.x"],
)  # fmt: skip
def test_nothing_else_becomes_a_host_name(given):
    with pytest.raises(errors.RecordInvalid) as invalid:
        Account.parse(given)
    assert (invalid.value.field, bool(invalid.value.mend)) == ("accountId", True)
    credentials, provider = keeper(answer(200, GIVEN))
    with pytest.raises(errors.RecordInvalid):
        credentials.connect(machine(accountId=given))
    assert provider.requests == []


# --- keys ---


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA, "PS256"),
        (P256, "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
    ],
)
def test_assertion_is_signed_as_netsuite_wants_it(key, algorithm):
    credentials, provider = keeper(answer(200, GIVEN))
    grant = credentials.refresh(text(machine(key)))
    (request,) = provider.requests
    assert str(request.url) == TOKEN_URL
    assert "authorization" not in request.headers
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert form.pop("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form.pop("grant_type") == "client_credentials"
    sent = form.pop("client_assertion")
    assert form == {}
    assert jwt.get_unverified_header(sent) == {"typ": "JWT", "alg": algorithm, "kid": "kid-1"}
    options = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    claims = jwt.decode(sent, key.public_key(), algorithms=[algorithm], options=options)
    assert len(claims.pop("jti")) == 32
    issued = int(START.timestamp())
    assert claims == {
        "iss": "client",
        "scope": "rest_webservices",
        "aud": TOKEN_URL,
        "iat": issued,
        "exp": issued + 3600,
    }
    assert (grant.access_token, grant.access_expires_in, grant.refresh_expires_in) == ("access", 3600, None)


def test_audience_is_netsuites_own_host_behind_a_proxy():
    credentials, provider = keeper(answer(200, GIVEN), url="https://proxy.example.test")
    credentials.refresh(text(machine()))
    (request,) = provider.requests
    assert str(request.url) == "https://proxy.example.test/services/rest/auth/oauth2/v1/token"
    sent = parse_qs(request.content.decode())["client_assertion"][0]
    assert jwt.decode(sent, options={"verify_signature": False})["aud"] == TOKEN_URL


def test_each_try_has_an_assertion_of_its_own():
    credentials, provider = keeper(answer(503, "<html>"), answer(200, GIVEN))
    credentials.refresh(text(machine()))
    first, second = (request.content for request in provider.requests)
    assert first != second


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (rsa.generate_private_key(65537, 2048), "2048 bits"),
        (ec.generate_private_key(ec.SECP256K1()), "no key of this kind"),
        (ed25519.Ed25519PrivateKey.generate(), "no key of this kind"),
    ],
)
def test_keys_that_netsuite_does_not_take(key, told):
    with pytest.raises(errors.RecordInvalid, match=told) as invalid:
        entered(machine(key), START)
    assert invalid.value.field == "privateKeyPem"
    assert "3072 or 4096 bits" in invalid.value.mend


@pytest.mark.parametrize(
    "given",
    [
        "no key",
        P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")).decode(),
        certificate(P256, START + dt.timedelta(days=100)),
    ],
)
def test_texts_that_are_no_usable_key(given):
    with pytest.raises(errors.RecordInvalid, match="no private key in PEM form without a passphrase") as invalid:
        entered(machine(privateKeyPem=given), START)
    assert "PRIVATE" not in str(invalid.value)


def test_certificate_beside_the_key_tells_when_it_ends():
    ends = START + dt.timedelta(days=300)
    for whole in (pem(P256) + certificate(P256, ends), certificate(P256, ends) + pem(P256)):
        credentials, _ = keeper(answer(200, GIVEN))
        assert credentials.refresh(text(machine(privateKeyPem=whole))).ends_in == 300 * 86400
    sooner = machine(privateKeyPem=whole, certificateExpiresAt="2026-03-12T09:00:00Z")
    assert keeper(answer(200, GIVEN))[0].refresh(text(sooner)).ends_in == 10 * 86400
    assert keeper(answer(200, GIVEN))[0].refresh(text(machine())).ends_in is None


def test_certificate_of_another_key_or_of_the_past():
    ends = START + dt.timedelta(days=300)
    with pytest.raises(errors.RecordInvalid, match="another key"):
        entered(machine(privateKeyPem=pem(P256) + certificate(RSA, ends)), START)
    with pytest.raises(errors.RecordInvalid, match="ended on 2026-03-01"):
        entered(machine(privateKeyPem=pem(P256) + certificate(P256, START - dt.timedelta(days=1))), START)
    broken = pem(P256) + "-----BEGIN CERTIFICATE-----\nxxx\n-----END CERTIFICATE-----\n"
    with pytest.raises(errors.RecordInvalid, match="cannot be read"):
        entered(machine(privateKeyPem=broken), START)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "accountId"),
        (machine(clientId=""), "clientId"),
        (machine(colour="red"), "colour"),
        ({**TBA, "tokenSecret": ""}, "tokenSecret"),
        ({**TBA, "authMethod": "password"}, "Credentials"),
        (machine(certificateExpiresAt="soon"), "certificateExpiresAt"),
    ],
)
def test_form_is_checked_and_quotes_nothing(form, field):
    with pytest.raises(errors.RecordInvalid) as invalid:
        entered(form, START)
    assert field in f"{invalid.value.field} {invalid.value}"
    assert not [secret for secret in ("secret", "PRIVATE KEY") if secret in str(invalid.value)]


def test_lasting_secret_is_one_text_that_reads_back():
    for form in (machine(), TBA):
        credentials = entered(form, START)
        assert stored(credentials.text()) == credentials
        assert json.loads(credentials.text())["accountId"] == "1234567_SB1"
        assert not [secret for secret in ("secret'", "PRIVATE KEY") if secret in repr(credentials)]


# --- OAuth 1.0a ---


def header_of(call, moment=START):
    return authorise(FakeClock(moment))(call, text(TBA))


def test_signature_holds_over_query_parameters_and_not_over_the_body():
    params = {"limit": "1000", "offset": "0", "replace": "item,taxDetails"}
    call = Call("suiteql", "POST", f"{HOST}/services/rest/query/v1/suiteql", params=params, body=b'{"q":"SELECT 1"}')
    header = header_of(call)
    assert header.startswith('OAuth realm="1234567_SB1"')
    told = dict(signature.collect_parameters(headers={"Authorization": header}, with_realm=True))
    assert {name: told[name] for name in ("oauth_signature_method", "oauth_version", "oauth_timestamp")} == {
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_version": "1.0",
        "oauth_timestamp": str(int(START.timestamp())),
    }
    pairs = signature.collect_parameters(uri_query="&".join(f"{k}={v.replace(',', '%2C')}" for k, v in params.items()), headers={"Authorization": header})  # fmt: skip
    base = signature.signature_base_string("POST", call.url, signature.normalize_parameters(pairs))
    expected = signature.sign_hmac_sha256_with_client(
        base, type("C", (), {"client_secret": "consumer-secret", "resource_owner_secret": "token-secret"})
    )
    assert dict(signature.collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False))[
        "oauth_signature"
    ] == (expected)


def test_every_call_is_signed_anew():
    call = Call("customer.read", "GET", f"{HOST}/services/rest/record/v1/customer/1")
    assert header_of(call) != header_of(call)


def test_bearer_tokens_are_sent_as_they_are():
    assert authorise(FakeClock())(Call("x", "GET", HOST), "abc") == "Bearer abc"


def test_token_of_tba_costs_no_call_to_renew():
    credentials, provider = keeper(answer(500, ""))
    grant = credentials.refresh(text(TBA))
    assert (grant.access_token, grant.refresh_token, provider.requests) == (text(TBA), text(TBA), [])
    assert (grant.refresh_expires_in, grant.ends_in) == (None, None)


# --- refusals ---


@pytest.mark.parametrize(
    ("status", "word", "kind", "mend"),
    [
        (401, "invalid_client", errors.ConnectionLost, "upload a certificate"),
        (400, "invalid_grant", errors.ConnectionLost, "user is active and has the role"),
        (400, "unauthorized_client", errors.Misconfigured, "tick Client Credentials"),
        (400, "unsupported_grant_type", errors.Misconfigured, "tick Client Credentials"),
        (400, "invalid_scope", errors.Misconfigured, "scope REST Web Services"),
        (400, "invalid_request", errors.Misconfigured, "clock is right"),
        (400, "something_new", errors.ConnectionLost, "Login Audit Trail"),
        (429, "", errors.Throttled, ""),
        (503, "", errors.Unavailable, ""),
    ],
)
def test_refused_renewals(status, word, kind, mend):
    credentials, _ = keeper(answer(status, {"error": word, "error_description": "quotes token-secret"}))
    with pytest.raises(errors.ErpError) as refused:
        credentials.refresh(text(machine()))
    assert type(refused.value) is kind
    assert mend in str(refused.value)
    assert "quotes" not in str(refused.value)


@pytest.mark.parametrize(
    "word",
    "invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope".split(),
)
def test_every_word_of_the_token_endpoint_is_classified_at_both_of_its_doors(word):
    for part in (CATALOGUE.refresh, CATALOGUE.consent):
        assert CATALOGUE.rules(part)[word].mend
    credentials, _ = keeper(answer(400, {"error": word}))
    with pytest.raises(errors.ConsentRefused, match=word):
        credentials.connect(machine())


def test_token_answer_without_a_token():
    with pytest.raises(errors.Unavailable, match="no token in it"):
        keeper(answer(200, {"token_type": "bearer"}))[0].refresh(text(machine()))


def test_revoking_tells_what_a_person_must_still_do():
    credentials, provider = keeper(answer(500, ""))
    assert "OAuth 2.0 Client Credentials (M2M) Setup" in credentials.revoke(text(machine()))
    assert "Access Tokens" in credentials.revoke(text(TBA))
    assert provider.requests == []
