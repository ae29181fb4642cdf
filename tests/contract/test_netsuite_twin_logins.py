"""Both ways to log in to the NetSuite twin, and every wrong credential."""

from __future__ import annotations

import base64
import hashlib

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from erp_twins.netsuite import NetSuiteTwin
from erp_twins.netsuite.roles import DOORS
from tests.contract.netsuite_twin_support import (
    ACCOUNT,
    BASE,
    NOON,
    RECORD,
    TOKEN,
    Shop,
    assertion,
    certificate,
    form,
    key_of,
    refusal,
)

CUSTOMERS = f"{RECORD}/customer"


@pytest.fixture(scope="session")
def keys():
    return {"ec": key_of("ec"), "other": key_of("ec"), "rsa": key_of("rsa")}


@pytest.fixture
def shop(keys):
    made = Shop()
    made.twin.add_integration("shop", "shop-secret")
    made.twin.add_certificate("shop", certificate(keys["ec"]), kid="ec-1")
    made.twin.add_certificate("shop", certificate(keys["rsa"]), kid="rsa-1")
    made.twin.add_token("shop", ident="token-1", secret="token-secret")
    return made


def ask(shop, sent, **headers):
    return shop.http.post(TOKEN, data=form(sent), headers=headers)


def denied(shop, sent, **headers):
    answer = ask(shop, sent, **headers)
    return answer.status_code, answer.json()


# --- machine to machine ---


@pytest.mark.parametrize(("kind", "algorithm"), [("ec", "ES256"), ("rsa", "PS256"), ("rsa", "PS384"), ("rsa", "PS512")])
def test_signed_assertion_gives_a_token_that_works_for_an_hour(shop, keys, kind, algorithm):
    shop.twin.configure(access_token_seconds=3600)
    answer = ask(shop, assertion(keys[kind], f"{kind}-1", algorithm)).json()
    assert {name: answer[name] for name in ("token_type", "expires_in")} == {"token_type": "Bearer", "expires_in": 3600}
    assert set(answer) == {"access_token", "token_type", "expires_in"}, "there is no refresh token"
    shop.token = answer["access_token"]
    assert shop.get("customer")["totalResults"] == 0
    shop.clock.advance(3599)
    assert shop.call("GET", "customer").status_code == 200
    shop.clock.advance(1)
    assert shop.refused("GET", "customer")[:2] == (401, "INVALID_LOGIN")


@pytest.mark.parametrize("scope", ["rest_webservices", "restlets, rest_webservices", ["restlets", "rest_webservices"]])
def test_scope_comes_as_a_text_or_an_array(shop, keys, scope):
    assert ask(shop, assertion(keys["ec"], "ec-1", scope=scope)).status_code == 200


def test_audience_is_the_token_endpoint_and_where_lenient_the_restlets_host(shop, keys):
    host = f"https://{ACCOUNT}.{{}}.api.netsuite.com{TOKEN}"
    restlets = assertion(keys["ec"], "ec-1", aud=host.format("restlets"))
    assert ask(shop, assertion(keys["ec"], "ec-1", aud=[host.format("suitetalk")])).status_code == 200
    assert ask(shop, restlets).status_code == 200
    shop.twin.configure(audience="strict")
    assert denied(shop, restlets) == (401, {"error": "invalid_client"})


NOW = int(NOON.timestamp())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "shop-secret"}, "iss is not"),
        ({"aud": "https://elsewhere.example/token"}, "aud https"),
        ({"exp": NOW + 3601}, "more than an hour"),
        ({"iat": NOW - 3600, "exp": NOW}, "not valid at this time"),
        ({"iat": NOW + 301, "exp": NOW + 900}, "not valid at this time"),
    ],
)
def test_wrong_claims_are_an_invalid_client_whose_reason_stands_in_the_audit_trail(shop, keys, changes, reason):
    answer = ask(shop, assertion(keys["ec"], "ec-1", **changes))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert answer.headers["www-authenticate"] == f'Basic realm="{ACCOUNT}"'
    assert reason in shop.control("GET", "audit")[-1]["detail"]


