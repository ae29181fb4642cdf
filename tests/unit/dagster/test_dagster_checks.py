from __future__ import annotations

from types import SimpleNamespace

import dagster as dg
import pytest

from erp_pipelines.access.health import Standing
from erp_pipelines.checks.fleet import LONGEST_WAIT_SECONDS
from erp_pipelines.definitions import build_defs
from tests.unit.dagster.pretended import ACME, QUICK, ZETA, ending, row


def health(key, oldest=None, abandoned=0):
    due = 0 if oldest is None else 1
    return SimpleNamespace(
        key=key, state="Connected", due=due, oldest_due_seconds=oldest, failed=0, abandoned=abandoned
    )


@pytest.fixture
def outcome(runtime, instance):
    """Runs the checks as the schedule does; which ones passed."""

    def run():
        job = build_defs(runtime_factory=lambda: runtime, pace=QUICK).resolve_job_def("check_fleet")
        result = job.execute_in_process(instance=instance)
        return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}

    return run


def test_a_healthy_fleet_passes(delivery, outcome):
    delivery.fleet = [health(ACME), health(ZETA, oldest=30.0)]
    delivery.grants = [Standing(row(ACME), ())]
    assert {name: check.passed for name, check in outcome().items()} == {
        "no_dead_letters": True,
        "nothing_left_waiting": True,
        "access_lasts": True,
    }


def test_events_given_up_and_events_left_waiting_are_found_and_named(delivery, outcome):
    delivery.fleet = [health(ACME, abandoned=2), health(ZETA, oldest=LONGEST_WAIT_SECONDS + 0.0)]
    checks = outcome()
    assert checks.pop("access_lasts").passed
    which = {name: check.metadata["which"].records[0].data["connection"] for name, check in checks.items()}
    assert which == {"no_dead_letters": "acme:quickbooks", "nothing_left_waiting": "zeta:netsuite"}
    assert not any(check.passed for check in checks.values())


def test_an_access_that_ends_soon_is_a_warning_with_its_day_and_mend(delivery, outcome):
    delivery.grants = [Standing(row(ACME), ()), Standing(row(ZETA), (ending(7), ending(30)))]
    check = outcome()["access_lasts"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description == "Of 2 connections, 0 must be connected again, and the access of 1 ends soon."
    assert [record.data for record in check.metadata["which"].records] == [{
        "connection": "zeta:netsuite", "state": "Connected", "ends": "2031-03-01",
        "reason": "The access ends for good.", "mend": "Connect it again.",
    }]  # fmt: skip


def test_a_connection_that_must_be_connected_again_is_an_error_with_its_reason(delivery, outcome):
    delivery.grants = [Standing(row(ACME, "Reconnect needed", "gone"), ()), Standing(row(ZETA), (ending(),))]
    check = outcome()["access_lasts"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert [record.data["reason"] for record in check.metadata["which"].records] == [
        "gone",
        "The access ends for good.",
    ]
