"""A payment recorded in QuickBooks comes back to the shop: through the twin's signed webhooks, the app and the engine."""

from __future__ import annotations

import json
import random
from decimal import Decimal

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, products
from erp_pipelines.delivery import worker
from erp_pipelines.security.signatures import hmac_sha256_base64
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import KEY
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app

PATH = "/api/integrations/quickbooks/webhook"


class Shop:
    """The tenant's side of the story: one order of 25.00 that stands open as an invoice."""

    def __init__(self, stage) -> None:
        self.stage = stage
        self.runtime = stage.runtime()
        self.web = TestClient(create_app(self.runtime, AuthConfig(secret=stage.jwt_secret)))
        connections.change_settings(self.runtime, KEY, {"documentsWhen": "confirmed"}, "admin")
        with self.runtime.db.tenant("acme") as conn:
            customers.save(conn, "acme", make_customer())
            products.save(conn, "acme", make_product())
            orders.save(conn, "acme", make_order())
        self.work()
        self.fetch()
        stage.twin.calls.clear()

    def work(self):
        return worker.serve(self.runtime, KEY)

    def fetch(self):
        """The deliveries that the twin would send now, taken from it."""
        found = self.stage.twin.due_webhooks(flush=True)
        for delivery in found:
            self.stage.twin.settle_webhook(delivery)
        return found

    def post(self, delivery):
        return self.web.post(PATH, content=delivery.body, headers=dict(delivery.headers))

    def rows(self, statement):
        with self.runtime.db.tenant("acme") as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement))]

    def status(self):
        return self.rows("select payment_status from erp.orders")[0][0]

    def paid(self):
        return self.rows("select amount, source from erp.payments order by amount")


@pytest.fixture
def shop(stage):
    made = Shop(stage)
    yield made
    made.web.close()
    made.runtime.db.dispose()


def pay(shop, amount=None):
    with shop.stage.twin.person() as person:
        person.pay(doc_number="o1", amount=amount)


def test_a_payment_told_of_five_times_in_both_formats_and_shuffled_is_applied_once(shop):
    pay(shop)
    cloud = shop.fetch()
    shop.stage.twin.configure(webhook_format="legacy")
    with shop.stage.twin.person() as person:
        payment = shop.stage.twin.company().payments[0]
        person.edit("Payment", payment["Id"], {"PaymentRefNum": "transfer-77"})
    told = (cloud + shop.fetch()) * 5
    random.Random(5).shuffle(told)

    assert {shop.post(delivery).status_code for delivery in told} == {200}
    before = shop.rows("select status, count(*) from erp.integration_inbox where status = 'Pending' group by 1")
    assert shop.status() == "unpaid"
    shop.work()

    assert before[0][1] < len(told)
    assert shop.status() == "paid"
    assert shop.paid() == [(Decimal("25.00"), "quickbooks")]
    assert [call.kind for call in shop.stage.twin.calls.since() if call.kind == "write"] == []
    assert shop.rows(
        "select count(*) from erp.integration_outbox where event_type in ('OrderPaid', 'PaymentRecorded')"
    ) == [(0,)]
    for delivery in told:
        shop.post(delivery)
    shop.stage.twin.calls.clear()
    assert shop.work().handled == 0
    assert shop.stage.twin.calls.since() == []


@pytest.mark.parametrize("chosen", ["cloudevents", "legacy"])
def test_either_format_alone_is_enough(shop, chosen):
    shop.stage.twin.configure(webhook_format=chosen)
    pay(shop)
    for delivery in shop.fetch():
        shop.post(delivery)
    shop.work()
    assert shop.status() == "paid"


def test_a_part_makes_it_partially_paid_and_the_rest_paid(shop):
    pay(shop, amount="10.00")
    for delivery in shop.fetch():
        shop.post(delivery)
    shop.work()
    assert (shop.status(), shop.paid()) == ("partiallyPaid", [(Decimal("10.00"), "quickbooks")])
    pay(shop)
    for delivery in shop.fetch():
        shop.post(delivery)
    shop.work()
    assert (shop.status(), shop.paid()) == (
        "paid",
        [(Decimal("10.00"), "quickbooks"), (Decimal("15.00"), "quickbooks")],
    )


def test_a_payment_voided_there_reopens_the_order(shop):
    pay(shop)
    for delivery in shop.fetch():
        shop.post(delivery)
    shop.work()
    with shop.stage.twin.person() as person:
        person.void("Payment", shop.stage.twin.company().payments[0]["Id"])
    for delivery in shop.fetch():
        shop.post(delivery)
    shop.work()
    assert (shop.status(), shop.paid()) == ("unpaid", [])


def test_a_forged_delivery_is_refused_and_nothing_is_stored(shop):
    pay(shop)
    [delivery] = shop.fetch()
    stored = shop.rows("select count(*) from erp.integration_inbox")
    headers = dict(delivery.headers)
    name = next(header for header in headers if header.lower() == "intuit-signature")
    other = delivery.body.replace(b"Payment", b"Invoice").replace(b"payment", b"invoice")
    answers = [
        shop.web.post(PATH, content=delivery.body, headers=headers | {name: "Zm9yZ2Vk"}),
        shop.web.post(
            PATH, content=delivery.body, headers={key: value for key, value in headers.items() if key != name}
        ),
        shop.web.post(PATH, content=other, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert shop.rows("select count(*) from erp.integration_inbox") == stored
    shop.work()
    assert shop.status() == "unpaid"


def test_a_delivery_for_a_company_that_nobody_connected_is_acknowledged_and_not_stored(shop):
    stored = shop.rows("select count(*) from erp.integration_inbox")
    entity = {"name": "Invoice", "id": "1", "operation": "Update", "lastUpdated": "2026-03-01T10:00:00.000Z"}
    notification = {"realmId": "9999", "dataChangeEvent": {"entities": [entity]}}
    body = json.dumps({"eventNotifications": [notification]}).encode()
    signature = hmac_sha256_base64("acceptance-verifier", body)
    assert shop.web.post(PATH, content=body, headers={"intuit-signature": signature}).status_code == 200
    assert shop.rows("select count(*) from erp.integration_inbox") == stored


def test_the_echo_of_our_own_write_costs_no_read(shop):
    with shop.runtime.db.tenant("acme") as conn:
        orders.save(conn, "acme", make_order("o2"))
    shop.work()
    shop.stage.twin.calls.clear()
    for delivery in shop.fetch():
        shop.post(delivery)
    report = shop.work()
    assert report.counts["Notices"] > 0
    assert shop.stage.twin.calls.since() == []
    assert set(shop.rows("select distinct status from erp.integration_inbox")) == {("Skipped",)}