def test_wrong_key_unknown_kid_and_rs256_are_an_invalid_client(shop, keys):
    wrong = [
        assertion(keys["other"], "ec-1"),
        assertion(keys["ec"], "ec-2"),
        assertion(keys["rsa"], "rsa-1", "RS256"),
        jwt.encode({"iss": "shop"}, "guess" * 8, algorithm="HS256", headers={"kid": "ec-1"}),
    ]
    assert [denied(shop, sent) for sent in wrong] == [(401, {"error": "invalid_client"})] * 4


def test_malformed_requests_have_errors_of_their_own(shop, keys):
    good = assertion(keys["ec"], "ec-1")
    assert denied(shop, good, authorization="Basic abc") == (400, {"error": "invalid_request"})
    assert denied(shop, "no.jwt") == (400, {"error": "invalid_request"})
    assert denied(shop, assertion(keys["ec"], "ec-1", scope="everything")) == (400, {"error": "invalid_scope"})
    assert denied(shop, assertion(keys["ec"], "ec-1", scope=[])) == (400, {"error": "invalid_scope"})
    answer = shop.http.post(TOKEN, data={**form(good), "grant_type": "password"})
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})
    assert shop.http.post(TOKEN, data={"grant_type": "client_credentials"}).json() == {"error": "invalid_request"}


def test_unticked_boxes_and_closed_doors_refuse_the_grant(shop, keys):
    good = assertion(keys["ec"], "ec-1")
    shop.twin.add_integration("shop", "shop-secret", m2m=False)
    assert denied(shop, good) == (400, {"error": "unsupported_grant_type"})
    shop.twin.add_integration("shop", "shop-secret", scopes=("restlets",))
    assert denied(shop, good) == (400, {"error": "invalid_scope"})
    shop.twin.add_integration("shop", "shop-secret")
    shop.twin.add_role("Integration", ident="1001", doors=tuple(set(DOORS) - {"oauth_login"}))
    assert denied(shop, good) == (400, {"error": "invalid_grant"})


def test_certificate_ends_after_two_years_at_most(shop, keys):
    shop.twin.add_certificate("shop", certificate(keys["other"], days=3000), kid="long")
    shop.clock.advance(729 * 86400)
    now = int(shop.clock.now().timestamp())
    assert ask(shop, assertion(keys["other"], "long", iat=now, exp=now + 60)).status_code == 200
    shop.clock.advance(2 * 86400)
    now = int(shop.clock.now().timestamp())
    assert denied(shop, assertion(keys["other"], "long", iat=now, exp=now + 60)) == (401, {"error": "invalid_client"})
    assert shop.control("GET", "audit")[-1]["detail"] == "invalid_client: the certificate has expired"


def test_sandbox_refresh_wipes_mappings_tokens_and_what_was_given_out(keys):
    shop = Shop()
    shop.twin.add_account("1234567-sb1")
    shop.twin.add_integration("box", "s", "1234567_SB1")
    shop.twin.add_certificate("box", certificate(keys["ec"]), kid="box-1")
    sent = assertion(keys["ec"], "box-1", iss="box")
    shop.token = ask(shop, sent).json()["access_token"]
    assert shop.call("GET", "customer").status_code == 200
    shop.control("POST", "accounts/1234567_SB1/refresh")
    assert shop.refused("GET", "customer")[:2] == (401, "INVALID_LOGIN")
    assert denied(shop, sent) == (401, {"error": "invalid_client"})


def test_short_keys_cannot_be_registered(shop):
    with pytest.raises(ValueError, match="3072 or 4096"):
        shop.twin.add_certificate("shop", certificate(rsa.generate_private_key(65537, 2048)))


# --- using a bearer token ---


