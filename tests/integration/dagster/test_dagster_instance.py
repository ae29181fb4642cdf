"""Dagster's instance as `dagster.yaml` describes it, on a real PostgreSQL."""

from __future__ import annotations

import concurrent.futures as cf
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from sqlalchemy.pool import QueuePool

from erp_pipelines.resources.dagster_events import log_batches
from erp_pipelines.resources.dagster_storage import psycopg2_url
from erp_pipelines.resources.liveness import SHOWN_TAG, alive, is_alive

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def instance(tmp_path, monkeypatch, empty_database_url):
    """The instance of a DAGSTER_HOME to which the file was copied, as the demo does it."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("ERP_DAGSTER_DATABASE_URL", empty_database_url)
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def test_it_stores_in_postgresql_through_pools_that_try_their_connections(instance):
    for part in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        assert part._engine.url.drivername == "postgresql+psycopg2"
        assert isinstance(part._engine.pool, QueuePool)
        assert part._engine.pool._pre_ping
        with part._engine.connect() as conn:  # a machine that is gone must not keep it for hours
            assert conn.exec_driver_sql("show tcp_keepalives_idle").scalar_one() == "4"


def test_runs_and_partitions_are_kept(instance):
    run = dg.DagsterRun(job_name="sync_connection", tags={"dagster/partition": "acme:quickbooks"})
    instance.add_run(run)
    instance.add_dynamic_partitions("connections", ["acme:quickbooks"])
    assert instance.get_run_by_id(run.run_id).tags == run.tags
    assert instance.has_dynamic_partition("connections", "acme:quickbooks")


def test_the_queue_lets_one_run_of_a_partition_and_of_a_lane_through(instance):
    queue = instance.get_concurrency_config().run_queue_config
    limits = {limit["key"]: (limit["limit"], limit.get("value")) for limit in queue.tag_concurrency_limits}
    each = {"applyLimitPerUniqueValue": True}
    assert limits == {"erp/lane": (1, each), "dagster/partition": (1, each), "dagster/backfill": (4, None)}
    assert queue.max_concurrent_runs == 10


def test_runs_are_watched_and_not_repeated_and_nothing_is_sent_home(instance):
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_runtime_seconds == 86400
    assert not instance.run_retries_enabled
    assert instance.telemetry_enabled is False
    assert json.loads(json.dumps(instance.get_settings("sensors")))["use_threads"] is True


def test_a_bare_url_is_read_as_dagsters_driver():
    assert psycopg2_url("postgresql://u:p@h:5/d") == "postgresql+psycopg2://u:p@h:5/d"
    assert psycopg2_url("postgresql+psycopg://u:p@h/d") == "postgresql+psycopg2://u:p@h/d"


def test_batches_of_materializations_show_on_every_asset_and_partition(instance):
    keys = [dg.AssetKey("orders_in_erp"), dg.AssetKey("customers_in_erp")]
    events = [
        dg.AssetMaterialization(key, partition=partition, metadata={"sent": number})
        for number, partition in enumerate(["a:quickbooks", "b:quickbooks", "c:netsuite"])
        for key in keys
    ]

    @dg.op
    def tell(context) -> None:
        log_batches(context, events)

    @dg.job
    def telling() -> None:
        tell()

    run_id = telling.execute_in_process(instance=instance).run_id
    for key in keys:
        records = instance.fetch_materializations(key, limit=10).records
        assert {r.partition_key: r.asset_materialization.metadata["sent"].value for r in records} == {
            "a:quickbooks": 0, "b:quickbooks": 1, "c:netsuite": 2,
        }  # fmt: skip
        assert {record.run_id for record in records} == {run_id}
        assert instance.get_latest_materialization_event(key).run_id == run_id


@pytest.fixture
def run():
    return dg.DagsterRun(job_name="sync_connection")


@pytest.fixture
def some_instance(run):
    with dg.DagsterInstance.ephemeral() as made:
        made.add_run(run)
        yield made


def test_a_run_is_alive_as_long_as_it_says_so_and_no_longer(database, some_instance, run):
    runtime = SimpleNamespace(db=database)
    assert not is_alive(runtime, run.run_id)
    with alive(runtime, some_instance, run):
        assert is_alive(runtime, run.run_id)
        assert not is_alive(runtime, "another")
    assert not is_alive(runtime, run.run_id)
    assert SHOWN_TAG in some_instance.get_run_by_id(run.run_id).tags


def test_those_who_ask_whether_a_run_is_alive_do_not_take_each_other_for_it(database, run):
    """Two sensors ask at one time; who took the free lock for a look would be the other one's sign of life."""
    runtime = SimpleNamespace(db=database)
    with cf.ThreadPoolExecutor(2) as askers:
        answers = list(askers.map(lambda _: is_alive(runtime, run.run_id), range(200)))
    assert not any(answers)


HOLD = """
import sys, time
from types import SimpleNamespace
from erp_pipelines.resources.liveness import alive
from erp_pipelines.storage.engine import Database
with alive(
    SimpleNamespace(db=Database.connect(sys.argv[1])),
    SimpleNamespace(add_run_tags=lambda *_: None),
    SimpleNamespace(run_id="one"),
):
    print("up", flush=True)
    time.sleep(60)
"""


def test_a_process_that_was_killed_is_not_alive(database_url, database):
    runtime = SimpleNamespace(db=database)
    with subprocess.Popen([sys.executable, "-c", HOLD, database_url], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"up\n"
        assert is_alive(runtime, "one")
        process.kill()
    gone = time.monotonic() + 10
    while is_alive(runtime, "one") and time.monotonic() < gone:
        time.sleep(0.05)
    assert not is_alive(runtime, "one")
