"""How records get into the ERP, as Dagster runs. Thin: a run serves connections through `delivery`, lingers, and ends.

A record that cannot be delivered is its own verdict and fails no run; a run fails only when PostgreSQL or the
program does. When runs are started stands in `sensors` and `schedules`; the lanes' threads stand in `assets/lane.py`.
"""

import datetime as dt

import dagster as dg
from pydantic import Field

from erp_pipelines.assets.kinds import ENTITIES
from erp_pipelines.assets.lane import Lane
from erp_pipelines.assets.recorder import Recorder
from erp_pipelines.assets.serving import serve_until_quiet
from erp_pipelines.delivery import bulk, due, probe, pull, retention
from erp_pipelines.delivery.probe import Probe
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown
from erp_pipelines.partitions import CONNECTIONS, LANE_TAG, MAX_RUNTIME_TAG, STANDBY_TAG
from erp_pipelines.resources import run_history
from erp_pipelines.resources.liveness import alive
from erp_pipelines.resources.queue import QueuedRival
from erp_pipelines.resources.runtime import RuntimeParam

# Twice a run's own life (Pace.life_seconds): whatever lives longer hangs.
LONGEST = {MAX_RUNTIME_TAG: "1200"}
# A lane tells Dagster of many connections at once.
LANE_HOLD_SECONDS = 5.0


@dg.op(description="Serves the outbox and the inbox of one connection; lingers while nothing is due.")
def serve_connection(context: dg.OpExecutionContext, runtime: RuntimeParam) -> None:
    engine, pace = runtime.of_run(context.run_id), runtime.pace()
    give_way = QueuedRival(context.instance, context.partition_key)
    recorder = Recorder(context, engine)
    with alive(engine, context.instance, context.run):
        why = serve_until_quiet(
            engine, ConnectionKey.parse(context.partition_key), pace, record=recorder.record, stop=give_way
        )
    context.log.info("Ended: %s.", why)


@dg.op(description="Serves whatever connections are due, several at a time; lingers while none is.")
def serve_due_connections(context: dg.OpExecutionContext, runtime: RuntimeParam) -> None:
    engine, pace = runtime.of_run(context.run_id), runtime.pace()
    pace = pace.standing_by() if STANDBY_TAG in context.run.tags else pace
    recorder = Recorder(context, engine, hold_seconds=LANE_HOLD_SECONDS)
    with alive(engine, context.instance, context.run):
        try:
            why = Lane(engine, pace, recorder).run()
        finally:
            recorder.tell()
    context.log.info("Ended: %s.", why)


class SyncRequest(dg.Config):
    """Which connections, e.g. `acme:quickbooks`, and which kinds of record."""

    connections: list[str] = Field(min_length=1)
    entities: list[str] = Field(default=list(ENTITIES), min_length=1)


@dg.op(description="Queues a bulk sync for each listed connection; whoever serves the connections does the work.")
def queue_syncs(context: dg.OpExecutionContext, config: SyncRequest, runtime: RuntimeParam) -> None:
    keys = [ConnectionKey.parse(text) for text in config.connections]  # all of them are right, or none is queued
    entity_types = [_entity_type(entity) for entity in config.entities]
    by = f"dagster run {context.run_id}"
    for key in keys:
        context.log.info("%s: sync %s queued.", key, bulk.request(runtime.runtime(), key, entity_types, by=by))


def _entity_type(entity: str) -> str:
    if entity not in ENTITIES:
        raise dg.Failure(f"{entity!r} is nothing to sync. Known are {', '.join(ENTITIES)}.", allow_retries=False)
    return ENTITIES[entity]


@dg.job(
    partitions_def=CONNECTIONS,
    executor_def=dg.in_process_executor,
    tags=LONGEST,
    description="Serves one connection: everything due for its ERP, in order, and everything that came from it.",
)
def sync_connection() -> None:
    serve_connection()


@dg.job(
    executor_def=dg.in_process_executor,
    tags={**LONGEST, LANE_TAG: "by-hand"},
    description="A lane: serves all connections that are due. Few lanes serve any number of tenants.",
)
def drain() -> None:
    serve_due_connections()


@dg.op(description="Renews grants that nobody uses, asks silent companies, and warns before an access ends.")
def probe_connections(context: dg.OpExecutionContext, runtime: RuntimeParam) -> None:
    engine, faults = runtime.runtime(), []
    with alive(engine, context.instance, context.run):
        for key in due.active(engine):
            try:
                _tell(context, probe.probe(engine, key))
            except DatabaseDown:
                raise
            except Exception as fault:  # noqa: BLE001 - the others are looked after all the same; raised at the end
                faults.append(f"{key}: {type(fault).__name__}: {fault}")
    if faults:
        raise dg.Failure("\n".join(faults), allow_retries=False)


def _tell(context: dg.OpExecutionContext, found: Probe) -> None:
    context.log.info("%s: %s", found.row.key, found.summary)
    for why in found.reasons:
        context.log.warning("%s: %s %s", found.row.key, why.message, why.mend)


@dg.op(description="Pulls what changed in the ERPs, for each connection whose last pull is long enough ago.")
def pull_due_changes(context: dg.OpExecutionContext, runtime: RuntimeParam) -> None:
    engine = runtime.of_run(context.run_id)
    recorder = Recorder(context, engine, hold_seconds=LANE_HOLD_SECONDS)
    with alive(engine, context.instance, context.run):
        try:
            for key in pull.due(engine):
                recorder.record(pull.pull(engine, key, patience=0))  # a busy one is due again in the next run
        finally:
            recorder.tell()


@dg.job(
    executor_def=dg.in_process_executor,
    tags={**LONGEST, LANE_TAG: "pull"},
    description="The incremental pull of every connection that is due for one; the schedule spreads them over time.",
)
def pull_changes() -> None:
    pull_due_changes()


@dg.op(description="Scrubs and deletes what was kept long enough, in the product's database and in Dagster's own.")
def end_old_data(context: dg.OpExecutionContext, runtime: RuntimeParam) -> None:
    engine = runtime.runtime()
    with alive(engine, context.instance, context.run):
        done = retention.retain(engine)
        done["runs deleted"] = run_history.prune(
            context.instance, engine.clock.now() - dt.timedelta(days=engine.keep.run_days)
        )
    context.log.info("%s.", ", ".join(f"{name}: {count}" for name, count in done.items()))


@dg.job(
    executor_def=dg.in_process_executor,
    description="Ends what was kept long enough: payloads, events, notices, log entries, Dagster's runs.",
)
def retain() -> None:
    end_old_data()


@dg.job(
    executor_def=dg.in_process_executor,
    description="Looks after every connection, busy or idle, so that none ends because nobody used it.",
)
def keep_connections() -> None:
    probe_connections()


@dg.job(
    executor_def=dg.in_process_executor,
    description="Queues the bulk sync of a list of connections, which a selection of partitions cannot express.",
)
def enqueue_sync() -> None:
    queue_syncs()


JOBS = [sync_connection, drain, pull_changes, keep_connections, enqueue_sync, retain]
