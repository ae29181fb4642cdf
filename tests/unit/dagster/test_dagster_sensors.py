from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import dagster as dg
import pytest
import structlog

from erp_pipelines.definitions import build_defs
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.resources.liveness import SHOWN_TAG, Doubts
from erp_pipelines.resources.runtime import resource_for
from erp_pipelines.sensors import alerts as alert_room
from erp_pipelines.sensors import due as due_room
from erp_pipelines.sensors.connections import connections_sensor
from erp_pipelines.sensors.inbox import inbox_sensor
from erp_pipelines.sensors.outbox import outbox_sensor
from erp_pipelines.sensors.requests import Memory, next_generation
from tests.unit.dagster.pretended import ACME, QUICK, ZETA, under_way

STATUS = dg.DagsterRunStatus
ACME_NAME = "acme:quickbooks"
MANY = [ConnectionKey(f"tenant{number}", "quickbooks") for number in range(250)]


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    fresh = Memory()
    monkeypatch.setattr(due_room, "MEMORY", fresh)
    monkeypatch.setattr(due_room, "DOUBTS", Doubts())
    monkeypatch.setattr(due_room.long_poll, "__defaults__", (fresh,))
    return fresh


@pytest.fixture
def tick(runtime, instance):
    """One evaluation of a sensor, as the daemon does it."""

    def evaluate(sensor, cursor=None, pace=QUICK):
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"runtime": resource_for(lambda: runtime, pace)}
        )
        return sensor(context)

    return evaluate


def names(result):
    return [request.partition_key or request.tags["erp/lane"] for request in result.run_requests]


@pytest.mark.parametrize("sensor", [outbox_sensor, inbox_sensor])
def test_a_due_connection_gets_its_run(delivery, tick, instance, sensor):
    instance.add_dynamic_partitions("connections", [ACME_NAME])
    delivery.add(ACME)
    result = tick(sensor)
    assert [(r.job_name, r.partition_key) for r in result.run_requests] == [("sync_connection", ACME_NAME)]
    assert result.dynamic_partitions_requests == []


def test_a_connection_that_dagster_has_not_met_yet_is_made_known_along_with_its_run(delivery, tick):
    delivery.add(ACME)
    result = tick(outbox_sensor)
    assert [request.partition_keys for request in result.dynamic_partitions_requests] == [[ACME_NAME]]


def test_with_nothing_due_the_tick_waits_and_says_so(delivery, tick):
    began = time.monotonic()
    skipped = tick(outbox_sensor)
    assert skipped.skip_message == "Nothing is due."
    assert QUICK.tick_seconds <= time.monotonic() - began < QUICK.tick_seconds + 0.5


def test_work_that_comes_during_the_wait_is_answered_at_once(delivery, tick):
    delivery.on_wait = lambda: delivery.add(ACME)
    began = time.monotonic()
    assert names(tick(outbox_sensor, pace=replace(QUICK, tick_seconds=4.4))) == [ACME_NAME]
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("status", [STATUS.QUEUED, STATUS.STARTING, STATUS.STARTED])
def test_a_connection_with_a_run_under_way_gets_no_second_one(delivery, tick, instance, status):
    under_way(instance, status, "orders_in_erp", {"dagster/partition": ACME_NAME})
    delivery.add(ACME)
    delivery.add(ZETA)
    assert names(tick(outbox_sensor)) == ["zeta:netsuite"]


def test_an_ended_run_is_no_run_under_way(delivery, tick, instance):
    under_way(instance, STATUS.FAILURE, tags={"dagster/partition": ACME_NAME})
    delivery.add(ACME)
    assert names(tick(outbox_sensor)) == [ACME_NAME]


def test_a_killed_run_is_replaced_at_once_but_one_that_keeps_failing_waits(delivery, tick, instance, memory):
    memory.seconds = 0.0
    delivery.add(ACME)
    for _ in range(2):
        under_way(instance, STATUS.FAILURE, tags={"dagster/partition": ACME_NAME})
    assert names(tick(outbox_sensor)) == [ACME_NAME]
    under_way(instance, STATUS.FAILURE, tags={"dagster/partition": ACME_NAME})
    assert isinstance(tick(outbox_sensor), dg.SkipReason)
    under_way(instance, STATUS.SUCCESS, tags={"dagster/partition": ACME_NAME})
    assert names(tick(outbox_sensor)) == [ACME_NAME]


