"""Partitions in step with the active connections. Connecting and disconnecting are `access`'s business."""

import dagster as dg

from erp_pipelines.delivery import due
from erp_pipelines.partitions import CONNECTIONS, CONNECTIONS_NAME, PARTITION_TAG, RANGE_TAG, UNDER_WAY
from erp_pipelines.resources.queue import runs_of_partitions
from erp_pipelines.resources.runtime import RuntimeParam

# The daemon asks once for each key, about 10 ms, before it adds them.
MOST_OF_ONE_TICK = 1000


@dg.sensor(
    minimum_interval_seconds=3,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for each active connection, and takes those away that are active no more.",
)
def connections_sensor(context: dg.SensorEvaluationContext, runtime: RuntimeParam) -> dg.SensorResult | dg.SkipReason:
    active = {str(key) for key in due.active(runtime.runtime())}
    known = set(context.instance.get_dynamic_partitions(CONNECTIONS_NAME))
    new = sorted(active - known)[:MOST_OF_ONE_TICK]
    gone = unused(context.instance, sorted(known - active)[:MOST_OF_ONE_TICK])
    if not new and not gone:
        return dg.SkipReason(f"{len(known)} connections, none new or gone.")
    add = [CONNECTIONS.build_add_request(new)] if new else []
    delete = [CONNECTIONS.build_delete_request(gone)] if gone else []
    return dg.SensorResult(dynamic_partitions_requests=[*add, *delete])


def unused(instance: dg.DagsterInstance, keys: list[str]) -> list[str]:
    """Those that no run works on: a run whose partition is deleted dies when it ends.

    A range run doesn't name its keys, so nothing is deleted while there is one.
    """
    if not keys or any(RANGE_TAG in run.tags for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))):
        return []
    used = {run.dagster_run.tags[PARTITION_TAG] for run in runs_of_partitions(instance, keys)}
    return [key for key in keys if key not in used]
