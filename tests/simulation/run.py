"""One seed from its start to rest; the same seed always runs the same way."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from dataclasses import dataclass, field

import structlog

from erp_pipelines.access import connections
from erp_pipelines.domain.connections import ConnectionState
from erp_pipelines.storage.engine import Database
from tests.simulation.actions import WEIGHTS, People
from tests.simulation.invariants import Auditor, Broken
from tests.simulation.world import Tenant, World, pools
from tests.support.erps import ERPS
from tests.support.postgres import a_database, newest_schema, suite_server

STEPS = 140
WORKER_STEPS = 45  # weight of one step of each living worker
MOST_ROUNDS = 40


@dataclass(frozen=True)
class Result:
    """What one seed went through. `broken` tells the promise that was not kept, with the last steps before it."""

    seed: int
    broken: str
    digest: str
    faults: int
    kills: int
    lost_sessions: int
    taken_over: int
    in_doubt: int
    adopted: int
    open_errors: int
    causes: Counter[str] = field(default_factory=Counter)


def run_chunk(start: int, end: int, provider: str) -> list[Result]:
    """Some seeds in a database of their own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with suite_server() as server, a_database(server, newest_schema(server)) as url, pools(url) as databases:
        return [run_seed(databases, seed, provider) for seed in range(start, end)]


def run_seed(databases: list[Database], seed: int, provider: str) -> Result:
    """Storm, calm, audit. Every third seed has an account of another habit, where the provider knows any."""
    habits = ERPS[provider].habits
    world = World(databases, seed, provider, habits[seed // 3 % len(habits)] if habits and seed % 3 == 0 else "")
    people = People(world)
    auditor = Auditor(world, people)
    broken, open_errors = "", 0
    try:
        _storm(world, people, auditor)
        _calm(world, people, auditor)
        open_errors = auditor.at_rest()
    except Broken as error:
        broken = f"{error}\n" + "\n".join(f"  {line}" for line in world.trace[-60:])
    finally:
        world.close()
    return _result(world, seed, broken, open_errors)


def _storm(world: World, people: People, auditor: Auditor) -> None:
    names, weights = zip(*WEIGHTS, strict=True)
    for _ in range(STEPS):
        world.counts.steps += 1
        living = sorted(world.workers)
        what = world.rng.choices((*names, "work"), (*weights, WORKER_STEPS * len(living)))[0]
        if what == "work":
            world.resume_worker(world.rng.choice(living))
        else:
            did = getattr(people, what)(world.rng.choice(world.tenants))
            if did:
                world.trace.append(did)
        auditor.after_a_step()


def _calm(world: World, people: People, auditor: Auditor) -> None:
    """No more trouble: the dead are replaced, people mend what they are told of, and what nobody told of is looked for."""
    world.trace.append("--- calm ---")
    for slot in sorted(world.workers):
        world.kill_worker(slot)
    world.counts.faults = sum(world.there.twin.calls.summary()["faults"].values())
    world.there.twin.clear_faults()
    for tenant in world.tenants:
        people.bookkeeper_switches_on(tenant)
    for round_number in range(MOST_ROUNDS):
        world.clock.advance(700)
        people.collect_webhooks()
        for told in people.held:
            people.receive(*told)
        people.held = []
        for tenant in world.tenants:
            if round_number in {2, 5}:
                people.retry_all(tenant)
            _serve(world, people, tenant)
        auditor.after_a_step()
        if round_number > 6 and not any(_waiting(world, tenant) for tenant in world.tenants):
            return


def _serve(world: World, people: People, tenant: Tenant) -> None:
    if connections.status(world.host, tenant.key).state is not ConnectionState.CONNECTED:
        world.reconnect(tenant)
    for start in (world.start_worker, world.start_pull):
        start(0, tenant)
        while 0 in world.workers:
            world.resume_worker(0)


def _waiting(world: World, tenant: Tenant) -> bool:
    return world.rows(
        tenant,
        """select exists (select 1 from erp.integration_deliveries where status not in ('Completed', 'Abandoned'))
        or exists (select 1 from erp.integration_inbox where status not in ('Completed', 'Skipped'))""",
    ) == [(True,)]


def _result(world: World, seed: int, broken: str, open_errors: int) -> Result:
    logged: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    in_doubt = 0
    for tenant in world.tenants:
        logged.update(dict(world.rows(tenant, "select outcome, count(*) from erp.integration_sync_logs group by 1")))
        in_doubt += world.rows(
            tenant, "select count(distinct delivery_id) from erp.integration_sync_logs where in_doubt"
        )[0][0]
        causes.update(
            dict(
                world.rows(
                    tenant,
                    "select cause, count(*) from erp.integration_deliveries where status = 'Abandoned' group by 1",
                )
            )
        )
    counts = world.counts
    return Result(
        seed, broken, hashlib.sha256("\n".join(world.trace).encode()).hexdigest(), counts.faults, counts.kills,
        counts.lost_sessions, logged["TakenOver"], in_doubt, logged["Adopted"], open_errors, causes,
    )  # fmt: skip
