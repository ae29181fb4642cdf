from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from erp_pipelines.access import connections as access
from erp_pipelines.access import consent, credentials
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import Conflict, ConsentRefused, NotFound, Unavailable
from erp_pipelines.storage import connections, tokens
from tests.integration.access.fakes import KEY, FakeOAuth, connect, scalar, state_in
from tests.support.clock import FakeClock


def finish(runtime: Runtime, state: str, **changes: str) -> connections.ConnectionRow:
    given = {"code": "code-1", "company_id": "9130", "state": state, **changes}
    return consent.finish(runtime, "quickbooks", **given)


def test_a_consent_ends_in_a_connection_with_tokens_that_the_table_does_not_show(runtime: Runtime) -> None:
    row = connect(runtime)
    assert (row.state, row.company_name, row.external_company_id) == (ConnectionState.CONNECTED, "Corner Books", "9130")
    assert (row.connected_by, row.environment, row.company) == ("ann", "sandbox", {"currency": "USD"})
    with runtime.db.tenant("acme") as conn:
        stored = tokens.read_tokens(conn, row.id, runtime.cipher)
        raw = str(conn.execute(sa.text("select * from erp.integration_connections")).one())
    assert stored is not None
    assert (stored.access_token, stored.refresh_token) == ("access-0", "refresh-0")
    assert "access-0" not in raw
    assert "refresh-0" not in raw
    assert "refresh-0" not in repr(stored)


def test_the_state_itself_is_not_stored(runtime: Runtime) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))
    assert len(state) >= 43
    assert state not in str(scalar(runtime.db, "select json_agg(s) from erp.oauth_states s"))


def test_a_state_is_good_once(runtime: Runtime) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))
    finish(runtime, state)
    with pytest.raises(ConsentRefused, match="used already"):
        finish(runtime, state, code="code-2")


def test_of_many_who_bring_the_same_state_one_gets_through(runtime: Runtime, oauth: FakeOAuth) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))

    def attempt(_: int) -> bool:
        try:
            finish(runtime, state)
        except ConsentRefused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
    assert oauth.exchanged == ["code-1"]


def test_a_state_is_spent_even_when_the_exchange_fails(runtime: Runtime, oauth: FakeOAuth) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))
    oauth.fail = Unavailable("The token host does not answer.")
    with pytest.raises(Unavailable):
        finish(runtime, state)
    oauth.fail = None
    with pytest.raises(ConsentRefused):
        finish(runtime, state)
    assert scalar(runtime.db, "select count(*) from erp.integration_connections") == 0


def test_a_state_is_good_for_ten_minutes(runtime: Runtime, clock: FakeClock, oauth: FakeOAuth) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))
    clock.advance(600)
    with pytest.raises(ConsentRefused, match="ten minutes"):
        finish(runtime, state)
    assert oauth.exchanged == []


def test_expired_states_are_swept_when_the_next_consent_begins(runtime: Runtime, clock: FakeClock) -> None:
    consent.begin(runtime, "beta", "bob", "quickbooks")
    clock.advance(601)
    consent.begin(runtime, "acme", "ann", "quickbooks")
    assert scalar(runtime.db, "select string_agg(tenant_id, ',') from erp.oauth_states") == "acme"


def test_another_user_cannot_finish_it_and_spends_it(runtime: Runtime) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))
    with pytest.raises(ConsentRefused, match="another user"):
        finish(runtime, state, user_id="mallory")
    with pytest.raises(ConsentRefused):
        finish(runtime, state, user_id="ann")


@pytest.mark.parametrize("state", ["", "made-up", "x" * 5000])
def test_a_made_up_state_is_refused(runtime: Runtime, oauth: FakeOAuth, state: str) -> None:
    with pytest.raises(ConsentRefused):
        finish(runtime, state)
    assert oauth.exchanged == []


def test_the_connection_belongs_to_the_tenant_that_began(runtime: Runtime) -> None:
    row = connect(runtime, "beta")
    assert row.tenant_id == "beta"
    with runtime.db.tenant("acme") as conn:
        assert connections.of_tenant(conn, "acme") == []
        assert connections.of_tenant(conn, "beta") == []


