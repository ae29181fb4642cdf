from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from erp_pipelines.access import connections as access
from erp_pipelines.access import credentials
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import ConnectionLost, DatabaseDown, Misconfigured, NotFound, Unavailable
from erp_pipelines.security.cipher import Cipher, SecretUnreadable, new_key
from erp_pipelines.storage import connections, outbox, tokens
from tests.integration.access.fakes import KEY, FakeOAuth, connect, scalar
from tests.support.clock import FakeClock

STORES = ConnectionKey("acme", "netsuite")
NOTED = "select refresh_started_at from erp.integration_connections"


def source(runtime: Runtime) -> StoredTokenSource:
    with runtime.db.tenant("acme") as conn:
        return StoredTokenSource(runtime, KEY, connections.get(conn, KEY).id)


def stored_refresh_token(runtime: Runtime, connection_id: str) -> str:
    with runtime.db.tenant("acme") as conn:
        stored = tokens.read_tokens(conn, connection_id, runtime.cipher)
    return stored.refresh_token if stored else ""


def broken(*_: object, **__: object) -> None:
    raise sa.exc.OperationalError("update", {}, Exception("gone"))


def test_a_good_token_is_used_as_it_is_until_five_minutes_before_its_end(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    connect(runtime)
    one = source(runtime)
    assert one.access_token() == "access-0"
    clock.advance(3600 - 301)
    assert one.access_token() == "access-0"
    assert oauth.refreshes == []
    clock.advance(1)
    assert one.access_token() == "access-1"
    assert oauth.refreshes == ["refresh-0"]


def test_a_good_token_is_looked_up_once_and_locks_nothing(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(runtime)
    one = source(runtime)
    monkeypatch.setattr(tokens, "note_refresh", broken)
    assert one.access_token() == "access-0"
    monkeypatch.setattr(tokens, "read_tokens", broken)
    assert one.access_token() == "access-0"


def test_a_token_that_lives_for_a_minute_is_good_for_nine_tenths_of_it(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.lifetimes = {"access_expires_in": 60.0}
    connect(runtime)
    clock.advance(53)
    assert source(runtime).access_token() == "access-0"
    clock.advance(1)
    assert source(runtime).access_token() == "access-1"


def test_a_grant_whose_last_renewal_nobody_noted_keeps_the_whole_margin_and_tells_its_end_only(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.lifetimes = {"access_expires_in": 301.0}
    row = connect(runtime)
    with runtime.db.tenant("acme") as conn:
        conn.execute(sa.text("update erp.integration_connections set tokens_refreshed_at = null"))
    assert source(runtime).access_token() == "access-0"
    clock.advance(days=100)
    oauth.good_refresh_token = ""
    with pytest.raises(ConnectionLost) as lost:
        source(runtime).access_token()
    said = "The provider refused the refresh token. Unused, the grant was good until 2026-06-10 09:00 UTC."
    assert lost.value.message == said
    assert stored_refresh_token(runtime, row.id) == "refresh-0"


def test_a_rejected_token_is_refreshed_though_it_looks_good(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    one = source(runtime)
    assert one.access_token(rejected="access-0") == "access-1"
    assert one.access_token(rejected="access-0") == "access-1"  # newer than what was rejected: no second refresh
    assert len(oauth.refreshes) == 1


@pytest.mark.parametrize("shared", [True, False])
def test_eight_who_ask_at_once_cost_one_refresh(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock, shared: bool
) -> None:
    """One source shared by threads, or a source each as processes have: the row lock counts."""
    connect(runtime)
    clock.advance(3500)
    oauth.seconds_per_refresh = 0.2
    sources = [source(runtime)] * 8 if shared else [source(runtime) for _ in range(8)]
    start = threading.Barrier(8)

    def ask(one: StoredTokenSource) -> str:
        start.wait()
        return one.access_token()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, sources)) == {"access-1"}
    assert oauth.refreshes == ["refresh-0"]


def test_eight_whose_token_was_rejected_cost_one_refresh(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    oauth.seconds_per_refresh = 0.1
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(source(runtime).access_token, rejected="access-0") for _ in range(8)]
        assert {one.result() for one in asked} == {"access-1"}
    assert len(oauth.refreshes) == 1


def test_the_new_refresh_token_is_committed_before_the_access_token_is_handed_out(
    runtime: Runtime, oauth: FakeOAuth
) -> None:
    row = connect(runtime)
    handed_out = source(runtime).access_token(rejected="access-0")
    assert handed_out == "access-1"
    assert stored_refresh_token(runtime, row.id) == "refresh-1" == oauth.good_refresh_token


def test_a_token_whose_refresh_token_could_not_be_stored_is_not_handed_out(
    runtime: Runtime, oauth: FakeOAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = connect(runtime)
    one = source(runtime)
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "save_tokens", broken)
        with pytest.raises(DatabaseDown):
            one.access_token(rejected="access-0")
    assert stored_refresh_token(runtime, row.id) == "refresh-0"
    with pytest.raises(ConnectionLost):  # visible: the fake forgets the old one at once, as the harsher servers do
        one.access_token(rejected="access-0")
    assert scalar(runtime.db, "select state from erp.integration_connections") == "Reconnect needed"


def test_a_dead_grant_parks_the_connection_once_with_its_reason_and_an_alert(
    runtime: Runtime, oauth: FakeOAuth
) -> None:
    row = connect(runtime)
    oauth.good_refresh_token = "of somebody else"
    for _ in range(3):
        with pytest.raises(ConnectionLost):
            source(runtime).access_token(rejected="access-0")
    with runtime.db.tenant("acme") as conn:
        parked = connections.by_id(conn, row.id)
    assert parked.state is ConnectionState.RECONNECT_NEEDED
    assert "refused the refresh token" in (parked.state_reason or "")
    assert len(oauth.refreshes) == 1  # a parked connection is not tried again
    assert scalar(runtime.db, "select count(*) from erp.integration_alerts where cause = 'reconnect-needed'") == 1


def test_reconnecting_brings_a_parked_connection_back(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    oauth.good_refresh_token = ""
    with pytest.raises(ConnectionLost):
        source(runtime).access_token(rejected="access-0")
    row = connect(runtime, code="code-2")
    assert (row.state, row.state_reason) == (ConnectionState.CONNECTED, None)
    assert source(runtime).access_token() == "access-1"


def test_a_silent_token_host_changes_nothing(runtime: Runtime, oauth: FakeOAuth) -> None:
    row = connect(runtime)
    oauth.fail = Unavailable("The token host does not answer.")
    with pytest.raises(Unavailable):
        source(runtime).access_token(rejected="access-0")
    with runtime.db.tenant("acme") as conn:
        assert connections.by_id(conn, row.id).state is ConnectionState.CONNECTED
    oauth.fail = None
    assert source(runtime).access_token(rejected="access-0") == "access-1"


def order_in_haste(runtime: Runtime) -> str:
    """An order of the host, which waits for a lock no longer than a moment."""
    with runtime.db.tenant("acme") as conn:
        conn.execute(sa.text("set local lock_timeout = '2s'"))
        return outbox.emit(conn, "acme", "CustomerCreated", "Customer", "c1", {"id": "c1", "name": "C"})


def test_a_hosts_order_does_not_wait_for_a_refresh(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    written: list[str] = []
    oauth.on_refresh = lambda _: written.append(order_in_haste(runtime))
    source(runtime).access_token(rejected="access-0")
    assert scalar(runtime.db, "select count(*) from erp.integration_deliveries") == len(written) == 1


def test_a_hosts_order_does_not_wait_for_the_rotation_of_keys(runtime: Runtime) -> None:
    row = connect(runtime)
    with runtime.db.tenant("acme") as conn:
        assert tokens.rotate_tokens(conn, row.id, runtime.cipher) == 0
        order_in_haste(runtime)
    assert scalar(runtime.db, "select count(*) from erp.integration_deliveries") == 1


def test_who_only_reads_the_tokens_does_not_wait_for_a_refresh(runtime: Runtime, oauth: FakeOAuth) -> None:
    row = connect(runtime)
    read: list[str] = []

    def meanwhile(_: str) -> None:
        with runtime.db.tenant("acme") as conn:
            conn.execute(sa.text("set local lock_timeout = '2s'"))
            stored = tokens.read_tokens(conn, row.id, runtime.cipher)
        read.append(stored.refresh_token if stored else "")

    oauth.on_refresh = meanwhile
    source(runtime).access_token(rejected="access-0")
    assert read == ["refresh-0"]


def test_each_of_a_tenants_connections_has_tokens_of_its_own(runtime: Runtime, oauth: FakeOAuth) -> None:
    books = connect(runtime)
    stores = credentials.connect(runtime, STORES, {"accountId": "77", "password": "good"}, "ann")
    assert stored_refresh_token(runtime, books.id) == "refresh-0"
    assert stored_refresh_token(runtime, stores.id) == "secret of 77"
    with runtime.db.tenant("acme") as conn:
        assert tokens.rotate_tokens(conn, stores.id, runtime.cipher) == 0
    renewed = StoredTokenSource(runtime, STORES, stores.id).access_token(rejected="access-c")
    assert (renewed, oauth.refreshes) == ("access-1", [])  # by the keeper of its own provider


def test_a_disconnected_connection_has_no_token_and_asks_nobody(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    one = source(runtime)
    access.disconnect(runtime, KEY, "ann")
    with pytest.raises(ConnectionLost) as lost:
        one.access_token()
    assert lost.value.message == "acme:quickbooks is not connected: Disconnected by ann."
    assert lost.value.mend == "An admin must connect it again."
    assert oauth.refreshes == []


def test_a_lasting_secret_can_be_stored_without_an_access_token(runtime: Runtime) -> None:
    row = connect(runtime)
    with runtime.db.tenant("acme") as conn:
        tokens.save_tokens(conn, row.id, runtime.cipher, tokens.Tokens(None, "lasting"))
        assert tokens.read_tokens(conn, row.id, runtime.cipher) == tokens.Tokens(None, "lasting")
    assert scalar(runtime.db, "select access_token_encrypted from erp.integration_connections") is None


def test_another_tenants_tokens_cannot_be_read(runtime: Runtime) -> None:
    row = connect(runtime)
    with runtime.db.tenant("beta") as conn:
        with pytest.raises(NotFound, match=f"no connection {row.id}"):
            tokens.read_tokens(conn, row.id, runtime.cipher)
        with pytest.raises(NotFound, match=f"no connection {row.id}"):
            tokens.save_tokens(conn, row.id, runtime.cipher, tokens.Tokens("a", "r"))
        assert not connections.park(conn, row.id, "by a stranger")


def test_a_ciphertext_moved_to_another_row_does_not_open(runtime: Runtime, oauth: FakeOAuth) -> None:
    oauth.companies["9140"] = "Other Books"
    connect(runtime, "acme")
    other = connect(runtime, "beta", company_id="9140", code="code-2")
    with runtime.db.system() as conn:
        conn.execute(
            sa.text(
                "update erp.integration_connections b set refresh_token_encrypted = a.refresh_token_encrypted"
                " from erp.integration_connections a where a.tenant_id = 'acme' and b.tenant_id = 'beta'"
            )
        )
    with runtime.db.tenant("beta") as conn, pytest.raises(SecretUnreadable, match="refresh_token_encrypted"):
        tokens.read_tokens(conn, other.id, runtime.cipher)


def test_a_ciphertext_moved_to_the_other_column_does_not_open(runtime: Runtime) -> None:
    row = connect(runtime)
    with runtime.db.tenant("acme") as conn:
        conn.execute(sa.text("update erp.integration_connections set access_token_encrypted = refresh_token_encrypted"))
        with pytest.raises(SecretUnreadable):
            tokens.read_tokens(conn, row.id, runtime.cipher)


def test_rotation_brings_every_secret_under_the_newest_key(runtime: Runtime, oauth: FakeOAuth) -> None:
    import base64
    import dataclasses

    oauth.companies["9140"] = "Other Books"
    row = connect(runtime)
    connect(runtime, "beta", company_id="9140", code="code-2")
    old = base64.b64encode(runtime.cipher._keys["k1"]).decode()
    new = f"k2:{new_key()}"
    assert access.rotate_keys(runtime) == 0
    both = dataclasses.replace(runtime, cipher=Cipher.from_keys(f"{new},k1:{old}"))
    assert access.rotate_keys(both) == 4
    assert access.rotate_keys(both) == 0
    only_new = dataclasses.replace(runtime, cipher=Cipher.from_keys(new))
    assert stored_refresh_token(only_new, row.id) == "refresh-0"


def test_who_finds_that_another_has_renewed_leaves_no_note_of_a_renewal_behind(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(runtime)
    note, first = tokens.note_refresh, source(runtime)

    def overtaken(*given: Any) -> None:
        monkeypatch.setattr(tokens, "note_refresh", note)
        first.access_token(rejected="access-0")  # read as good by the other, renewed before it gets to its note
        clock.advance(1)
        note(*given)

    monkeypatch.setattr(tokens, "note_refresh", overtaken)
    assert source(runtime).access_token(rejected="access-0") == "access-1"
    assert oauth.refreshes == ["refresh-0"]
    assert scalar(runtime.db, NOTED) is None
    oauth.good_refresh_token = ""
    with pytest.raises(ConnectionLost) as lost:
        source(runtime).access_token(rejected="access-1")
    assert "never answered" not in lost.value.message


def test_a_refusal_of_our_own_keys_is_an_answer_and_no_renewal_that_was_lost(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    connect(runtime)
    oauth.fail = Misconfigured("The client secret is wrong.", retry_after=120)
    with pytest.raises(Misconfigured):
        source(runtime).access_token(rejected="access-0")
    assert scalar(runtime.db, NOTED) is None
    oauth.fail = Unavailable("The token host does not answer.")
    with pytest.raises(Unavailable):
        source(runtime).access_token(rejected="access-0")
    assert scalar(runtime.db, NOTED) == clock.now()  # nobody knows what became of it


def test_the_note_of_a_renewal_that_nothing_was_heard_of_outlives_later_ones_that_were_refused(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    connect(runtime)
    first = clock.now()
    for error in (Unavailable("The token host does not answer."), Misconfigured("Wrong secret.", retry_after=120)):
        oauth.fail = error
        with pytest.raises(type(error)):
            source(runtime).access_token(rejected="access-0")
        clock.advance(60)
    assert scalar(runtime.db, NOTED) == first


def test_a_grant_is_kept_alive_once_in_the_time_asked_for(runtime: Runtime, oauth: FakeOAuth, clock: FakeClock) -> None:
    row = connect(runtime)
    started = clock.now()
    one = source(runtime)
    clock.advance(days=7)
    assert not one.keep_alive(started - dt.timedelta(seconds=1))
    assert one.keep_alive(started)
    assert not source(runtime).keep_alive(started)
    assert oauth.refreshes == ["refresh-0"]
    assert stored_refresh_token(runtime, row.id) == "refresh-1"
    assert one.access_token() == "access-1"  # what the renewal brought is used


def test_eight_who_keep_a_grant_alive_at_once_renew_it_once(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    connect(runtime)
    started = clock.now()
    clock.advance(days=8)
    oauth.seconds_per_refresh = 0.1
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(source(runtime).keep_alive, started) for _ in range(8)]
        assert any(one.result() for one in asked)
    assert oauth.refreshes == ["refresh-0"]


@pytest.mark.parametrize(
    ("lifetimes", "days", "reason"),
    [
        (
            {},
            100,
            "Unused, the grant was good until 2026-06-10 09:00 UTC; its last renewal was at 2026-03-02 09:00 UTC",
        ),
        ({"ends_in": 86_400.0 * 20}, 20, "The consent was good until 2026-03-22 09:00 UTC, however often"),
        ({}, 5, ""),
    ],
)
def test_a_grant_that_has_run_out_says_so(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock, lifetimes: dict[str, float], days: int, reason: str
) -> None:
    oauth.lifetimes = lifetimes
    row = connect(runtime)
    clock.advance(days=days)
    oauth.good_refresh_token = ""
    with pytest.raises(ConnectionLost):
        source(runtime).access_token()
    with runtime.db.tenant("acme") as conn:
        told = connections.by_id(conn, row.id).state_reason or ""
    assert told.startswith(f"The provider refused the refresh token. {reason}".rstrip())
    assert told.endswith("Connect it again.")
    assert reason or "good until" not in told


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_a_refusal_after_a_renewal_that_nothing_was_heard_of_tells_when_that_began(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    connect(runtime)
    oauth.fail = Unavailable("The token host does not answer.")
    with pytest.raises(Unavailable):
        source(runtime).access_token(rejected="access-0")
    clock.advance(60)
    oauth.fail = ConnectionLost("Refused.", mend="Sign in.", erp_code="invalid_grant", request_id="t-1")
    with pytest.raises(ConnectionLost) as lost:
        source(runtime).access_token(rejected="access-0")
    told = lost.value
    assert told.message == (
        "Refused. A renewal begun at 2026-03-02 09:00 UTC was never answered here; the token that it brought is lost."
    )
    assert (told.mend, told.erp_code, told.request_id) == ("Sign in.", "invalid_grant", "t-1")


def test_a_refusal_that_nothing_explains_is_told_in_the_providers_words(runtime: Runtime, oauth: FakeOAuth) -> None:
    connect(runtime)
    oauth.good_refresh_token = ""
    with pytest.raises(ConnectionLost) as lost:
        source(runtime).access_token(rejected="access-0")
    assert lost.value.message == "The provider refused the refresh token."


def test_an_answer_without_the_consents_end_does_not_put_it_off(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.lifetimes = {"ends_in": 1000.0}
    row = connect(runtime)
    ends = clock.now() + dt.timedelta(seconds=1000)
    oauth.lifetimes = {}
    source(runtime).access_token(rejected="access-0")
    with runtime.db.tenant("acme") as conn:
        assert connections.by_id(conn, row.id).grant_ends_at == ends
    connect(runtime, code="code-2")
    with runtime.db.tenant("acme") as conn:
        assert connections.by_id(conn, row.id).grant_ends_at is None  # another consent
