"""Who is told of trouble: runs that failed, and events and connections that need a person. Doors only.

What an alert is, is decided where the event is settled; when and how it is told, in `delivery.alerts`.
"""

import dagster as dg
import structlog

from erp_pipelines.delivery import alerts
from erp_pipelines.domain.errors import DatabaseDown
from erp_pipelines.partitions import PARTITION_TAG
from erp_pipelines.resources.runtime import RuntimeParam

log = structlog.get_logger(__name__)


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the notification channels of events and connections that need a person, grouped by cause.",
)
def alert_sensor(runtime: RuntimeParam) -> dg.SkipReason:
    told = alerts.tell(runtime.runtime())
    return dg.SkipReason(f"{told} told." if told else "Nothing to tell.")


@dg.run_failure_sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of runs that failed, grouped by job: PostgreSQL was away, or the program has a fault.",
)
def run_failures(context: dg.RunFailureSensorContext, runtime: RuntimeParam) -> None:
    run, reason = context.dagster_run, context.failure_event.message or "It ended without a reason."
    log.error("run_failed", run_id=run.run_id, job=run.job_name, partition=run.tags.get(PARTITION_TAG), reason=reason)
    try:
        alerts.run_failed(runtime.runtime(), run.job_name, reason, run.run_id)
    except DatabaseDown:  # most likely why the run failed, and the log has told of it
        log.warning("run_failed_untold", run_id=run.run_id)
