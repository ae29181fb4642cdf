"""Who is told of trouble: runs that failed, and events and connections that need a person.

What an alert is, is decided where the event is settled; which channels carry it, by the `notify` that `definitions` passes in.
"""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import alerts
from erp_pipelines.delivery.alerts import Alert
from erp_pipelines.partitions import PARTITION_TAG
from erp_pipelines.resources.runtime import RuntimeParam

log = structlog.get_logger(__name__)
Notify = Callable[[Alert], None]
MOST_OF_ONE_TICK = 200
# An alert's time is its transaction's start, so one may appear behind others that are older; look back so far.
LOOK_BACK = dt.timedelta(minutes=1)
# Without a cursor (first start, or somebody reset it): not the whole history.
FIRST_LOOK_BACK = dt.timedelta(days=1)


@dataclass(frozen=True)
class Mark:
    """How far alerts have been told: up to `at`, and which ones of the time before that may be met again."""

    at: dt.datetime
    told: dict[str, str]

    @classmethod
    def read(cls, cursor: str | None, now: dt.datetime) -> "Mark":
        """A cursor that cannot be read is none: an alert told twice is better than one never told."""
        try:
            stored = json.loads(cursor or "")
            return cls(dt.datetime.fromisoformat(stored["at"]), dict(stored["told"]))
        except (ValueError, KeyError, TypeError):
            return cls(now - FIRST_LOOK_BACK, {})

    def write(self) -> str:
        return json.dumps({"at": self.at.isoformat(), "told": self.told})

    def after(self, page: list[Alert]) -> "Mark":
        at = max([self.at, *(alert.created_at for alert in page)])
        told = self.told | {alert.id: alert.created_at.isoformat() for alert in page}
        return Mark(at, {key: when for key, when in told.items() if dt.datetime.fromisoformat(when) > at - LOOK_BACK})


def untold(runtime: Runtime, mark: Mark) -> list[Alert]:
    """Alerts that have not been told yet, oldest first."""
    page = alerts.since(runtime, mark.at - LOOK_BACK, MOST_OF_ONE_TICK)
    new = [alert for alert in page if alert.id not in mark.told]
    if new or len(page) < MOST_OF_ONE_TICK:
        return new
    return alerts.since(runtime, mark.at, MOST_OF_ONE_TICK)  # a flood: the look back met only what was told


def log_alert(alert: Alert) -> None:
    """Without other channels, the log."""
    log.warning(
        "alert", tenant=alert.tenant_id, provider=alert.provider, entity_type=alert.entity_type,
        entity_id=alert.entity_id, cause=alert.cause, message=alert.message, mend=alert.mend, alert_id=alert.id,
    )  # fmt: skip


def alert_sensor(notify: Notify = log_alert) -> dg.SensorDefinition:
    """The sensor that tells `notify` of each new alert, at least once and in order."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=3,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the notification channels of every event and connection that needs a person.",
    )
    def tell(context: dg.SensorEvaluationContext, runtime: RuntimeParam) -> dg.SensorResult:
        engine = runtime.runtime()
        mark = Mark.read(context.cursor, engine.clock.now())
        new = untold(engine, mark)
        for alert in new:
            notify(alert)
        said = f"{len(new)} new alerts." if new else "No new alerts."
        return dg.SensorResult(skip_reason=said, cursor=mark.after(new).write())

    return tell


@dg.run_failure_sensor(
    minimum_interval_seconds=3,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Logs each run that failed: PostgreSQL was away, or the program has a fault.",
)
def run_failures(context: dg.RunFailureSensorContext) -> None:
    run = context.dagster_run
    log.error("run_failed", run_id=run.run_id, job=run.job_name, partition=run.tags.get(PARTITION_TAG),
              reason=context.failure_event.message)  # fmt: skip
