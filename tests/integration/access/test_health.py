from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from erp_pipelines.access import connections as access
from erp_pipelines.access import health
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.errors import ConnectionLost, Unavailable
from erp_pipelines.security.cipher import Cipher, SecretUnreadable, new_key
from erp_pipelines.storage import connections
from erp_pipelines.storage.connections import ConnectionRow
from tests.integration.access.fakes import KEY, FakeOAuth, connect
from tests.support.clock import FakeClock

DAY = 86_400.0


def stored(runtime: Runtime) -> ConnectionRow:
    with runtime.db.tenant("acme") as conn:
        return connections.get(conn, KEY)


def alerts(runtime: Runtime) -> list[tuple[Any, ...]]:
    query = sa.text("select cause, message, mend, entity_type from erp.integration_alerts order by created_at")
    with runtime.db.tenant("acme") as conn:
        return [tuple(found) for found in conn.execute(query)]


def test_a_grant_nobody_uses_is_renewed_when_a_week_has_passed(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    row = connect(runtime)
    clock.advance(days=7, seconds=-1)
    assert not health.keep_alive(runtime, row)
    assert oauth.refreshes == []
    clock.advance(1)
    assert health.keep_alive(runtime, row)
    assert not health.keep_alive(runtime, row)
    assert oauth.refreshes == ["refresh-0"]
    assert stored(runtime).refresh_token_expires_at == clock.now() + dt.timedelta(days=100)


def test_a_grant_that_is_refused_is_parked_when_it_is_looked_at_and_not_when_an_order_needs_it(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    row = connect(runtime)
    oauth.good_refresh_token = "of somebody else"
    clock.advance(days=8)
    with pytest.raises(ConnectionLost):
        health.keep_alive(runtime, row)
    assert stored(runtime).state == "Reconnect needed"
    assert [alert[0] for alert in alerts(runtime)] == ["reconnect-needed"]


def test_a_provider_without_tokens_to_renew_is_left_alone(runtime: Runtime, oauth: FakeOAuth, clock: FakeClock) -> None:
    runtime.connectors["netsuite"].credentials = None
    netsuite = dataclasses.replace(connect(runtime), provider="netsuite")
    clock.advance(days=90)
    assert not health.keep_alive(runtime, netsuite)
    assert oauth.refreshes == []


def test_the_end_of_the_consent_is_told_of_once_at_each_threshold(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.lifetimes = {"ends_in": 200 * DAY, "refresh_expires_in": 500 * DAY}
    connect(runtime)
    heard = []
    for _ in range(201):
        warned = health.warn(runtime, KEY)
        heard += [(warned.days, warned.why.cause)] if warned else []
        clock.advance(days=1)
    assert heard == [(days, "consent-ends-soon") for days in (30, 7, 1)]
    (first, *others) = alerts(runtime)
    assert len(others) == 2
    assert first == (
        "consent-ends-soon",
        "The access that QuickBooks has granted ends for good at 2026-09-18 09:00 UTC, however often it is renewed.",
        "Connect QuickBooks again before then; nothing is lost by doing it early.",
        None,
    )


def test_a_reconnect_ends_the_warnings_and_a_later_end_is_told_of_anew(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.lifetimes = {"ends_in": 5 * DAY}
    connect(runtime)
    assert health.warn(runtime, KEY) is not None
    assert [warned.days for warned in access.status(runtime, KEY).warnings] == [7]
    oauth.lifetimes = {"ends_in": 60 * DAY}
    connect(runtime, code="code-2")
    assert access.status(runtime, KEY).warnings == ()
    assert health.warn(runtime, KEY) is None
    clock.advance(days=53)
    warned = health.warn(runtime, KEY)
    assert warned is not None
    assert warned.days == 7
    assert len(alerts(runtime)) == 2


def test_an_end_that_comes_into_sight_when_a_nearer_one_was_put_off_is_told_of(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.lifetimes = {"refresh_expires_in": 5 * DAY, "ends_in": 20 * DAY}
    row = connect(runtime)
    first = health.warn(runtime, KEY)
    oauth.lifetimes = {"refresh_expires_in": 100 * DAY, "ends_in": 20 * DAY}
    health.keep_alive(runtime, row, dt.timedelta(0))
    second = health.warn(runtime, KEY)
    assert [(one.days, one.why.cause) for one in (first, second) if one] == [
        (7, "token-ends-soon"), (30, "consent-ends-soon"),
    ]  # fmt: skip


def test_renewals_that_do_not_get_through_are_told_of_before_the_token_ends(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    row = connect(runtime)
    oauth.fail = Unavailable("The token host does not answer.")
    heard = []
    for _ in range(100):
        clock.advance(days=1)
        if clock.now() - row.created_at > health.IDLE:
            with pytest.raises(Unavailable):
                health.keep_alive(runtime, row, dt.timedelta(hours=12))
        warned = health.warn(runtime, KEY)
        heard += [(warned.days, warned.why.cause)] if warned else []
    assert heard == [(days, "token-ends-soon") for days in (30, 7, 1)]
    assert "The last renewal that came through was at 2026-03-02 09:00 UTC." in alerts(runtime)[0][1]
    assert stored(runtime).state == "Connected"
    oauth.fail = None
    assert health.keep_alive(runtime, row)
    assert health.warn(runtime, KEY) is None
    assert (stored(runtime).warned_days, access.status(runtime, KEY).warnings) == (None, ())


def test_eight_who_warn_at_once_write_one_alert(runtime: Runtime, oauth: FakeOAuth) -> None:
    oauth.lifetimes = {"ends_in": 20 * DAY}
    connect(runtime)
    with ThreadPoolExecutor(8) as pool:
        warned = [pool.submit(health.warn, runtime, KEY) for _ in range(8)]
        assert sum(one.result() is not None for one in warned) == 1
    assert len(alerts(runtime)) == 1


def test_a_parked_or_ended_connection_is_not_warned_of(runtime: Runtime, oauth: FakeOAuth, clock: FakeClock) -> None:
    oauth.lifetimes = {"ends_in": 20 * DAY}
    row = connect(runtime)
    with runtime.db.tenant("acme") as conn:
        connections.park(conn, row.id, "gone")
    assert health.warn(runtime, KEY) is None
    assert [(one.broken, one.warnings) for one in health.standings(runtime)] == [(True, ())]
    access.disconnect(runtime, KEY, "ann")
    assert health.warn(runtime, KEY) is None
    assert health.standings(runtime) == []
    assert alerts(runtime) == []


def test_the_standings_are_those_of_every_tenant_and_need_no_key(
    runtime: Runtime, oauth: FakeOAuth, clock: FakeClock
) -> None:
    oauth.companies["9140"] = "Other Books"
    connect(runtime)
    oauth.lifetimes = {"ends_in": 2 * DAY}
    connect(runtime, "beta", company_id="9140", code="code-2")
    keyless = dataclasses.replace(runtime, cipher=Cipher.from_keys(f"k9:{new_key()}"))
    found = [(str(one.row.key), [warned.days for warned in one.warnings]) for one in health.standings(keyless)]
    assert found == [("acme:quickbooks", []), ("beta:quickbooks", [7])]
    clock.advance(days=8)
    with pytest.raises(Exception, match="k1") as closed:
        health.keep_alive(keyless, stored(runtime))
    assert not isinstance(closed.value, SecretUnreadable)
    assert oauth.refreshes == []
