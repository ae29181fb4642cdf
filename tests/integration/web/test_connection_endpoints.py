from __future__ import annotations

from erp_pipelines.domain.errors import Unavailable
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api
from tests.support.clock import FakeClock

ONE = "/api/integrations/connections/quickbooks"


def test_the_list_has_every_provider_and_no_secret(api: Api) -> None:
    connect(api.runtime)
    answer = api.get("/api/integrations/connections", "SalesManager")
    body = answer.json()
    assert body["nextCursor"] is None
    assert [(item["provider"], item["displayName"]) for item in body["items"]] == [
        ("netsuite", "NetSuite"), ("quickbooks", "QuickBooks"),
    ]  # fmt: skip
    for secret in ("access-0", "refresh-0", "encrypted", "access_token", "accesstoken"):
        assert secret not in answer.text.lower()
    assert answer.headers["cache-control"] == "no-store"


def test_the_ends_of_an_access_are_shown_with_what_to_do_before_the_nearest(api: Api, clock: FakeClock) -> None:
    api.oauth.lifetimes = {"refresh_expires_in": 8_640_000, "ends_in": 31 * 86_400}
    connect(api.runtime)
    body = api.get(ONE).json()
    assert (body["refreshTokenExpiresAt"], body["credentialEndsAt"]) == ("2026-06-10T09:00:00Z", "2026-04-02T09:00:00Z")
    assert (body["reconnectBefore"], body["warnings"]) == ("2026-04-02T09:00:00Z", [])
    clock.advance(days=1)
    assert api.get(ONE).json()["warnings"] == [{
        "cause": "consent-ends-soon",
        "message": "The access that QuickBooks has granted ends for good at 2026-04-02 09:00 UTC, however often it is renewed.",
        "mend": "Connect QuickBooks again before then; nothing is lost by doing it early.",
        "endsAt": "2026-04-02T09:00:00Z",
    }]  # fmt: skip
    (listed,) = [one for one in api.get("/api/integrations/connections").json()["items"] if one["isConnected"]]
    assert len(listed["warnings"]) == 1


def test_a_provider_that_was_never_connected_has_no_ends(api: Api) -> None:
    body = api.get(ONE).json()
    ends = ("refreshTokenExpiresAt", "credentialEndsAt", "reconnectBefore", "warnings")
    assert [body[name] for name in ends] == [None, None, None, []]


def test_settings_change_in_part(api: Api) -> None:
    connect(api.runtime)
    api.send("PUT", f"{ONE}/settings", {"incomeAccountId": "79", "syncPayments": False})
    body = api.send("PUT", f"{ONE}/settings", {"autoSyncEnabled": False}).json()
    assert body["autoSyncEnabled"] is False
    assert (body["settings"]["incomeAccountId"], body["settings"]["syncPayments"]) == ("79", False)
    assert body["settings"]["syncCustomers"] is True


def test_wrong_settings_are_named(api: Api) -> None:
    connect(api.runtime)
    for change, field in (
        ({"documentsWhen": "never"}, "documentsWhen"),
        ({"made": 1}, "made"),
        ({"syncPayments": None}, "sync"),
    ):
        answer = api.send("PUT", f"{ONE}/settings", change)
        assert answer.status_code == 422
        assert field in answer.json()["detail"]


def test_disconnecting(api: Api) -> None:
    connect(api.runtime)
    answer = api.send("DELETE", ONE)
    assert answer.json() == {"provider": "quickbooks", "state": "Not Connected", "revokedAtProvider": True, "note": ""}
    assert api.get(ONE).json()["isConnected"] is False
    assert api.oauth.revoked == ["refresh-0"]


def test_disconnecting_while_the_provider_is_silent(api: Api) -> None:
    connect(api.runtime)
    api.oauth.fail = Unavailable("The token host does not answer.")
    body = api.send("DELETE", ONE).json()
    assert body["revokedAtProvider"] is False
    assert "does not answer" in body["note"]
    assert api.get(ONE).json()["state"] == "Not Connected"


def test_an_unknown_provider(api: Api) -> None:
    assert api.get("/api/integrations/connections/sap").status_code == 404
