"""What a connection's card says of the next run and of the last."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from erp_pipelines.access import connections as access
from erp_pipelines.delivery import outlook, worker
from erp_pipelines.domain.errors import Unavailable
from erp_pipelines.storage import checkpoints
from tests.support.toy import KEY


@pytest.fixture
def look(runtime):
    def at():
        return outlook.of(runtime, access.status(runtime, KEY).row)

    return at


def pulled(runtime, clock, *, error: str = "") -> None:
    with runtime.db.tenant("acme") as conn:
        checkpoints.save(conn, KEY, "all", "1", now=clock.now(), done=True)
        if error:
            checkpoints.failed(conn, KEY, "all", error)


def test_what_was_never_pulled_is_due_now(look, clock):
    assert look() == outlook.Outlook(clock.now(), "now", None, None, None)


def test_the_next_pull_is_an_interval_after_the_last(look, runtime, clock):
    pulled(runtime, clock, error="No answer.")
    found = look()
    assert (found.next_at, found.next_for) == (clock.now() + dt.timedelta(minutes=15), "pull")
    assert (found.pulled_at, found.pull_error) == (clock.now(), "No answer.")


def test_a_delivery_that_is_due_is_served_now_and_its_retry_later(look, runtime, shop, erp, clock):
    pulled(runtime, clock)
    shop.customer()
    assert look().next_for == "now"
    erp.before = [_silent]
    worker.serve(runtime, KEY)
    found = look()
    assert found.next_for == "delivery"
    assert dt.timedelta(0) < found.next_at - clock.now() < dt.timedelta(minutes=3)


def _silent(_: object) -> None:
    raise Unavailable("No answer.")


def test_nothing_runs_before_a_pause_is_over_or_while_nobody_is_connected(look, runtime, shop, clock):
    shop.customer()
    until = clock.now() + dt.timedelta(hours=1)
    with runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_connections set paused_until = %s", (until,))
    assert (look().next_at, look().next_for) == (until, "delivery")
    with runtime.db.system() as conn:
        conn.exec_driver_sql("update erp.integration_connections set state = 'Reconnect needed'")
    assert (look().next_at, look().next_for) == (None, "")


def test_pulls_wait_where_the_months_reads_are_spent(look, runtime):
    access.change_settings(runtime, KEY, {"readsPerMonth": 0}, "ann")
    assert (look().next_at, look().next_for) == (None, "")


def test_the_log_names_the_run_that_did_it(look, runtime, shop, clock):
    shop.customer()
    worker.serve(replace(runtime, run_id="run-1"), KEY)
    assert look().last_run == "run-1"
    clock.advance(seconds=1)
    shop.product()
    worker.serve(runtime, KEY)
    assert look().last_run is None
    assert shop.rows("select run_id from erp.integration_sync_logs order by started_at") == [("run-1",), (None,)]
