from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.delivery import worker
from erp_pipelines.delivery.probe import probe
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import (
    ConnectionLost,
    Misconfigured,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
)
from erp_pipelines.storage import connections, pacing
from erp_pipelines.storage.due import LOCK_PREFIX
from tests.support.toy import KEY, toy_runtime


@pytest.fixture
def asked(erp):
    """The company's answers so far; `erp.company` may be set to another answer."""
    answers = []

    def company():
        answers.append("A company")
        return answers[-1]

    erp.company = company
    return answers


def failing(error):
    def company():
        raise error

    return company


def alerts(shop):
    return shop.rows("select cause, message, mend from erp.integration_alerts")


def test_a_company_that_was_silent_for_a_day_is_asked_once_a_day(runtime, erp, clock, asked):
    first = probe(runtime, KEY)
    assert (first.said, first.needs_person, len(asked)) == ("answers", False, 1)
    clock.advance(hours=19)
    assert probe(runtime, KEY).said == "has answered lately"
    clock.advance(hours=2)
    assert probe(runtime, KEY).said == "answers"
    assert len(asked) == 2


def test_a_company_that_was_spoken_to_in_a_delivery_is_not_asked(runtime, shop, clock, asked):
    shop.paid_order()
    worker.serve(runtime, KEY)
    clock.advance(hours=19)
    assert probe(runtime, KEY).said == "has answered lately"
    assert asked == []


def test_a_company_that_did_not_answer_its_last_call_is_asked_though_it_was_spoken_to_lately(
    runtime, erp, clock, shop, asked
):
    probe(runtime, KEY)
    with runtime.db.tenant(KEY.tenant_id) as conn:
        pacing.failed(conn, probe(runtime, KEY).row.id, now=clock.now(), threshold=5, pause=dt.timedelta(seconds=30))
    assert probe(runtime, KEY).said == "answers"
    assert len(asked) == 2


def test_a_grant_that_turns_out_to_be_gone_parks_the_connection_with_reason_and_mend_and_one_alert(
    runtime, erp, clock, shop
):
    erp.company = failing(ConnectionLost("The subscription has ended.", mend="Renew it, then reconnect."))
    for _ in range(2):
        found = probe(runtime, KEY)
        assert (found.row.state, found.broken, found.needs_person) == ("Reconnect needed", True, True)
        assert [why.message for why in found.reasons] == ["The subscription has ended. Renew it, then reconnect."]
        clock.advance(days=2)
    assert alerts(shop) == [("reconnect-needed", "The subscription has ended.", "Renew it, then reconnect.")]
    assert shop.rows("select count(*) from erp.integration_deliveries where retry_count > 0") == [(0,)]


@pytest.mark.parametrize(
    ("error", "cause", "lasting", "paused"),
    [
        (Throttled("A pause, please.", retry_after=40), "erp-throttled", False, 40),
        (Misconfigured("The secret is wrong.", retry_after=120), "settings-refused", True, 120),
        (Rejected("Forbidden.", cause="unknown", mend="Look it up."), "unknown", True, None),
        (Unavailable("No answer."), "erp-unavailable", False, None),
    ],
)
def test_trouble_costs_no_grant_and_says_whether_it_passes_by_itself(
    runtime, erp, clock, shop, error, cause, lasting, paused
):
    erp.company = failing(error)
    found = probe(runtime, KEY)
    assert (found.trouble.cause, found.lasting, found.needs_person) == (cause, lasting, lasting)
    until = clock.now() + dt.timedelta(seconds=paused) if paused else None
    assert (found.row.state, found.row.paused_until) == ("Connected", until)
    assert alerts(shop) == []


def test_a_paused_connection_is_not_asked(runtime, erp, clock, connection_id, asked):
    with runtime.db.tenant(KEY.tenant_id) as conn:
        connections.pause(conn, connection_id, clock.now() + dt.timedelta(minutes=5))
    assert probe(runtime, KEY).said.startswith("paused until ")
    assert asked == []


def test_a_connection_that_a_worker_holds_is_not_asked(runtime, asked):
    with runtime.db.worker(LOCK_PREFIX + str(KEY)):
        assert probe(runtime, KEY).said == "a worker is on it"
    assert asked == []
    assert probe(runtime, KEY).said == "answers"


def test_a_provider_that_is_not_set_up_on_this_machine_is_not_asked(database, clock, erp, shop):
    found = probe(toy_runtime(database, clock, erp, connectors={}), KEY)
    assert (found.said, found.needs_person) == ("not set up on this machine", False)


def test_an_unknown_connection(runtime):
    with pytest.raises(NotFound):
        probe(runtime, ConnectionKey("nobody", "toy"))
