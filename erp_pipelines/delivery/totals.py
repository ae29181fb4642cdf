"""What a worker has done, brought into the database's totals: counters that outlive every process.

A worker that is killed takes with it what it had not stored: at most one round's. The sync log has those tries.
"""

from __future__ import annotations

from collections import Counter

from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import NOTICES, PULLED, Tally
from erp_pipelines.storage import totals

ATTEMPTS, READS, WRITES, THROTTLES = "attempts", "reads", "writes", "throttles"
NOTICES_WORKED, CHANGES_PULLED = "notices", "pulled"
OUTCOME = "outcome:"
_OF_INBOUND = {NOTICES: NOTICES_WORKED, PULLED: CHANGES_PULLED}


def count(job: Job) -> None:
    """Store what was done since the last time; no transaction when there was nothing."""
    done = _done(job.tally)
    grown = done - job.tally.stored
    if not grown:
        return
    with job.transaction() as conn:
        totals.add(conn, job.key, grown)
    job.tally.stored = done


def _done(tally: Tally) -> Counter[str]:
    calls = tally.calls
    done = Counter({_OF_INBOUND.get(word, OUTCOME + word): times for word, times in tally.counts.items()})
    done.update({ATTEMPTS: tally.tries, READS: calls.reads, WRITES: calls.writes, THROTTLES: calls.throttled})
    return done
