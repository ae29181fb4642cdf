from __future__ import annotations

import threading
import time
from dataclasses import replace

import dagster as dg
import pytest

from erp_pipelines import jobs
from erp_pipelines.assets.kinds import CUSTOMERS, ORDERS
from erp_pipelines.definitions import build_defs
from erp_pipelines.delivery.probe import Probe
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.resources import dagster_events
from tests.unit.dagster.pretended import ACME, QUICK, ZETA, document, ending, failure, report, row, under_way

ACME_NAME = "acme:quickbooks"


@pytest.fixture
def execute(runtime, instance):
    """Runs a job of the code location in this process."""

    def run(name, pace=QUICK, **given):
        instance.add_dynamic_partitions("connections", [ACME_NAME])
        job = build_defs(runtime_factory=lambda: runtime, pace=pace).get_job_def(name)
        return job.execute_in_process(instance=instance, **given)

    return run


def told(instance, asset):
    return [r.asset_materialization for r in instance.fetch_materializations(asset, limit=100).records]


def messages(instance, result):
    return [entry.user_message for entry in instance.all_logs(result.run_id) if entry.user_message]


def test_a_connection_is_served_until_nothing_is_due(delivery, instance, execute):
    delivery.add(ACME, report(documents=[document()], more=True), report(documents=[document("Customer", "ALFKI")]))
    result = execute("sync_connection", partition_key=ACME_NAME)
    assert delivery.waiting[ACME] == []
    assert [event.partition for event in told(instance, ORDERS)] == [ACME_NAME]
    assert [event.metadata["sent"].value for event in told(instance, CUSTOMERS)] == [1]
    assert "Order 10248 -> Invoice 10248 created, 1 write" in messages(instance, result)
    assert "Ended: nothing more was due." in messages(instance, result)
    assert delivery.runs == {result.run_id}


def test_work_that_comes_while_it_lingers_is_served_by_the_same_run(delivery, execute):
    late = threading.Timer(0.15, delivery.add, [ACME, report(documents=[document()])])
    late.start()
    execute("sync_connection", replace(QUICK, linger_seconds=0.6), partition_key=ACME_NAME)
    assert delivery.waiting[ACME] == []


def test_no_lock_but_its_own_sign_of_life_is_held_while_it_lingers(delivery, execute):
    seen = []
    delivery.on_wait = lambda: seen.append(set(delivery.locks))
    result = execute("sync_connection", partition_key=ACME_NAME)
    assert seen == [{f"dagster-run:{result.run_id}"}]
    assert delivery.locks == set()


def test_it_gives_way_to_a_queued_run_of_its_partition(delivery, instance, execute):
    queued = {"dagster/partition": ACME_NAME}
    delivery.on_wait = lambda: under_way(instance, dg.DagsterRunStatus.QUEUED, "orders", queued)
    began = time.monotonic()
    result = execute("sync_connection", replace(QUICK, linger_seconds=20), partition_key=ACME_NAME)
    assert "Ended: another run of this connection waits." in messages(instance, result)
    assert time.monotonic() - began < 5


def test_a_connection_that_another_worker_serves_is_left_to_it(delivery, instance, execute):
    delivery.held.add(ACME)
    delivery.add(ACME)
    result = execute("sync_connection", partition_key=ACME_NAME)
    assert result.success
    assert "Ended: another worker serves this connection." in messages(instance, result)
    assert len(delivery.waiting[ACME]) == 1


def test_it_ends_although_work_never_does(delivery, instance, execute):
    delivery.slow = 0.01
    delivery.add(ACME, *[report(documents=[document()], more=True)] * 200)
    result = execute("sync_connection", replace(QUICK, life_seconds=0.3), partition_key=ACME_NAME)
    assert any("lived long enough" in message for message in messages(instance, result))


def test_a_bad_record_fails_no_run_but_a_lost_database_does(delivery, execute):
    delivery.add(ACME, report(failures=[failure()]))
    assert execute("sync_connection", partition_key=ACME_NAME).success
    delivery.breaks = RuntimeError("PostgreSQL is gone")
    for name, given in (("sync_connection", {"partition_key": ACME_NAME}), ("drain", {})):
        delivery.add(ACME)
        assert not execute(name, raise_on_error=False, **given).success
    assert delivery.locks == set()


def test_a_lane_serves_all_that_are_due_and_tells_of_each(delivery, instance, execute):
    keys = [ConnectionKey(f"tenant{number}", "quickbooks") for number in range(40)]
    for key in keys:
        delivery.add(key, report(key, documents=[document()], more=True), report(key, documents=[document()]))
    result = execute("drain")
    assert sorted(delivery.served) == sorted(keys * 2)
    assert {event.partition for event in told(instance, ORDERS)} == {str(key) for key in keys}
    assert "Ended: nothing more was due." in messages(instance, result)


