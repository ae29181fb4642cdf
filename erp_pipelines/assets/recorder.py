"""How reports reach Dagster from a run: log lines and materializations, in batches. What they say stands in `metadata`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import dagster as dg

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.assets.metadata import lines_of, materializations_of
from erp_pipelines.delivery.reports import Report
from erp_pipelines.resources.dagster_events import log_materializations

# Each entry of a run's log is a row and a statement, so many lines share one.
LINES_OF_ONE_ENTRY = 100


@dataclass
class Recorder:
    """Collects reports and tells Dagster of them. For one thread: a run's own.

    `without` is the asset that the run materializes by itself.
    """

    context: dg.OpExecutionContext
    runtime: Runtime
    without: dg.AssetKey | None = None
    hold_seconds: float = 0.0
    _lines: list[str] = field(default_factory=list)
    _events: list[dg.AssetMaterialization] = field(default_factory=list)
    _told_at: float = field(default_factory=time.monotonic)

    def record(self, report: Report) -> None:
        """Keep the report; tells at once unless `hold_seconds` lets it wait for others."""
        ceiling = self.runtime.requests_per_minute.get(report.key.provider)
        self._lines += lines_of(report)
        self._events += materializations_of(report, ceiling, without=self.without)
        self.tell_if_due()

    def warn(self, text: str) -> None:
        self.context.log.warning(text)

    def tell_if_due(self) -> None:
        if time.monotonic() - self._told_at >= self.hold_seconds:
            self.tell()

    def tell(self) -> None:
        """Write what was kept."""
        lines, self._lines = self._lines, []
        events, self._events = self._events, []
        self._told_at = time.monotonic()
        for begin in range(0, len(lines), LINES_OF_ONE_ENTRY):
            self.context.log.info("\n".join(lines[begin : begin + LINES_OF_ONE_ENTRY]))
        if events:
            log_materializations(self.context, events)
