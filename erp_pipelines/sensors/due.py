"""The waiting inside a tick, which both long-poll sensors share; what they decide stands in `requests`.

Dagster's sensor loop turns every 5 s, whatever interval is asked for. So a tick waits for work itself and
answers within moments of the commit. Two sensors of the same kind cover each other's blind time.
"""

import time

import dagster as dg
import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import due
from erp_pipelines.resources.liveness import Doubts
from erp_pipelines.resources.pace import Pace
from erp_pipelines.resources.runtime import RuntimeResource
from erp_pipelines.sensors.requests import Decider, Memory, next_generation, result

log = structlog.get_logger(__name__)
# Shared by the sensors of this process, so that two of them never ask for the same run.
MEMORY = Memory()
DOUBTS = Doubts()
ON_ITS_WAY = "a run is on its way, or the last runs failed and the next one waits a minute."

SensorAnswer = dg.SensorResult | dg.SkipReason


def long_poll(context: dg.SensorEvaluationContext, resource: RuntimeResource, memory: Memory = MEMORY) -> SensorAnswer:
    """Wait until something is due that has no run, and ask for one; say so when the tick's time is over."""
    ends = time.monotonic() + resource.pace().tick_seconds
    runtime, pace = resource.runtime(), resource.pace()
    generation = next_generation(context.cursor, runtime.clock.now().timestamp())
    decider = Decider(
        context.instance, pace, memory, generation, lambda run: buried(context.instance, runtime, pace, run)
    )
    waiting = 0
    while (left := ends - time.monotonic()) > 0:
        keys = due.connections(runtime)
        waiting = len(keys)
        active = due.count_active(runtime, most=pace.connection_runs + 1) if keys else 0
        if (keys or pace.standby) and (requests := decider.requests(keys, active)):
            return result(context.instance, requests, generation)
        _pause(runtime, pace, left, has_due=bool(keys))
    return dg.SkipReason(f"{waiting} due: {ON_ITS_WAY}" if waiting else "Nothing is due.")


def _pause(runtime: Runtime, pace: Pace, left: float, *, has_due: bool) -> None:
    """What is due has a run that comes to it in a moment, so look again soon; else wait to be told."""
    began = time.monotonic()
    if has_due or (due.wait(runtime, left) and not due.connections(runtime)):
        time.sleep(max(min(pace.look_seconds - (time.monotonic() - began), left), 0))


def buried(instance: dg.DagsterInstance, runtime: Runtime, pace: Pace, run: dg.RunRecord) -> bool:
    """Whether a started run has died unheard, with its code server or its machine; it is reported as failed then.

    Otherwise it would keep its connection's place in the queue until run monitoring ends it.
    """
    if not DOUBTS.confirmed(runtime, run.dagster_run, pace.doubt_seconds):
        return False
    log.error("run_died_unheard", run_id=run.dagster_run.run_id, job=run.dagster_run.job_name)
    instance.report_run_failed(run.dagster_run, "The run's process is gone; what it left due is served by another run.")
    return True