def test_bad_bearers_get_a_challenge_and_the_generic_body(shop):
    answer = shop.http.get(CUSTOMERS, headers={"authorization": "Bearer guess"})
    assert refusal(answer)[:2] == (401, "INVALID_LOGIN")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    empty = shop.http.get(CUSTOMERS, headers={"authorization": "Bearer "})
    assert (empty.status_code, 'error="invalid_request"' in empty.headers["www-authenticate"]) == (400, True)
    assert "www-authenticate" not in shop.http.get(CUSTOMERS).headers


def test_token_without_the_scope_or_for_another_host_is_a_bad_login(shop, keys):
    restlets = ask(shop, assertion(keys["ec"], "ec-1", scope="restlets")).json()["access_token"]
    assert shop.http.get(CUSTOMERS, headers={"authorization": f"Bearer {restlets}"}).status_code == 401
    headers = {"authorization": f"Bearer {shop.token}"}
    own = f"https://{ACCOUNT}.suitetalk.api.netsuite.com{CUSTOMERS}"
    assert shop.http.get(own, headers=headers).status_code == 200
    assert shop.http.get(own.replace(ACCOUNT, "7654321"), headers=headers).status_code == 401


def test_role_without_rest_web_services_is_a_bad_login(shop):
    shop.twin.add_role("Integration", ident="1001", doors=("oauth_login", "workbook"))
    assert shop.refused("GET", "customer")[:2] == (401, "INVALID_LOGIN")


# --- token-based authentication, signed by an independent library ---


class Signed:
    """Requests signed by oauthlib."""

    def __init__(self, shop, **changes):
        self.shop = shop
        usual = {
            "client_secret": "shop-secret",
            "resource_owner_key": "token-1",
            "resource_owner_secret": "token-secret",
        }
        self.options = {
            **usual,
            "realm": ACCOUNT,
            "signature_method": SIGNATURE_HMAC_SHA256,
            "timestamp": str(NOW),
            **changes,
        }
        self.key = self.options.pop("client_key", "shop")

    def header(self, method, url):
        _, headers, _ = Client(self.key, **self.options).sign(url, method)
        return headers["Authorization"]

    def get(self, path=f'{CUSTOMERS}?limit=5&q=companyName CONTAIN "a %26 b+c"'):
        url = str(httpx.URL(BASE + path))
        return self.shop.http.get(url, headers={"authorization": self.header("GET", url)})


def test_signature_over_query_and_secrets_agrees_with_oauthlib(shop):
    shop.twin.add_integration("shop", "se&cr/et+ ~")
    assert Signed(shop, client_secret="se&cr/et+ ~").get().status_code == 200


def test_signature_of_a_post_to_an_external_id(shop):
    url = f"{BASE}{CUSTOMERS}/eid:C-1"
    header = Signed(shop).header("PUT", url)
    body = {"companyName": "Signed", "subsidiary": {"id": "1"}}
    assert shop.http.put(url, json=body, headers={"authorization": header}).status_code == 204


def test_signed_body_hash_belongs_to_the_base_string(shop):
    class Hashing(Client):
        def get_oauth_params(self, request):
            digest = base64.b64encode(hashlib.sha1(b"{}").digest()).decode()
            return [*super().get_oauth_params(request), ("oauth_body_hash", digest)]

    signed = Signed(shop)
    _, headers, _ = Hashing(signed.key, **signed.options).sign(BASE + CUSTOMERS, "GET")
    assert "oauth_body_hash" in headers["Authorization"]
    assert shop.http.get(CUSTOMERS, headers={"authorization": headers["Authorization"]}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_secret": "wrong"}, "InvalidSignature"),
        ({"resource_owner_secret": "wrong"}, "InvalidSignature"),
        ({"resource_owner_key": "token-9"}, "token_rejected"),
        ({"client_key": "other"}, "consumer_key_unknown"),
        ({"realm": "7654321"}, "account_unknown"),
        ({"signature_method": SIGNATURE_HMAC_SHA1}, "UnknownAlgorithm"),
        ({"timestamp": str(NOW - 301)}, "InvalidTimestamp"),
        ({"timestamp": str(NOW + 301)}, "InvalidTimestamp"),
        ({"nonce": "12345"}, "nonce_rejected"),
    ],
)
def test_wrong_signatures_get_one_answer_and_the_reason_only_in_the_audit_trail(shop, changes, reason):
    assert refusal(Signed(shop, **changes).get()) == (
        401,
        "INVALID_LOGIN",
        (
            "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles > "
            "User Management > View Login Audit Trail."
        ),
    )
    assert shop.control("GET", "audit")[-1]["detail"] == reason


