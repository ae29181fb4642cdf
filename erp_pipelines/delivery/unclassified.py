"""Faults that no catalogue knows, brought from the worker's calls into the database, where they are counted."""

from __future__ import annotations

from erp_pipelines.delivery.job import Job
from erp_pipelines.security.redaction import mask_text
from erp_pipelines.storage import unknown_faults


def count(job: Job) -> None:
    """Store what was seen since the last time; no transaction when there was nothing."""
    seen = job.tally.calls.unclassified
    if not seen:
        return
    with job.transaction() as conn:
        for code, (times, message) in seen.items():
            unknown_faults.count(conn, job.key, code, mask_text(message), times, now=job.now())
    seen.clear()
