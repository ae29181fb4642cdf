"""Verdicts that concern a connection as a whole: it pauses, or waits for a person."""

from __future__ import annotations

from erp_pipelines.delivery.job import Job
from erp_pipelines.domain import outcomes
from erp_pipelines.domain.outcomes import Explained, Verdict
from erp_pipelines.storage import alerts, connections
from erp_pipelines.storage.engine import Connection


def halt(conn: Connection, job: Job, verdict: Verdict) -> bool:
    """Hold the connection if the verdict says so, and tell whoever can mend it; whether it did."""
    match verdict:
        case outcomes.Pause(until, why):
            connections.pause(conn, job.row.id, until)
            if why.cause in outcomes.OURS_TO_MEND:
                alerts.raise_alert(conn, job.key, why)
        case outcomes.Park(why):
            if connections.park(conn, job.row.id, why.message):  # else the token source has parked it, and told of it
                alerts.raise_alert(conn, job.key, why)
        case _:
            return False
    return True


def error_of(verdict: Verdict) -> Explained:
    """Why a try failed. Of a completed one there is nothing to tell: ValueError."""
    if isinstance(verdict, outcomes.Completed):
        raise ValueError(verdict)  # noqa: TRY004 - a wrong value
    return verdict.error


def note(job: Job, verdict: Verdict) -> None:
    """In the worker's report: why it stops before the work does."""
    match verdict:
        case outcomes.Pause(until, why):
            job.tally.parked = f"paused until {until:%H:%M:%S} UTC: {why.message}"
        case outcomes.Park(why):
            job.tally.parked = why.message
