"""Figures for Prometheus. Labels are route templates and providers, never tenants or ids."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from erp_pipelines.access.intake import Received

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One app's figures, in a registry of their own so that two apps in one process don't meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "erp_http_request_seconds", "Time to answer a request.", ["method", "route", "status"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._notices = Counter(
            "erp_webhook_notices", "Webhook notices by what became of them.", ["provider", "result"],
            registry=self.registry,
        )  # fmt: skip
        self._deliveries = Counter(
            "erp_webhook_deliveries", "Webhook deliveries by what was answered.", ["provider", "result"],
            registry=self.registry,
        )  # fmt: skip

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in METHODS else "other"
        self._seconds.labels(known, route, str(status)).observe(seconds)

    def received(self, provider: str, received: Received) -> None:
        self._deliveries.labels(provider, "accepted").inc()
        for result in ("new", "duplicates", "unknown"):
            self._notices.labels(provider, result).inc(getattr(received, result))

    def refused(self, provider: str, reason: str) -> None:
        self._deliveries.labels(provider, reason).inc()

    def text(self, counted: Iterable[Metric] = ()) -> bytes:
        """All figures, with those that were counted elsewhere."""
        elsewhere = CollectorRegistry()
        elsewhere.register(_Given(list(counted)))
        return generate_latest(self.registry) + generate_latest(elsewhere)


class _Given(Collector):
    """Figures that were counted elsewhere."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