@pytest.mark.parametrize("timestamp", [NOW - 300, NOW + 300])
def test_timestamps_may_be_five_minutes_off(shop, timestamp):
    assert Signed(shop, timestamp=str(timestamp)).get().status_code == 200


def test_signed_request_sent_again_is_refused(shop):
    header = Signed(shop).header("GET", BASE + CUSTOMERS)
    answers = [shop.http.get(CUSTOMERS, headers={"authorization": header}).status_code for _ in range(2)]
    assert answers == [200, 401]
    assert shop.control("GET", "audit")[-1]["detail"] == "NonceUsed"


def test_changed_query_breaks_the_signature(shop):
    header = Signed(shop).header("GET", f"{BASE}{CUSTOMERS}?limit=5")
    assert shop.http.get(f"{CUSTOMERS}?limit=6", headers={"authorization": header}).status_code == 401


@pytest.mark.parametrize(("lockout", "expected"), [(True, 401), (False, 200)])
def test_five_failed_logins_lock_the_user_for_half_an_hour(shop, lockout, expected):
    shop.twin.configure(lockout=lockout)
    for _ in range(5):
        assert Signed(shop, client_secret="wrong").get().status_code == 401
    assert Signed(shop).get().status_code == expected
    shop.clock.advance(1800)
    assert Signed(shop, timestamp=str(NOW + 1800)).get().status_code == 200


def test_unticked_box_refuses_signed_requests(shop):
    shop.twin.add_integration("shop", "shop-secret", tba=False)
    assert Signed(shop).get().status_code == 401
    assert shop.control("GET", "audit")[-1]["detail"] == "permission_denied"


def test_success_forgets_earlier_failures(shop):
    for secret in ["wrong"] * 4 + ["shop-secret"] + ["wrong"] * 4:
        Signed(shop, client_secret=secret).get()
    assert Signed(shop).get().status_code == 200


@pytest.mark.parametrize(
    ("spelling", "realm", "host"),
    [
        ("1234567-sb1", "1234567_SB1", "1234567-sb1"),
        ("TSTDRV1234", "TSTDRV1234", "tstdrv1234"),
        ("1234567_rp", "1234567_RP", "1234567-rp"),
    ],
)
def test_account_ids_have_two_spellings(shop, spelling, realm, host):
    shop.twin.add_account(spelling)
    shop.twin.add_integration("box", "box-secret", spelling)
    shop.twin.add_token("box", ident="box-token", secret="t")
    options = {
        "client_key": "box",
        "client_secret": "box-secret",
        "resource_owner_key": "box-token",
        "resource_owner_secret": "t",
    }
    url = f"https://{host}.suitetalk.api.netsuite.com{CUSTOMERS}"
    header = Signed(shop, realm=realm, **options).header("GET", url)
    assert shop.http.get(url, headers={"authorization": header}).status_code == 200
    wrong = Signed(shop, realm=host, **options).header("GET", url)
    assert shop.http.get(url, headers={"authorization": wrong}).status_code == (200 if host == realm else 401)


def test_what_is_no_account_id_is_refused():
    with pytest.raises(ValueError, match="no account id"):
        NetSuiteTwin(account="evil.example/x")
