from __future__ import annotations

from erp_pipelines.domain.errors import Unavailable
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api

ONE = "/api/integrations/connections/quickbooks"


def test_the_list_has_every_provider_and_no_secret(api: Api) -> None:
    connect(api.runtime)
    answer = api.get("/api/integrations/connections", "SalesManager")
    body = answer.json()
    assert body["nextCursor"] is None
    assert [(item["provider"], item["displayName"]) for item in body["items"]] == [
        ("netsuite", "NetSuite"), ("quickbooks", "QuickBooks"),
    ]  # fmt: skip
    for secret in ("access-0", "refresh-0", "encrypted", "token"):
        assert secret not in answer.text.lower()
    assert answer.headers["cache-control"] == "no-store"


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
