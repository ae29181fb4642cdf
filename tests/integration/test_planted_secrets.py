"""Secrets and personal data are planted and taken through everything that can go well or wrong, and looked for everywhere.

Where personal data may stand by design is listed here, column by column; secrets may stand nowhere in clear.
"""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import jwt
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from erp_pipelines.commerce import customers, orders
from erp_pipelines.connectors.http import HttpResponse
from erp_pipelines.definitions import build_defs
from erp_pipelines.delivery import pull
from erp_pipelines.domain.records import Address
from erp_pipelines.security import logs
from erp_pipelines.storage import tokens
from tests.integration.web.console_support import PAGES, Visitor
from tests.support.books import Shop
from tests.support.doorbell import ring
from tests.support.erps import ERPS
from tests.support.factories import make_customer, make_order
from tests.support.inside import RING
from tests.unit.dagster.pretended import QUICK
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app
from webhook_api.routes import connections as connection_routes

JWT_SECRET = "planted jwt secret, long enough to be taken"
EMAIL, PHONE, STREET, TOWN = "planted.person@example.com", "+1 555 0100 4242", "17 Planted Lane", "Plantedville"
PERSONAL = {"e-mail": EMAIL, "phone": PHONE, "street": STREET, "town": TOWN}
CARD = "4111111111111111"
# The records of the shop, the events that carry them, and what was sent and not answered yet, as it was sent.
BY_DESIGN = {
    "customers.email", "customers.phone", "customers.billing_address", "customers.shipping_address", "orders.ship_to",
    "integration_outbox.payload", "integration_doubts.payload",
}  # fmt: skip


@dataclasses.dataclass
class Product:
    """The whole product over one database and one twin, and everything that it has said."""

    shop: Shop
    client: TestClient
    said: io.StringIO
    bearers: list[str] = dataclasses.field(default_factory=list)
    answers: list[str] = dataclasses.field(default_factory=list)

    def as_(self, role: str = "Admin", tenant: str = "acme") -> dict[str, str]:
        claims = {"sub": "ann", "tenant_id": tenant, "role": role, "exp": time.time() + 36_000}
        self.bearers.append(jwt.encode(claims, JWT_SECRET, "HS256"))
        return {"Authorization": f"Bearer {self.bearers[-1]}"}

    def ask(self, method: str, path: str, body: Any = None, role: str = "Admin", **given: Any) -> Any:
        answer = self.client.request(method, path, json=body, headers=self.as_(role), **given)
        self.answers.append(f"{method} {path}\n{answer.headers}\n{answer.text}")
        return answer

    def record(self, number: str) -> None:
        """A paid order, with a customer and a product, all of them with what is planted."""
        address = Address(name="Shop", line1=STREET, city=TOWN, region="CA", postal_code="94000", country="US")
        customer = make_customer(
            f"c{number}", email=EMAIL, phone=PHONE, billing_address=address, shipping_address=address
        )
        self.shop.product()
        with self.shop.database.tenant("acme") as conn:
            customers.save(conn, "acme", customer)
            orders.save(conn, "acme", make_order(f"o{number}", customer_id=f"c{number}", ship_to=address))
        self.shop.pay(f"o{number}")

    def answering(self, status: int, text: str, kind: str = "application/json") -> None:
        """From here on every write is answered so, with what it carried and who sent it quoted."""

        def answer(request: Any) -> HttpResponse | None:
            if request.method == "GET" or "token" in request.url.path or "suiteql" in request.url.path:
                return None
            quoted = text.replace(
                "<quoted>", f"{EMAIL} {PHONE} {STREET} {TOWN} {CARD} {request.headers['authorization']}"
            )
            return HttpResponse(status, text=quoted, headers={"content-type": kind})

        self.shop.answering = answer

    def secrets(self) -> dict[str, str]:
        """Everything that must stand nowhere in clear, by name."""
        with self.shop.database.tenant("acme") as conn:
            connection_id = conn.execute(sa.text("select id::text from erp.integration_connections")).scalar_one()
            stored = tokens.read_tokens(conn, connection_id, self.shop.runtime.cipher)
        assert stored
        found = {"access token": stored.access_token, "refresh token": stored.refresh_token, "jwt secret": JWT_SECRET}
        found |= {f"bearer {number}": bearer for number, bearer in enumerate(self.bearers)}
        found |= {"key ring": RING.partition(":")[2]}
        environment = self.shop.there.environment("https://erp.test")
        found |= {name: value for name, value in environment.items() if name.endswith(("_SECRET", "_TOKEN"))}
        return {name: part for name, text in found.items() for part in _parts(text)}


def _parts(text: str) -> list[str]:
    """A stored JSON of credentials is looked for value by value."""
    if not text.startswith("{"):
        return [text]
    return [str(value).splitlines()[1] if "\n" in str(value) else str(value) for value in json.loads(text).values()
            if len(str(value)) > 20]  # fmt: skip


