"""A round of deliveries: what is due is claimed and worked on, one by one, several at once or in batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from erp_pipelines import tracing
from erp_pipelines.connectors.base import BatchSession
from erp_pipelines.delivery import batches
from erp_pipelines.delivery.job import LEASE, Job
from erp_pipelines.delivery.outbound import deliver_one
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.storage import deliveries
from erp_pipelines.storage.deliveries import Claim

# Claimed at once for each place in flight: few enough that a dead worker leaves little behind, enough to spare commits.
BATCH = 20
# Batches that one round fills: more to choose from leaves fewer of them half empty.
BATCHES = 3


def deliver(job: Job, limit: int, entity_types: Collection[str] | None, stop: Callable[[], bool]) -> int:
    """Work on up to `limit` due events, oldest first; how many were claimed.

    Together where the provider takes several records in a call; else one after the other, or as many at once as it bears:
    claims never hold two events of one entity. Ends early, giving the rest back, when the connection must wait or `stop` says so.
    """
    claims = _claim(job, limit, entity_types)
    left = _Left(claims)
    together = _in_batches(job)
    if together and len(claims) >= together.batch_least:
        left = _Left(batches.deliver(job, together, claims, stop))
    if job.places.most > 1 and len(claims) > 1:
        _several_at_once(job, left, stop)
    else:
        _one_by_one(job, left, stop)
    _give_back(job, left.rest())
    return len(claims)


def _claim(job: Job, limit: int, entity_types: Collection[str] | None) -> list[Claim]:
    now = job.now()
    about = {"erp.connection": str(job.key)}
    with tracing.span("claim", kind="consumer", attributes=about) as span, job.transaction() as conn:
        claims = deliveries.claim(
            conn,
            job.row.id,
            job.owner,
            now=now,
            until=now + LEASE,
            limit=min(limit, _most(job)),
            entity_types=sorted(entity_types) if entity_types is not None else None,
        )
        span.set({"erp.events": len(claims)})
    return claims


def _most(job: Job) -> int:
    """How many to claim at once."""
    together = _in_batches(job)
    return together.batch_size * BATCHES if together else BATCH * job.places.most


def _in_batches(job: Job) -> BatchSession | None:
    """The session, if it takes several records in a call and nobody has switched that off."""
    return job.erp if isinstance(job.erp, BatchSession) and job.erp.batch_size > 1 else None


class _Left:
    """The claims nobody has taken up yet; safe between threads."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = deque(claims)

    def take(self) -> Claim | None:
        try:
            return self._claims.popleft()
        except IndexError:
            return None

    def rest(self) -> list[Claim]:
        return list(self._claims)


def _one_by_one(job: Job, left: _Left, stop: Callable[[], bool]) -> None:
    while not (job.tally.parked or stop()):
        claim = left.take()
        if claim is None:
            return
        deliver_one(job, claim)


def _several_at_once(job: Job, left: _Left, stop: Callable[[], bool]) -> None:
    """A thread for each place; the first failure that ends the worker lets the others finish what they are at."""
    ended: list[Exception] = []

    def work() -> None:
        try:
            _one_by_one(job, left, lambda: bool(ended) or stop())
        except (LockLost, DatabaseDown) as error:
            ended.append(error)
            raise

    with ThreadPoolExecutor(job.places.most, thread_name_prefix="deliver") as pool:
        threads = [pool.submit(work) for _ in range(job.places.most)]
    if ended:
        raise ended[0]
    for thread in threads:
        thread.result()


def _give_back(job: Job, claims: Sequence[Claim]) -> None:
    if not claims:
        return
    with job.transaction() as conn:
        for claim in claims:
            deliveries.give_back(conn, claim.id, job.owner, why=None, in_doubt=claim.in_doubt)
