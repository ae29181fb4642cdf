"""The files that put the product on hosts: what they name is there."""

from __future__ import annotations

import configparser
import importlib.util
import re
import shlex
import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from erp_pipelines.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if name != "database"}
# Read by compose and by dagster.yaml, not by the product.
OTHERS = {"ERP_IMAGE", "ERP_CELERY_URL"}
OF_AN_EXTRA = {"celery"}


def commands() -> list[list[str]]:
    units = [configparser.ConfigParser(interpolation=None, strict=False) for _ in UNITS]
    for parser, unit in zip(units, UNITS, strict=True):
        parser.read(unit)
    started = [shlex.split(parser["Service"]["ExecStart"].removeprefix("/opt/erp/bin/")) for parser in units]
    return [*started, *(service["command"] for service in OURS.values())]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_is_a_program_of_the_image_and_its_module_is_there(command: list[str]) -> None:
    programs = {point.name for point in entry_points(group="console_scripts")}
    assert command[0] in programs | OF_AN_EXTRA
    for module in re.findall(r"(erp_pipelines\.\w+|webhook_api\.\w+)", " ".join(command)):
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize(
    "path", [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()], ids=lambda path: path.name
)
def test_every_setting_that_is_named_is_one_of_the_product(path: Path) -> None:
    known = {f"ERP_{name}".upper() for name in Settings.model_fields} | OTHERS
    assert set(re.findall(r"\bERP_[A-Z_]+[A-Z]\b", path.read_text())) <= known


def test_the_instance_for_several_hosts_differs_in_its_launcher_alone() -> None:
    one = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    several = yaml.safe_load((DEPLOY / "dagster.celery.yaml").read_text())
    launcher = several.pop("run_launcher")
    assert several == one
    assert launcher["class"] == "CeleryRunLauncher"


def test_the_charts_values_say_what_the_instance_says() -> None:
    one = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    daemon = yaml.safe_load((DEPLOY / "helm-values.yaml").read_text())["dagsterDaemon"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    runs = one["concurrency"]["runs"]
    assert queue["tagConcurrencyLimits"] == runs["tag_concurrency_limits"]
    assert queue["maxConcurrentRuns"] == runs["max_concurrent_runs"]
    assert queue["dequeueIntervalSeconds"] == one["run_queue"]["dequeue_interval_seconds"]
    assert daemon["runRetries"] == one["run_retries"]
    assert daemon["sensors"]["numWorkers"] == one["sensors"]["num_workers"]


def test_compose_starts_nothing_before_the_schema_and_reaches_what_it_names() -> None:
    for name, service in OURS.items():
        reached = set(service["depends_on"])
        assert reached <= set(COMPOSE["services"])
        if "--grpc-host" in service["command"]:
            assert service["command"][service["command"].index("--grpc-host") + 1] in COMPOSE["services"]
        assert ("migrate" in reached) or name == "migrate" or "code" in reached
    assert COMPOSE["services"]["code"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert COMPOSE["services"]["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_name_units_that_are_there(unit: Path) -> None:
    named = set(re.findall(r"\berp-[a-z-]+\.service\b", unit.read_text()))
    assert named <= {path.name for path in UNITS}


def test_the_container_pins_every_package_of_the_lock_in_a_form_that_pip_takes() -> None:
    """A constraint with a hash or an extra is refused, and the image with it."""
    [step] = re.findall(r"&& (grep .+) > /constraints\.txt", (DEPLOY / "Containerfile").read_text())
    made = subprocess.run(["sh", "-c", step], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    lock = (ROOT / "requirements" / "dev.lock").read_text()
    assert [line.partition("==")[0] for line in made] == re.findall(
        r"^([\w.-]+)(?:\[.*\])?==", lock, flags=re.MULTILINE
    )
    assert not [line for line in made if "[" in line or "--hash" in line or line.endswith("\\")]


def test_the_product_of_compose_is_no_superuser_of_its_database() -> None:
    """Superusers pass by row-level security."""
    database, made = COMPOSE["services"]["database"], COMPOSE["configs"]["databases"]["content"]
    assert set(database["environment"]) == {"POSTGRES_PASSWORD"}  # the image's role stays `postgres`
    assert re.findall(r"create role (\w+) login password '\$\{(\w+):\?\}';", made) == [("erp", "DATABASE_PASSWORD")]
    assert re.findall(r"create database (\w+) owner erp;", made) == ["erp", "dagster"]
    for service in OURS.values():
        for name in ("ERP_DATABASE_URL", "ERP_DAGSTER_DATABASE_URL"):
            assert "//erp:${DATABASE_PASSWORD:?}@database:5432/" in service["environment"][name]


def test_the_sample_of_a_hosts_environment_has_what_the_units_leave_to_it() -> None:
    sample = re.findall(
        r"^#? ?([A-Z_]+)=", (DEPLOY / "systemd" / "environment.example").read_text(), flags=re.MULTILINE
    )
    named = set(re.findall(r"env: (ERP_\w+)", (DEPLOY / "dagster.celery.yaml").read_text()))
    assert named | {"ERP_DATABASE_URL", "ERP_ENCRYPTION_KEYS", "ERP_PUBLIC_URL", "ERP_JWT_SECRET"} <= set(sample)


def test_the_container_copies_files_that_are_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
