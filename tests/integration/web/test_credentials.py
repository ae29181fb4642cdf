from __future__ import annotations

import pytest

from erp_pipelines.domain.errors import ConnectionLost, Unavailable
from tests.integration.access.fakes import scalar
from tests.integration.web.conftest import Api

CONNECT, VALIDATE = "/api/integrations/netsuite/connect", "/api/integrations/netsuite/validate"
ONE = "/api/integrations/connections/netsuite"
FORM = {"accountId": "1234567", "password": "good"}


def stored(api: Api) -> int:
    return scalar(api.runtime.db, "select count(*) from erp.integration_connections")


def test_credentials_that_let_us_in_make_a_connection_and_stay_secret(api: Api) -> None:
    answer = api.send("POST", CONNECT, FORM)
    body = answer.json()
    assert (answer.status_code, body["isConnected"], body["companyName"]) == (200, True, "Northern Stores")
    assert body["settings"]["documentsWhen"] == "confirmed"
    assert body["credentialEndsAt"] == "2027-04-06T09:00:00Z"
    for secret in ("good", "secret of", "access-c"):
        assert secret not in answer.text
        row = scalar(api.runtime.db, "select c::text from erp.integration_connections c")
        assert secret not in row


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"accountId": "1234567"}, 422, "password"),
        ({"accountId": "1234567", "password": "bad"}, 400, "The password is wrong."),
        ({"accountId": 5}, 422, "accountId"),
    ],
)
def test_nothing_is_stored_when_anything_is_wrong(api: Api, form: dict, status: int, said: str) -> None:
    answer = api.send("POST", CONNECT, form)
    assert (answer.status_code, said in answer.text, stored(api)) == (status, True, 0)


def test_nothing_is_stored_when_nobody_answers(api: Api) -> None:
    api.runtime.connectors["netsuite"].credentials.fail = Unavailable("No answer.")
    assert (api.send("POST", CONNECT, FORM).status_code, stored(api)) == (502, 0)


def test_new_credentials_replace_the_old_ones(api: Api) -> None:
    api.send("POST", CONNECT, FORM)
    before = scalar(api.runtime.db, "select refresh_token_encrypted from erp.integration_connections")
    api.send("POST", CONNECT, FORM)
    assert scalar(api.runtime.db, "select refresh_token_encrypted from erp.integration_connections") != before
    assert stored(api) == 1


def test_a_company_of_another_tenant_is_refused(api: Api) -> None:
    api.send("POST", CONNECT, FORM, tenant="beta")
    assert api.send("POST", CONNECT, FORM).status_code == 409
    assert stored(api) == 1


def test_a_provider_with_a_sign_in_page_takes_no_credentials(api: Api) -> None:
    answer = api.send("POST", "/api/integrations/quickbooks/connect", FORM)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_connection_is_tried_for_real_whenever_somebody_asks(api: Api) -> None:
    api.send("POST", CONNECT, FORM)
    keeper = api.runtime.connectors["netsuite"].credentials
    for times in (1, 2):
        assert api.send("POST", VALIDATE, None).json() == {
            "valid": True, "companyName": "Northern Stores", "said": "renewed, answers", "reasons": [],
        }  # fmt: skip
        assert keeper.renewals == times


def test_a_connection_that_no_longer_lets_us_in_says_why(api: Api) -> None:
    api.send("POST", CONNECT, FORM)
    api.runtime.connectors["netsuite"].credentials.fail = ConnectionLost("Revoked there.", mend="Connect again.")
    body = api.send("POST", VALIDATE, None).json()
    assert (body["valid"], body["reasons"][0]["message"]) == (False, "Revoked there. Connect again.")
    assert api.get(ONE).json()["state"] == "Reconnect needed"


def test_what_a_person_must_still_do_there_is_said_when_it_ends(api: Api) -> None:
    api.send("POST", CONNECT, FORM)
    body = api.send("DELETE", ONE, None).json()
    assert (body["state"], body["note"]) == ("Not Connected", "Revoke the access token there too.")


@pytest.mark.parametrize("path", [CONNECT, VALIDATE])
@pytest.mark.parametrize("role", ["SalesManager", "SalesRep"])
def test_only_admins_connect(api: Api, path: str, role: str) -> None:
    assert (api.send("POST", path, FORM, role=role).status_code, stored(api)) == (403, 0)