def test_a_company_of_another_tenant_is_refused_before_the_code_is_spent(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime, "beta")
    with pytest.raises(Conflict, match="another tenant") as refused:
        connect(runtime, "acme", code="code-2")
    assert "beta" not in str(refused.value)
    assert oauth.exchanged == ["code-1"]


def test_the_unique_key_holds_even_when_nobody_looks_first(runtime: Runtime) -> None:
    connect(runtime, "beta")
    with runtime.db.tenant("acme") as conn:
        with pytest.raises(Conflict, match="another tenant"):
            connections.upsert_connected(
                conn, KEY, external_company_id="9130", company_name="X", company={}, environment="s", connected_by=None
            )
        assert connections.find(conn, KEY) is None  # the transaction goes on


def test_a_disconnected_company_is_free_for_another_tenant(runtime: Runtime) -> None:
    connect(runtime, "beta")
    access.disconnect(runtime, ConnectionKey("beta", "quickbooks"), "bob")
    assert connect(runtime, "acme", code="code-2").state is ConnectionState.CONNECTED


def bind(runtime: Runtime) -> None:
    with runtime.db.tenant("acme") as conn:
        conn.execute(
            sa.text(
                "insert into erp.integration_entity_mappings"
                " (tenant_id, provider, entity_type, prometheus_id, external_id, external_type)"
                " values ('acme', 'quickbooks', 'Customer', 'c1', '7', 'Customer')"
            )
        )


@pytest.mark.parametrize("ended", [False, True])
def test_another_company_is_refused_once_records_stand_in_the_first(
    runtime: Runtime, oauth: FakeOAuth, ended: bool
) -> None:
    oauth.companies["9140"] = "Other Books"
    connect(runtime)
    bind(runtime)
    if ended:
        access.disconnect(runtime, KEY, "ann")
    with pytest.raises(Conflict, match="Corner Books"):
        connect(runtime, company_id="9140", code="code-2")
    assert connect(runtime, code="code-3").external_company_id == "9130"


def test_another_company_keeps_the_settings_but_not_the_ids_of_the_first(runtime: Runtime, oauth: FakeOAuth) -> None:
    oauth.companies["9140"] = "Other Books"
    connect(runtime)
    access.change_settings(runtime, KEY, {"incomeAccountId": "79", "syncPayments": False}, "ann")
    assert connect(runtime, code="code-2").settings.income_account_id == "79"
    settings = connect(runtime, company_id="9140", code="code-3").settings
    assert (settings.income_account_id, settings.sync_payments) == (None, False)


def test_a_refusal_at_the_provider_spends_the_state_and_says_what_to_do(runtime: Runtime) -> None:
    state = state_in(consent.begin(runtime, "acme", "ann", "quickbooks"))
    error = consent.refused(runtime, "quickbooks", state=state, reason="access_denied")
    assert "not authorised" in error.message
    assert error.mend
    assert scalar(runtime.db, "select count(*) from erp.oauth_states") == 0


def test_what_cannot_begin(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="tenant"):
        consent.begin(runtime, "nobody", "ann", "quickbooks")
    with pytest.raises(NotFound, match="provider"):
        consent.begin(runtime, "acme", "ann", "sap")
    with pytest.raises(Conflict) as keyless:
        consent.begin(runtime, "acme", "ann", "netsuite")
    assert str(keyless.value) == "NetSuite has no sign-in page. Connect it with credentials."
    with pytest.raises(Conflict) as signed_in:
        credentials.connect(runtime, KEY, {"password": "good"}, "ann")
    assert str(signed_in.value) == "QuickBooks takes no credentials. Connect it through its sign-in page."


def test_connecting_wakes_the_workers(runtime: Runtime) -> None:
    from erp_pipelines.storage.notify import listening

    with listening(runtime.db) as listener:
        connect(runtime)
        assert listener.wait(5) == "acme:quickbooks"
