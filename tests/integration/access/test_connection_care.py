from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel, ConfigDict

from erp_pipelines.access import connections as access
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.base import ConnectionFacts, TokenSource
from erp_pipelines.domain.connections import ConnectionSettings, ConnectionState
from erp_pipelines.domain.errors import NotFound, RecordInvalid, Unavailable
from erp_pipelines.security.cipher import Cipher, new_key
from erp_pipelines.storage import connections
from tests.integration.access.fakes import KEY, FakeOAuth, connect, scalar
from tests.support.clock import FakeClock

TOKENS_LEFT = (
    "select count(*) from erp.integration_connections where access_token_encrypted is not null"
    " or refresh_token_encrypted is not null or access_token_expires_at is not null"
)


def test_disconnecting_revokes_at_the_provider_and_deletes_all_tokens(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    ended = access.disconnect(runtime, KEY, "ann")
    assert oauth.revoked == ["refresh-0"]
    assert (ended.revoked, ended.note) == (True, "")
    assert (ended.row.state, ended.row.state_reason) == (ConnectionState.NOT_CONNECTED, "Disconnected by ann.")
    assert ended.row.external_company_id is None
    assert scalar(runtime.db, TOKENS_LEFT) == 0
    with runtime.db.system() as conn:
        assert connections.active_keys(conn) == []
        assert connections.by_company(conn, "quickbooks", "9130") is None


def test_a_silent_provider_does_not_keep_the_tokens(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    oauth.fail = Unavailable("The token host does not answer.")
    ended = access.disconnect(runtime, KEY, "ann")
    assert not ended.revoked
    assert "does not answer" in ended.note
    assert "QuickBooks" in ended.note
    assert scalar(runtime.db, TOKENS_LEFT) == 0


def test_a_lost_key_does_not_keep_the_tokens(runtime: Runtime) -> None:
    connect(runtime)
    keyless = dataclasses.replace(runtime, cipher=Cipher.from_keys(f"k9:{new_key()}"))
    ended = access.disconnect(keyless, KEY, "ann")
    assert not ended.revoked
    assert "'k1'" in ended.note
    assert scalar(runtime.db, TOKENS_LEFT) == 0


def test_disconnecting_what_was_never_connected(runtime: Runtime) -> None:
    with pytest.raises(NotFound):
        access.disconnect(runtime, KEY, "ann")


def test_settings_are_laid_over_those_that_stand(runtime: Runtime) -> None:
    connect(runtime)
    access.change_settings(runtime, KEY, {"syncPayments": False, "incomeAccountId": "79"}, "ann")
    after = access.change_settings(runtime, KEY, {"documents_when": "confirmed"}, "bob")
    assert (after.sync_payments, after.income_account_id, after.documents_when) == (False, "79", "confirmed")
    assert access.status(runtime, KEY).row.settings == after
    assert access.change_settings(runtime, KEY, {"incomeAccountId": None}, "ann").income_account_id is None


class OwnSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str | None = None
    limit: int | None = None


def test_settings_of_the_providers_own_are_checked_laid_over_and_looked_up(runtime: Runtime) -> None:
    asked: list[object] = []

    def check(connection: ConnectionFacts, after: ConnectionSettings, tokens: TokenSource) -> dict[str, object]:
        asked.append((connection.settings.provider_settings, after.provider_settings, tokens.access_token()))
        return {"codes": ["7"]}

    connect(runtime)
    connector = runtime.connectors["quickbooks"]
    connector.settings_model, connector.check_settings = OwnSettings, check
    access.change_settings(runtime, KEY, {"providerSettings": {"code": "7", "limit": 3}}, "ann")
    after = access.change_settings(runtime, KEY, {"providerSettings": {"code": None}}, "ann")
    assert after.provider_settings == {"limit": 3}
    assert asked[0] == (None, {"code": "7", "limit": 3}, "access-0")
    assert access.status(runtime, KEY).row.company["codes"] == ["7"]
    with pytest.raises(RecordInvalid, match="made"):
        access.change_settings(runtime, KEY, {"providerSettings": {"made": "up"}}, "ann")


def test_setting_that_the_company_lacks_is_not_kept(runtime: Runtime) -> None:
    def check(*_: object) -> dict[str, object]:
        raise RecordInvalid("incomeAccountId: 99 is no account.")

    connect(runtime)
    runtime.connectors["quickbooks"].check_settings = check
    with pytest.raises(RecordInvalid):
        access.change_settings(runtime, KEY, {"incomeAccountId": "99"}, "ann")
    assert access.status(runtime, KEY).row.settings.income_account_id is None


def test_nobody_is_asked_where_nobody_is_connected(runtime: Runtime) -> None:
    connect(runtime)
    access.disconnect(runtime, KEY, "ann")
    asked: list[object] = []
    runtime.connectors["quickbooks"].check_settings = lambda *given: asked.append(given) or {}
    assert access.change_settings(runtime, KEY, {"incomeAccountId": "99"}, "ann").income_account_id == "99"
    assert asked == []


@pytest.mark.parametrize("change", [{"documentsWhen": "never"}, {"syncPayments": None}, {"made": "up"}])
def test_a_wrong_setting_is_refused(runtime: Runtime, change: dict[str, object]) -> None:
    connect(runtime)
    with pytest.raises(RecordInvalid):
        access.change_settings(runtime, KEY, change, "ann")


def test_every_provider_that_is_set_up_is_listed(runtime: Runtime) -> None:
    connect(runtime)
    listed = [(one.provider, one.display_name, one.state) for one in access.list_(runtime, "acme")]
    assert listed == [
        ("netsuite", "NetSuite", ConnectionState.NOT_CONNECTED),
        ("quickbooks", "QuickBooks", ConnectionState.CONNECTED),
    ]
    assert access.list_(runtime, "beta")[1].row is None


def test_states_and_times_of_a_connection(runtime: Runtime, clock: FakeClock) -> None:
    row = connect(runtime)
    later = clock.now().replace(year=2030)
    with runtime.db.tenant("acme") as conn:
        connections.pause(conn, row.id, later)
        connections.pause(conn, row.id, clock.now())
        connections.synced(conn, row.id, clock.now(), "one order failed")
        assert connections.park(conn, row.id, "gone")
        assert not connections.park(conn, row.id, "gone again")
        after = connections.get(conn, KEY)
    assert (after.paused_until, after.last_sync_at, after.last_sync_error) == (later, clock.now(), "one order failed")
    assert (after.state, after.state_reason) == (ConnectionState.RECONNECT_NEEDED, "gone")