@contextmanager
def everything_said() -> Iterator[io.StringIO]:
    """All that any logger says at any level, the product's structured lines among it."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@pytest.fixture(params=sorted(ERPS))
def product(request, database, clock, monkeypatch):
    with everything_said() as said:
        monkeypatch.setattr("sys.stderr", said)
        logs.configure(level=logging.DEBUG)
        shop = Shop(database, clock, request.param)
        app = create_app(shop.runtime, AuthConfig(secret=JWT_SECRET))
        with TestClient(app, raise_server_exceptions=False, base_url="https://erp.example.com") as client:
            yield Product(shop, client, said)


FAULT = json.dumps({"Fault": {"Error": [{"Message": "No", "Detail": "<quoted>", "code": "6000"}]}, "title": "<quoted>",
                    "o:errorDetails": [{"detail": "<quoted>", "o:errorCode": "USER_ERROR"}]})  # fmt: skip


def drive(product: Product, instance: dg.DagsterInstance) -> None:
    """Success, refusals, faults, nonsense and bugs; through worker, Dagster, webhooks, pull, API and console."""
    shop = product.shop
    shop.settings(diagnosticMode=True)
    product.record("1")
    shop.serve()
    for number, (status, text, kind) in enumerate(
        [
            (400, FAULT, "application/json"),
            (500, "<html><quoted></html>", "text/html"),
            (200, "<quoted>", "text/plain"),
        ],
        2,
    ):
        product.record(str(number))
        product.answering(status, text, kind)
        shop.serve()
    shop.answering = None
    shop.clock.advance(4000)  # past the access token, pauses and the first retries
    shop.there.time_is(shop.clock.moment)
    dagster(product, instance)
    webhooks(product)
    pull.pull(shop.runtime, shop.key, patience=0)
    api(product)
    console(product)


def dagster(product: Product, instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("connections", [str(product.shop.key)])
    product.answering(400, FAULT)
    product.record("9")
    job = build_defs(runtime_factory=lambda: product.shop.runtime, pace=QUICK).get_job_def("sync_connection")
    assert job.execute_in_process(instance=instance, partition_key=str(product.shop.key)).success
    product.shop.answering = None


def webhooks(product: Product) -> None:
    path = "/api/integrations/quickbooks/webhook"
    for headers, body in product.shop.there.tidings()[:2]:
        answer = product.client.post(path, content=body, headers=headers)
        product.answers += [answer.text]
        assert answer.status_code == 200
        ring(product.shop.runtime, "quickbooks", headers, body)
    product.answers += [product.client.post(path, content=b"{}", headers={"intuit-signature": "planted"}).text]
    product.shop.serve()


def api(product: Product) -> None:
    provider = product.shop.key.provider
    customer = {
        "id": "c7",
        "name": "Shop",
        "email": EMAIL,
        "phone": PHONE,
        "currency": "nonsense",
        "billingAddress": {"line1": STREET},
    }
    assert product.ask("PUT", "/api/commerce/customers/c7", customer).status_code == 422
    assert product.ask("GET", "/api/integrations/logs?cursor=nonsense").status_code == 422
    assert product.ask("GET", "/api/integrations/connections", role="SalesRep").status_code == 403
    tried = product.ask(
        "POST", "/api/integrations/netsuite/connect", {"accountId": "1", "authMethod": "tba", "consumerKey": "k" * 30}
    )
    assert tried.status_code >= 400
    log_ids = [row["id"] for row in product.ask("GET", "/api/integrations/logs?pageSize=200").json()["items"]]
    assert len(log_ids) > 8
    for log_id in log_ids:
        detail = product.ask("GET", f"/api/integrations/logs/{log_id}", role="SalesManager")
        assert detail.status_code == 200
    for path in ("errors", "outbox", "inbox", "connections", f"mappings/{provider}/Order", "logs/export.csv", "budget"):
        assert product.ask("GET", f"/api/integrations/{path}").status_code == 200
    product.answers.append(product.client.get("/metrics").text)


def console(product: Product) -> None:
    """As a sales manager, whom the shop's own records are not shown either."""
    visitor = Visitor(product)
    assert visitor.sign_in("SalesManager").status_code == 303
    log_ids = [row["id"] for row in product.ask("GET", "/api/integrations/logs?pageSize=20").json()["items"]]
    for path in (*PAGES, *(f"/console/logs/{log_id}" for log_id in log_ids)):
        page = visitor.get(path)
        assert page.status_code == 200, path
        product.answers.append(page.text)


def bug(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw, with everything in its text."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"{EMAIL} {PHONE} {STREET} {product.bearers[0]} {JWT_SECRET}")

    monkeypatch.setattr(connection_routes.connections, "list_", fail)
    assert product.ask("GET", "/api/integrations/connections").status_code == 500


def stored(product: Product) -> dict[str, str]:
    """All that stands in each column of each table, as text."""
    columns = sa.text(
        "select table_name, column_name from information_schema.columns where table_schema = 'erp' order by 1, 2"
    )
    with product.shop.database.system() as conn:
        return {
            f"{table}.{column}": conn.execute(sa.text(f'select string_agg("{column}"::text, chr(10)) from erp."{table}"')).scalar() or ""
            for table, column in conn.execute(columns).all()
        }  # fmt: skip


def history(instance: dg.DagsterInstance) -> str:
    runs = instance.get_runs()
    assert runs
    return "\n".join(f"{run} {run.tags} " + "\n".join(map(repr, instance.all_logs(run.run_id))) for run in runs)


def arrived(columns: dict[str, str]) -> None:
    """Else nothing would be found because there is nothing."""
    for column in ("customers.email", "orders.ship_to", "integration_outbox.payload"):
        assert any(personal in columns[column] for personal in PERSONAL.values()), column
    for column in ("request_payload", "response_payload", "error_message"):
        assert "[personal]" in columns[f"integration_sync_logs.{column}"], column


def test_what_is_planted_is_found_nowhere_else(product, monkeypatch):
    with dg.DagsterInstance.ephemeral() as instance:
        drive(product, instance)
        bug(product, monkeypatch)
        places = {"logs": product.said.getvalue(), "answers": "\n".join(product.answers), "runs": history(instance)}
    columns = stored(product)
    arrived(columns)
    for name, secret in product.secrets().items():
        found = [place for place, text in (places | columns).items() if secret in text]
        assert found == [], name
    for name, personal in {**PERSONAL, "card": CARD}.items():
        found = {place for place, text in (places | columns).items() if personal in text}
        assert found <= BY_DESIGN, name
