"""The nightly job: what the product no longer keeps, and Dagster's own runs with their event logs."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from erp_pipelines.definitions import build_defs
from erp_pipelines.delivery import retention
from erp_pipelines.resources import run_history
from tests.unit.dagster.pretended import QUICK


@pytest.fixture
def execute(runtime, instance):
    def run(name):
        job = build_defs(runtime_factory=lambda: runtime, pace=QUICK).get_job_def(name)
        return job.execute_in_process(instance=instance)

    return run


def in_days(days):
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


def test_runs_that_ended_long_ago_go_with_their_events(instance, execute, monkeypatch):
    monkeypatch.setattr(run_history, "PAGE", 2)
    ended = [execute("keep_connections").run_id for _ in range(3)]
    waiting = instance.create_run_for_job(build_defs().get_job_def("keep_connections"))
    assert run_history.prune(instance, in_days(-1)) == 0
    assert run_history.prune(instance, in_days(1)) == 3
    assert [run.run_id for run in instance.get_runs()] == [waiting.run_id]
    assert [entry for run_id in ended for entry in instance.all_logs(run_id)] == []


def test_one_pass_leaves_what_is_too_much(instance, execute, monkeypatch):
    monkeypatch.setattr(run_history, "PAGE", 1)
    monkeypatch.setattr(run_history, "MOST", 2)
    for _ in range(3):
        execute("keep_connections")
    assert run_history.prune(instance, in_days(1)) == 2
    assert len(instance.get_runs()) == 1


def test_the_job_ends_both_and_not_itself(instance, runtime, execute, monkeypatch):
    monkeypatch.setattr(retention, "retain", lambda _: Counter({"events deleted": 7}))
    execute("keep_connections")
    runtime.clock.now = lambda: in_days(runtime.keep.run_days + 1)
    result = execute("retain")
    assert [run.run_id for run in instance.get_runs()] == [result.run_id]
    said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert "events deleted: 7, runs deleted: 1." in said
