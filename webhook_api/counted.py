"""Figures that the database holds, over all tenants, in the form of metrics."""

from __future__ import annotations

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import gaps
from erp_pipelines.storage import unknown_faults, usage


def counted(runtime: Runtime) -> list[Metric]:
    """Raises DatabaseDown and StorageError while the database is away."""
    unknown = CounterMetricFamily(
        "erp_unknown_faults", "Faults of an ERP that no catalogue knows.", labels=["provider", "code"]
    )
    calls = GaugeMetricFamily(
        "erp_calls_this_month", "Calls to an ERP since the month began.", labels=["provider", "kind"]
    )
    missed = GaugeMetricFamily(
        "erp_missed_notices",
        "Changes of the last week that a pull found and no notice told of in time.",
        labels=["provider"],
    )
    with runtime.db.system() as conn:
        for provider, code, count in unknown_faults.totals(conn):
            unknown.add_metric([provider, code], count)
        for provider, reads, writes in usage.by_provider(conn, runtime.clock.now().date()):
            calls.add_metric([provider, "read"], reads)
            calls.add_metric([provider, "write"], writes)
    for provider, count in gaps.missed_by_provider(runtime).items():
        missed.add_metric([provider], count)
    return [unknown, calls, missed]
