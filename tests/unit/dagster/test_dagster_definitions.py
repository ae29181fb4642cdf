"""A snapshot of everything Dagster is told of: a name that ops hold on to doesn't change by accident."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import dagster_postgres
import yaml

from erp_pipelines.definitions import build_defs, defs
from erp_pipelines.resources import dagster_events, dagster_storage
from webhook_api import dagster_links

ROOT = Path(__file__).resolve().parents[3]


def test_everything_is_loadable():
    dg.Definitions.validate_loadable(build_defs())


def test_names():
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        "products_in_erp", "customers_in_erp", "orders_in_erp", "payments_from_erp", "changes_from_erp",
    }  # fmt: skip
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {
        "sync_connection", "drain", "pull_changes", "keep_connections", "enqueue_sync", "check_fleet", "retain",
    }  # fmt: skip
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "outbox_sensor", "inbox_sensor", "connections_sensor", "alerts", "run_failures",
    }  # fmt: skip
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "check_fleet_every_quarter_hour", "keep_connections_every_six_hours", "retain_every_night",
        "pull_changes_when_due",
    }  # fmt: skip
    assert {key.name for key in graph.asset_check_keys} == {
        "no_dead_letters", "nothing_left_waiting", "access_lasts",
    }  # fmt: skip


def test_every_sensor_and_schedule_runs_unless_somebody_stops_it():
    repository = defs.get_repository_def()
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}
    assert {schedule.default_status for schedule in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}


def test_orders_follow_their_customers_and_products_and_backfills_go_by_fifty():
    graph = defs.get_repository_def().asset_graph
    node = graph.get(dg.AssetKey("orders_in_erp"))
    assert {key.to_user_string() for key in node.parent_keys} == {"products_in_erp", "customers_in_erp"}
    assert node.backfill_policy == dg.BackfillPolicy.multi_run(50)
    assert node.partitions_def == dg.DynamicPartitionsDefinition(name="connections")


def test_loading_needs_no_environment():
    code = "import erp_pipelines.definitions"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT)}, cwd="/", timeout=120)


def test_the_private_modules_are_held_to_the_versions_they_were_tried_with():
    assert dagster_postgres.__version__ == dagster_storage.VERSION
    assert dg.__version__ == dagster_events.VERSION


def test_the_workspace_names_the_definitions():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["module_name"] == "erp_pipelines.definitions"


def test_the_web_apps_links_lead_to_what_is_there():
    repository = defs.get_repository_def()
    [location] = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert f"{repository.name}@{location['python_module']['location_name']}" == dagster_links.LOCATION
    assert dagster_links.SENSOR in {sensor.name for sensor in repository.sensor_defs}
    assert dg.AssetKey(dagster_links.ASSET) in repository.asset_graph.get_all_asset_keys()
