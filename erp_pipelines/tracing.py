"""Traces of OpenTelemetry, from the making of an event to the ERP's answer. Off unless `switch_on` was called.

Off, nothing of OpenTelemetry is imported and a span costs a microsecond. Attributes name kinds, ids and statuses, never bodies,
addresses, query values or the words of an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from erp_pipelines.domain.errors import SettingsInvalid

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link, SpanKind
    from opentelemetry.trace import Span as OtelSpan

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool | None]
SERVICE = "erp-pipelines"


class Span:
    """What those who are traced can add to their span; of an untraced one, nothing."""

    def set(self, attributes: Attributes) -> None:
        """None is left out."""

    def rename(self, name: str) -> None:
        """A better name, known only at the end."""


class _Traced(Span):
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def rename(self, name: str) -> None:
        self._span.update_name(name)


class _Tracing:
    """OpenTelemetry, imported."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace, self._propagator = trace, TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        links: Iterable[str],
        attributes: Attributes,
    ) -> Iterator[Span]:
        kinds: SpanKind = self._trace.SpanKind[kind.upper()]
        with self._tracer.start_as_current_span(
            name, self._context(parent), kinds, links=self._links(links),
            record_exception=False, set_status_on_exception=False,
        ) as span:  # fmt: skip
            traced = _Traced(span)
            traced.set(attributes)
            try:
                yield traced
            except BaseException as error:
                # Its text may quote a record.
                span.set_status(self._trace.StatusCode.ERROR)
                traced.set({"error.type": type(error).__name__})
                raise

    def _context(self, parent: str | None) -> Context | None:
        """None for the current one."""
        return self._propagator.extract({"traceparent": parent}) if parent else None

    def _links(self, parents: Iterable[str]) -> list[Link]:
        spans = [self._trace.get_current_span(self._context(parent)) for parent in dict.fromkeys(parents) if parent]
        return [self._trace.Link(span.get_span_context()) for span in spans if span.get_span_context().is_valid]

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent")


_UNTRACED = Span()
_tracing: _Tracing | None = None


def switch_on(provider: TracerProvider) -> None:
    """Trace with this provider from here on, in this process."""
    global _tracing  # noqa: PLW0603  one process, one tracing, as OpenTelemetry has it
    _tracing = _Tracing(provider)


def switch_off() -> None:
    global _tracing  # noqa: PLW0603
    _tracing = None


def export_to(endpoint: str) -> None:
    """Switch on, and send the spans to a collector that speaks OTLP over HTTP; again changes nothing.

    The other `OTEL_...` variables count as OpenTelemetry says. Raises SettingsInvalid when its packages are missing.
    """
    if _tracing is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsInvalid(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed.",
            mend="Install erp-pipelines[otel], or unset the variable.",
        ) from None
    provider = TracerProvider(resource=Resource({"service.name": SERVICE}).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    switch_on(provider)


@contextmanager
def span(
    name: str,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
    links: Iterable[str] = (),
    attributes: Attributes = MappingProxyType({}),
) -> Iterator[Span]:
    """A span around the block, within the current one or within `parent`, a `traceparent`. `links` are traceparents too; empty ones are none."""
    if _tracing is None:
        yield _UNTRACED
        return
    with _tracing.span(name, kind, parent, links, attributes) as traced:
        yield traced


def traceparent() -> str | None:
    """Where we are, for a header or a row; None while nothing is traced."""
    return _tracing.traceparent() if _tracing else None
