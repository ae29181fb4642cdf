"""Dagster's floor, a code location of its own: an ordinary sensor that asks one question, and a job that writes one row."""

import os

import dagster as dg
import psycopg

URL = "BENCH_FLOOR_URL"
TABLE = """
create table floor (
  id bigint generated always as identity primary key,
  committed_at timestamptz not null default clock_timestamp(), begun_at timestamptz
)
"""
WAITING = "select id from floor where begun_at is null order by id"
BEGUN = "update floor set begun_at = clock_timestamp() where begun_at is null"


@dg.op
def nothing() -> None:
    with psycopg.connect(os.environ[URL], autocommit=True) as conn:
        conn.execute(BEGUN)


@dg.job(executor_def=dg.in_process_executor)
def empty() -> None:
    nothing()


@dg.sensor(job=empty, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def bare() -> dg.SensorResult:
    with psycopg.connect(os.environ[URL], autocommit=True) as conn:
        return dg.SensorResult([dg.RunRequest(run_key=str(waiting)) for (waiting,) in conn.execute(WAITING)])


defs = dg.Definitions(jobs=[empty], sensors=[bare])
