from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from erp_pipelines.delivery import worker
from erp_pipelines.delivery.worker import Budget
from erp_pipelines.storage import migrations
from tests.support.clock import FakeClock
from tests.support.toy import KEY, ToyErp, connect, lose_answer, toy_runtime

EVENTS = 60
EMIT = """
select count(erp.emit_event('acme', 'CustomerCreated', 'Customer', 'c' || n, jsonb_build_object('id', 'c' || n, 'name', 'Customer ' || n)))
from generate_series(cast(:first as integer), cast(:last as integer)) n
"""
STATES = """
select o.status, d.status, count(*) from erp.integration_deliveries d join erp.integration_outbox o on o.id = d.outbox_id
group by 1, 2 order by 1, 2
"""


def emit(runtime, first: int, last: int) -> None:
    with runtime.db.tenant(KEY.tenant_id) as conn:
        conn.execute(sa.text(EMIT), {"first": first, "last": last})


def states(runtime) -> list[tuple[str, str, int]]:
    with runtime.db.tenant(KEY.tenant_id) as conn:
        return [tuple(row) for row in conn.execute(sa.text(STATES))]


def test_events_in_flight_stand_the_newest_revision_coming_and_going(database):
    """Before, between and after the steps events are made, some are sent, and one answer is lost each time."""
    connect(database)
    clock = FakeClock(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    erp = ToyErp()
    runtime = toy_runtime(database, clock, erp)
    steps = [lambda: migrations.downgrade(database, "-1"), lambda: migrations.upgrade(database), lambda: None]
    for number, step in enumerate(steps):
        emit(runtime, number * 20 + 1, number * 20 + 20)
        erp.after = [lose_answer]
        worker.serve(runtime, KEY, Budget(events=10))
        before = states(runtime)
        assert ("Failed", "Failed", 1) in before
        assert {outbox == delivery for outbox, delivery, _ in before} == {True}
        step()
        assert states(runtime) == before
        clock.advance(minutes=5)
    for _ in range(4):
        worker.serve(runtime, KEY)
        clock.advance(minutes=10)
    assert states(runtime) == [("Completed", "Completed", EVENTS)]
    assert sorted(erp.of("Customer")) == sorted(f"c{number}" for number in range(1, EVENTS + 1))
    assert erp.doubles() == []
    assert len(erp.arrived) == EVENTS
