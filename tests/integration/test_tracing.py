"""Traces from the making of an event to the ERP's answer, and from a webhook to what it changed; nothing when they are off."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from erp_pipelines import tracing
from erp_pipelines.commerce import customers
from erp_pipelines.connectors.http import HttpResponse
from erp_pipelines.domain.errors import SettingsInvalid
from erp_pipelines.settings import Settings
from tests.support.books import Shop
from tests.support.factories import make_customer
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app

HOST = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
EMAIL = "made.up@example.com"


@pytest.fixture
def shop(database, clock):
    return Shop(database, clock)


@pytest.fixture
def traced(shop) -> Iterator[InMemorySpanExporter]:
    """What is traced from here on, in this process; the shop is connected already."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.switch_on(provider)
    yield exporter
    tracing.switch_off()


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Its address, and path and body of whatever came there."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(
                (self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


def tree(exporter: InMemorySpanExporter) -> dict[str, str | None]:
    """Each span's name, with that of its parent; of equal names the last."""
    spans = exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans}
    return {span.name: names.get(span.parent.span_id, "elsewhere") if span.parent else None for span in spans}


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    return next(span for span in exporter.get_finished_spans() if span.name == name)


def customer(shop, number="1"):
    shop.customer(f"c{number}", email=EMAIL)


def test_an_event_is_one_trace_from_its_making_to_its_end(shop, traced):
    customer(shop)
    shop.serve()
    assert tree(traced) == {
        "enqueue CustomerCreated": None,
        "claim": None,
        "deliver CustomerCreated": "enqueue CustomerCreated",
        "push Customer": "deliver CustomerCreated",
        "QuickBooks customer.create": "push Customer",
        "settle": "deliver CustomerCreated",
    }
    enqueued, call = named(traced, "enqueue CustomerCreated"), named(traced, "QuickBooks customer.create")
    assert call.context.trace_id == enqueued.context.trace_id
    assert call.attributes["http.response.status_code"] == 200
    assert named(traced, "deliver CustomerCreated").kind is SpanKind.CONSUMER
    assert named(traced, "deliver CustomerCreated").attributes == {
        "erp.connection": "acme:quickbooks", "erp.entity_id": "c1", "erp.attempt": 1, "erp.verdict": "Completed",
    }  # fmt: skip
    assert named(traced, "push Customer").attributes == {
        "erp.entity_id": "c1", "erp.in_doubt": False, "erp.outcome": "Created", "erp.external_id": shop.company.customers[0]["Id"],
    }  # fmt: skip
    assert named(traced, "settle").attributes == {"erp.events": 1}
    assert named(traced, "settle").links == ()


def test_the_trace_of_the_host_goes_on(shop, traced):
    with shop.database.tenant("acme") as conn:
        conn.exec_driver_sql(f"set local erp.traceparent = '{HOST}'")
        conn.exec_driver_sql(
            """select erp.emit_event('acme', 'CustomerUpdated', 'Customer', 'c9', '{"id": "c9", "name": "Nine"}'::jsonb)"""
        )
    shop.serve()
    assert tree(traced)["deliver CustomerUpdated"] == "elsewhere"
    delivered = named(traced, "deliver CustomerUpdated")
    assert f"{delivered.context.trace_id:032x}" == HOST.split("-")[1]


def test_a_failure_is_told_without_the_words_of_the_erp(shop, traced):
    fault = {"Fault": {"Error": [{"Message": f"No, {EMAIL}", "code": "6000"}], "type": "ValidationFault"}}
    shop.answering = lambda request: HttpResponse(400, json=fault) if request.method == "POST" else None
    customer(shop)
    shop.serve()
    push = named(traced, "push Customer")
    assert (push.status.status_code.name, push.attributes["error.type"]) == ("ERROR", "Rejected")
    assert named(traced, "deliver CustomerCreated").attributes["erp.verdict"] == "Abandon"
    assert all(not span.events and not span.status.description for span in traced.get_finished_spans())
    assert EMAIL not in "".join(span.to_json() for span in traced.get_finished_spans())


def test_a_batch_is_linked_to_the_events_that_it_carries(shop, traced):
    for number in range(8):
        customer(shop, str(number))
    shop.serve()
    batch = named(traced, "push batch")
    assert len(batch.links) == 8
    made = {span.context.trace_id for span in traced.get_finished_spans() if span.name == "enqueue CustomerCreated"}
    assert {link.context.trace_id for link in batch.links} == made
    assert tree(traced)["QuickBooks batch"] == "push batch"
    assert tree(traced)["settle"] == "push batch"
    settled = named(traced, "settle")
    assert settled.attributes == {"erp.events": 8}
    assert {link.context.trace_id for link in settled.links} == made


def test_a_webhook_is_linked_to_what_it_led_to(shop, traced):
    shop.sale()
    shop.serve()
    invoice = next(
        document for documents in shop.there.books().values() for document in documents if document.type == "Invoice"
    )
    shop.there.notes(invoice, "A remark")
    headers, body = shop.there.tidings()[-1]
    traced.clear()
    with TestClient(
        create_app(shop.runtime, AuthConfig(secret="made-up secret for tests, long enough to be taken"))
    ) as client:
        answer = client.post(
            "/api/integrations/quickbooks/webhook", content=body, headers={**headers, "traceparent": HOST}
        )
    assert answer.status_code == 200
    request = named(traced, "POST /api/integrations/quickbooks/webhook")
    assert f"{request.context.trace_id:032x}" == HOST.split("-")[1]
    shop.clock.advance(60)
    shop.serve()
    assert request.context.span_id in {link.context.span_id for link in named(traced, "notices").links}


def test_off_nothing_is_traced_stored_or_imported(shop):
    with tracing.span("nothing") as span:
        span.set({"erp.events": 1})
    assert tracing.traceparent() is None
    with shop.database.tenant("acme") as conn:
        customers.save(conn, "acme", make_customer())
    shop.serve()
    assert shop.rows("select traceparent from erp.integration_outbox") == [("",)]
    seen = "import sys, erp_pipelines.delivery.worker, webhook_api.main; print(any(m.startswith('opentelemetry.sdk') for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_spans_leave_for_the_collector_before_the_process_ends():
    with collector() as (endpoint, received):
        program = "from erp_pipelines import tracing as t; t.export_to(sys.argv[1]); s = t.span('made'); s.__enter__(); s.__exit__(None, None, None)"
        subprocess.run([sys.executable, "-c", f"import sys; {program}", endpoint], check=True)
    [(path, body)] = received
    assert path == "/v1/traces"
    assert b"made" in body
    assert b"erp-pipelines" in body


def test_the_endpoint_is_read_from_the_usual_variable(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert Settings(_env_file=None).otel_endpoint == "http://127.0.0.1:4318"


def test_without_its_packages_the_mend_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsInvalid, match="not installed") as caught:
        tracing.export_to("http://127.0.0.1:9")
    assert "erp-pipelines[otel]" in caught.value.mend
    assert tracing.traceparent() is None