def test_a_fault_over_one_connection_takes_none_of_the_others_down(delivery, instance, execute):
    delivery.breaks = KeyError("a fault of the program")
    delivery.sound.add(ZETA)
    delivery.add(ACME)
    delivery.add(ZETA, *[report(ZETA, documents=[document()], more=True)] * 5)
    result = execute("drain", raise_on_error=False)
    assert not result.success
    assert delivery.waiting[ZETA] == []
    assert {event.partition for event in told(instance, ORDERS)} == {str(ZETA)}


def test_a_lane_leaves_a_parked_connection_alone_and_serves_the_others(delivery, execute, monkeypatch):
    monkeypatch.setattr("erp_pipelines.assets.lane.LEAVE_SECONDS", 60)
    delivery.add(ACME, *[report(parked="Reconnect needed")] * 50)
    delivery.add(ZETA, report(ZETA, documents=[document()]))
    execute("drain", replace(QUICK, linger_seconds=0.4))
    assert delivery.served.count(ACME) == 1
    assert delivery.served.count(ZETA) == 1


def test_a_lane_ends_although_work_never_does(delivery, instance, execute):
    delivery.slow = 0.01
    delivery.add(ACME, *[report(documents=[document()], more=True)] * 200)
    result = execute("drain", replace(QUICK, life_seconds=0.3))
    assert any("lived long enough" in message for message in messages(instance, result))


def test_batches_fall_back_to_single_events_where_dagster_has_changed(delivery, instance, execute, monkeypatch):
    def changed(*_):
        raise AttributeError("store_event_batch")

    monkeypatch.setattr(dagster_events, "log_batches", changed)
    delivery.add(ACME, report(documents=[document()]))
    execute("sync_connection", partition_key=ACME_NAME)
    assert [event.partition for event in told(instance, ORDERS)] == [ACME_NAME]


def enqueue(**config):
    return {"run_config": {"ops": {"queue_syncs": {"config": config}}}}


def test_a_list_of_connections_is_queued(delivery, execute):
    execute("enqueue_sync", **enqueue(connections=[ACME_NAME, "zeta:netsuite"], entities=["orders", "customers"]))
    assert delivery.requested == [(ACME_NAME, ("Order", "Customer")), ("zeta:netsuite", ("Order", "Customer"))]


@pytest.mark.parametrize(
    "wrong", [{"connections": [ACME_NAME, "nonsense"]}, {"connections": [ACME_NAME], "entities": ["orders", "cats"]}]
)
def test_a_list_with_a_mistake_queues_nothing(delivery, execute, wrong):
    assert not execute("enqueue_sync", raise_on_error=False, **enqueue(**wrong)).success
    assert delivery.requested == []


def test_the_jobs_that_serve_are_ended_by_monitoring_when_they_hang():
    longest = QUICK.__class__().life_seconds
    for job in (jobs.sync_connection, jobs.drain):
        assert int(job.tags["dagster/max_runtime"]) > longest


def test_every_connection_is_probed_and_what_a_person_must_know_is_told(delivery, instance, execute):
    trouble = Explained("The secret is wrong.", "settings-refused", "Correct it.")
    delivery.probes[ACME] = Probe(row(ACME), "answers", renewed=True, warnings=(ending(),))
    delivery.probes[ZETA] = Probe(row(ZETA), "settings-refused", trouble=trouble, lasting=True)
    result = execute("keep_connections")
    assert delivery.probed == [ACME, ZETA]
    told = messages(instance, result)
    assert "acme:quickbooks: renewed, answers" in told
    assert "acme:quickbooks: The access ends for good. Connect it again." in told
    assert "zeta:netsuite: The secret is wrong. Correct it." in told


def test_a_connection_that_cannot_be_probed_keeps_no_other_from_it_and_fails_the_run(delivery, execute):
    delivery.probes[ACME] = RuntimeError("a fault of the program")
    with pytest.raises(dg.Failure, match="acme:quickbooks: RuntimeError: a fault of the program"):
        execute("keep_connections")
    assert delivery.probed == [ACME, ZETA]


def test_probing_stops_where_the_database_is_away(delivery, execute):
    delivery.probes[ACME] = DatabaseDown("PostgreSQL is away.")
    with pytest.raises(DatabaseDown):
        execute("keep_connections")
    assert delivery.probed == [ACME]


def test_the_lane_that_stands_by_stays_until_it_has_lived_long_enough(delivery, instance, execute):
    result = execute("drain", replace(QUICK, linger_seconds=0, life_seconds=0.3), tags={"erp/standby": "yes"})
    assert any("lived long enough" in message for message in messages(instance, result))
