"""The sensor that answers a commit to the outbox. What it shares with the inbox's stands in `due`."""

import dagster as dg

from erp_pipelines.jobs import drain, sync_connection
from erp_pipelines.resources.runtime import RuntimeParam
from erp_pipelines.sensors.due import SensorAnswer, long_poll


@dg.sensor(
    jobs=[sync_connection, drain],
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Waits for events to push, and asks for the run that pushes them.",
)
def outbox_sensor(context: dg.SensorEvaluationContext, runtime: RuntimeParam) -> SensorAnswer:
    return long_poll(context, runtime)
