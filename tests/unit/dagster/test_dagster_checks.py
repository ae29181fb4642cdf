from __future__ import annotations

from types import SimpleNamespace

import pytest

from erp_pipelines.checks.fleet import LONGEST_WAIT_SECONDS
from erp_pipelines.definitions import build_defs
from tests.unit.dagster.pretended import ACME, QUICK, ZETA


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
    assert {name: check.passed for name, check in outcome().items()} == {
        "no_dead_letters": True,
        "nothing_left_waiting": True,
    }


def test_events_given_up_and_events_left_waiting_are_found_and_named(delivery, outcome):
    delivery.fleet = [health(ACME, abandoned=2), health(ZETA, oldest=LONGEST_WAIT_SECONDS + 0.0)]
    checks = outcome()
    which = {name: check.metadata["which"].records[0].data["connection"] for name, check in checks.items()}
    assert which == {"no_dead_letters": "acme:quickbooks", "nothing_left_waiting": "zeta:netsuite"}
    assert not any(check.passed for check in checks.values())