def test_two_sensors_never_ask_for_the_same_run(delivery, tick):
    delivery.add(ACME)
    assert names(tick(outbox_sensor)) == [ACME_NAME]
    assert tick(inbox_sensor).skip_message.startswith("1 due: a run is on its way")


def test_what_was_asked_for_in_vain_is_asked_for_again(delivery, tick, memory):
    delivery.add(ACME)
    memory.seconds = 0.0
    assert names(tick(outbox_sensor)) == names(tick(outbox_sensor)) == [ACME_NAME]


def test_run_keys_are_new_each_time_and_repeated_when_the_tick_is(delivery, tick, memory, runtime):
    memory.seconds = 0.0
    runtime.clock.now = lambda: dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    delivery.add(ACME)
    first, again = tick(outbox_sensor, "5000000000"), tick(outbox_sensor, "5000000000")
    assert first.run_requests[0].run_key == again.run_requests[0].run_key
    assert tick(outbox_sensor, first.cursor).run_requests[0].run_key != first.run_requests[0].run_key


@pytest.mark.parametrize("cursor", [None, "", "rubbish", "-3", "0"])
def test_a_lost_cursor_never_repeats_a_key(cursor):
    assert next_generation(cursor, 1_700_000_000.5) == 1_700_000_000
    assert next_generation("1700000000", 1_700_000_000.5) == 1_700_000_001


def test_beyond_the_limit_lanes_serve_all(delivery, tick):
    delivery.connected = MANY
    delivery.add(MANY[0])
    result = tick(outbox_sensor)
    assert [(request.job_name, request.tags) for request in result.run_requests] == [("drain", {"erp/lane": "1"})]


def test_more_work_calls_for_more_lanes_but_never_for_more_than_the_limit(delivery, tick):
    delivery.connected = MANY
    for key in MANY:
        delivery.add(key)
    assert names(tick(outbox_sensor)) == ["1", "2"]


def test_a_lane_under_way_is_not_asked_for_again(delivery, tick, instance):
    delivery.connected = MANY
    under_way(instance, STATUS.STARTED, "drain", {"erp/lane": "1"})
    delivery.add(MANY[0])
    assert isinstance(tick(outbox_sensor), dg.SkipReason)
    for key in MANY:
        delivery.add(key)
    assert names(tick(outbox_sensor)) == ["2"]


STANDBY = replace(QUICK, standby=True, life_seconds=600, lanes=2)


def lanes(result):
    return [request.tags for request in result.run_requests]


def test_with_standby_a_lane_is_asked_for_although_nothing_is_due(delivery, tick, instance):
    assert lanes(tick(outbox_sensor, pace=STANDBY)) == [{"erp/lane": "1", "erp/standby": "yes"}]
    under_way(instance, STATUS.STARTED, "drain", {"erp/lane": "1", "erp/standby": "yes"})
    assert isinstance(tick(inbox_sensor, pace=STANDBY), dg.SkipReason)


def test_with_standby_few_connections_have_no_run_of_their_own(delivery, tick, instance):
    under_way(instance, STATUS.STARTED, "drain", {"erp/lane": "1", "erp/standby": "yes"})
    delivery.add(ACME)
    assert isinstance(tick(outbox_sensor, pace=STANDBY), dg.SkipReason)


def test_a_lane_that_serves_a_burst_does_not_stand_in_for_the_one_that_stands_by(delivery, tick, instance):
    under_way(instance, STATUS.STARTED, "drain", {"erp/lane": "2"})
    assert lanes(tick(outbox_sensor, pace=STANDBY)) == [{"erp/lane": "1", "erp/standby": "yes"}]


def test_a_lane_that_is_about_to_end_gets_its_successor_in_the_other_place(delivery, tick, instance, memory):
    under_way(instance, STATUS.STARTED, "drain", {"erp/lane": "1", "erp/standby": "yes"})
    old = replace(STANDBY, life_seconds=1, successor_seconds=20)
    assert lanes(tick(outbox_sensor, pace=old)) == [{"erp/lane": "2", "erp/standby": "yes"}]
    memory.seconds = 0.0
    under_way(instance, STATUS.QUEUED, "drain", {"erp/lane": "2", "erp/standby": "yes"})
    assert isinstance(tick(inbox_sensor, pace=old), dg.SkipReason)


