from __future__ import annotations

import json

import pytest
import structlog

from erp_pipelines.security import oauth_state
from erp_pipelines.security.redaction import MASK, is_secret, mask, mask_headers, mask_text, mask_url, redact

PLANTED = "s3cr3t-planted-value"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "refreshToken", "client_secret", "Authorization", "intuit-signature", "Cookie", "Set-Cookie",
        "X-API-Key", "password", "privateKeyPem", "tokenSecret", "consumerKeySecret", "code", "jwt", "ERP_ENCRYPTION_KEYS",
    ],
)  # fmt: skip
def test_secret_names_are_known_however_they_are_written(name: str) -> None:
    assert is_secret(name)
    assert mask({name: PLANTED}) == {name: MASK}


@pytest.mark.parametrize(
    "name", ["sync_token", "SyncToken", "access_token_expires_at", "x_refresh_token_expires_in", "token_type", "state",
             "status", "entity_id", "error_code", "external_id"],
)  # fmt: skip
def test_harmless_names_are_left(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {PLANTED}",
        f"sent with Basic {PLANTED}",
        f"https://app.example.com/callback?code={PLANTED}&state=x",
        f"https://app.example.com/callback?x=1&state={PLANTED}",
        f"grant_type=refresh_token&refresh_token={PLANTED}",
        f"access_token={PLANTED}",
        f"the answer was refresh_token={PLANTED}, odd",
        f'{{"token_type": "bearer", "refresh_token": "{PLANTED}"}}',
        f"postgresql://erp:{PLANTED}@db.example.com/erp",
        f"-----BEGIN PRIVATE KEY-----\n{PLANTED}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{PLANTED}",
        f'oauth OAuth {PLANTED}, realm="x"',
    ],
)
def test_secrets_in_texts_are_masked(text: str) -> None:
    assert PLANTED not in mask_text(text)
    assert MASK in mask_text(text)


def test_what_is_no_secret_stays_readable() -> None:
    text = 'state=Connected after {"SyncToken": "3"}, sync_token=4'
    assert mask_text(f"now {text}") == f"now {text}"


def test_jwts_are_masked_anywhere() -> None:
    assert JWT not in mask_text(f"the token was {JWT}, it failed")


def test_urls_keep_what_is_no_secret() -> None:
    masked = mask_url(f"https://a.example.com/v3/company/9130/query?minorversion=75&code={PLANTED}&requestid=ab")
    assert masked == f"https://a.example.com/v3/company/9130/query?minorversion=75&code={MASK}&requestid=ab"


def test_headers() -> None:
    masked = mask_headers({"Authorization": f"Bearer {PLANTED}", "Accept": "application/json", "intuit_tid": "1-2"})
    assert masked == {"Authorization": MASK, "Accept": "application/json", "intuit_tid": "1-2"}


def test_nested_values() -> None:
    value = {"answer": [{"refresh_token": PLANTED, "expires_in": 3600}], "raw": PLANTED.encode(), "token": None}
    assert mask(value) == {
        "answer": [{"refresh_token": MASK, "expires_in": 3600}], "raw": f"<{len(PLANTED)} bytes>", "token": None,
    }  # fmt: skip
    loop: dict[str, object] = {}
    loop["again"] = loop
    assert PLANTED not in str(mask(loop))


def test_log_lines_are_clean_with_the_processor() -> None:
    lines: list[str] = []
    log = structlog.wrap_logger(
        None, wrapper_class=structlog.make_filtering_bound_logger(0),
        processors=[structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(), lambda *a: _keep(a)],
    )  # fmt: skip

    def _keep(args: tuple[object, ...]) -> object:
        lines.append(str(args[2]))
        raise structlog.DropEvent

    def refuse() -> None:
        raise ValueError(f"refused: refresh_token={PLANTED} Bearer {PLANTED}")

    try:
        refuse()
    except ValueError:
        log.exception("failed", grant={"access_token": PLANTED}, url=f"https://x.example.com/?code={PLANTED}")
    assert PLANTED not in lines[0]
    assert json.loads(lines[0])["grant"] == {"access_token": MASK}
    assert "ValueError" in lines[0]


def test_states_are_long_different_and_kept_as_digests() -> None:
    states = {oauth_state.new_state() for _ in range(100)}
    assert len(states) == 100
    assert min(map(len, states)) >= 43
    state = states.pop()
    assert oauth_state.digest(state) == oauth_state.digest(state) != state
