"""The sensor that answers a webhook's notice. What it shares with the outbox's stands in `due`."""

import dagster as dg

from erp_pipelines.jobs import drain, sync_connection
from erp_pipelines.resources.runtime import RuntimeParam
from erp_pipelines.sensors.due import SensorAnswer, long_poll


@dg.sensor(
    jobs=[sync_connection, drain],
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Waits for notices from the ERPs, and asks for the run that reads the truth and applies it.",
)
def inbox_sensor(context: dg.SensorEvaluationContext, runtime: RuntimeParam) -> SensorAnswer:
    return long_poll(context, runtime)