@pytest.fixture
def dead(instance):
    """A run that Dagster believes to run, begun long ago."""
    tags = {"dagster/partition": ACME_NAME, SHOWN_TAG: "yes"}
    return under_way(instance, STATUS.STARTED, tags=tags)


def test_a_run_that_died_with_its_code_server_is_reported_and_replaced(delivery, tick, instance, dead):
    delivery.add(ACME)
    assert isinstance(tick(outbox_sensor), dg.SkipReason)  # it may be between two steps
    assert names(tick(outbox_sensor, pace=replace(QUICK, doubt_seconds=0))) == [ACME_NAME]
    assert instance.get_run_by_id(dead.run_id).status is STATUS.FAILURE


def test_a_run_that_lives_is_left_alone_however_old(delivery, tick, instance, dead):
    delivery.add(ACME)
    with delivery.lock(f"dagster-run:{dead.run_id}"):
        assert isinstance(tick(outbox_sensor, pace=replace(QUICK, doubt_seconds=0)), dg.SkipReason)
    assert instance.get_run_by_id(dead.run_id).status is STATUS.STARTED


def test_a_run_of_somebody_elses_that_never_showed_life_is_left_alone(delivery, tick, instance):
    other = under_way(instance, STATUS.STARTED, "other", {"dagster/partition": ACME_NAME})
    delivery.add(ACME)
    assert isinstance(tick(outbox_sensor, pace=replace(QUICK, doubt_seconds=0)), dg.SkipReason)
    assert instance.get_run_by_id(other.run_id).status is STATUS.STARTED


def test_partitions_follow_the_connections(delivery, tick, instance):
    instance.add_dynamic_partitions("connections", [ACME_NAME, "gone:netsuite"])
    add, delete = tick(connections_sensor).dynamic_partitions_requests
    assert (add.partition_keys, delete.partition_keys) == (["zeta:netsuite"], ["gone:netsuite"])


def test_partitions_in_step_are_left_alone(delivery, tick, instance):
    instance.add_dynamic_partitions("connections", [ACME_NAME, "zeta:netsuite"])
    assert isinstance(tick(connections_sensor), dg.SkipReason)


@pytest.mark.parametrize(
    "tags", [{"dagster/partition": "gone:netsuite"}, {"dagster/asset_partition_range_start": "a:b"}]
)
def test_no_partition_is_deleted_under_a_run(delivery, tick, instance, tags):
    instance.add_dynamic_partitions("connections", [ACME_NAME, "zeta:netsuite", "gone:netsuite"])
    under_way(instance, STATUS.STARTED, tags=tags)
    assert isinstance(tick(connections_sensor), dg.SkipReason)


def test_partitions_are_added_a_thousand_at_a_time(delivery, tick):
    delivery.connected = [ConnectionKey(f"t{number}", "quickbooks") for number in range(1500)]
    (add,) = tick(connections_sensor).dynamic_partitions_requests
    assert len(add.partition_keys) == 1000


def test_the_alert_sensor_says_how_many_it_told_and_requests_no_run(delivery, tick):
    assert tick(alert_room.alert_sensor).skip_message == "Nothing to tell."
    delivery.told = 3
    assert tick(alert_room.alert_sensor).skip_message == "3 told."


def test_a_failed_run_stands_in_the_log_and_is_told(runtime, resource, delivery, instance):
    defs = build_defs(runtime_factory=lambda: runtime, pace=QUICK)
    instance.add_dynamic_partitions("connections", [ACME_NAME])
    delivery.breaks = RuntimeError("PostgreSQL is gone")
    result = defs.get_job_def("sync_connection").execute_in_process(
        instance=instance, partition_key=ACME_NAME, raise_on_error=False
    )
    (event,) = [event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE"]
    context = dg.build_run_status_sensor_context("run_failures", event, instance, result.dagster_run)
    with structlog.testing.capture_logs() as logs:
        alert_room.run_failures(context.for_run_failure(), runtime=resource)
    assert [job for job, _ in delivery.failed_runs] == ["sync_connection"]
    assert (logs[0]["event"], logs[0]["partition"]) == ("run_failed", ACME_NAME)
