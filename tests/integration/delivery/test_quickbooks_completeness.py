"""Bookkeepers at work while webhooks get lost, doubled, shuffled and late: after one pull our state is the ERP's."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.delivery import pull
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from erp_twins.quickbooks.faults import QboFault
from tests.support.books import KEY, Shop
from tests.support.doorbell import ring

CUSTOMERS, PRODUCTS, ORDERS, DEEDS = 10, 5, 16, 60
LOST, DOUBLED, LATE = 0.2, 0.3, 0.1
TAKEN = {"email", "phone"}  # what follows the ERP; the other fields are shown as drift


class Office:
    """People in QuickBooks, and what the network makes of the notices about what they do."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.rng, self.late, self.done = shop, random.Random(seed), [], []
        shop.settings(documentsWhen="confirmed", customerFieldsFromErp=sorted(TAKEN))
        for number in range(CUSTOMERS):
            shop.customer(f"c{number}", email=f"c{number}@shop.example")
        for number in range(PRODUCTS):
            shop.product(f"p{number}")
        shop.product("p1")
        for number in range(ORDERS):
            shop.order(f"o{number}", paid=False, customer_id=f"c{number % CUSTOMERS}")
        shop.serve()
        self.collect()

    def collect(self) -> list[Any]:
        told = self.shop.twin.pending_webhooks()
        for delivery in told:
            self.shop.twin.settle_webhook(delivery)
        return told

    def pass_time(self, seconds: float) -> None:
        self.shop.clock.advance(seconds)
        self.shop.twin.clock.set(self.shop.clock.moment)

    def work(self) -> None:
        for _ in range(DEEDS):
            self.pass_time(self.rng.uniform(1, 900))
            deed = self.rng.choice([self.edit, self.edit, self.price, self.pay, self.pay, self.unpay, self.void,
                                    self.delete, self.switch_off, self.merge, self.amounts])  # fmt: skip
            if not self.shop.company.invoices or not any(row["Active"] for row in self.shop.company.customers):
                return  # nothing is left to do anything to
            try:
                deed()
                self.done.append(deed.__name__)
            except QboFault:  # the books forbid it: a paid invoice is not deleted
                self.done.append("refused")
            self.deliver(self.collect())
            if self.rng.random() < 0.3:
                self.shop.serve()

    def deliver(self, told: list[Any]) -> None:
        for delivery in told:
            chance = self.rng.random()
            if chance < LOST:
                continue
            if chance < LOST + LATE:
                self.late.append(delivery)
                continue
            copies = 2 if self.rng.random() < DOUBLED else 1
            self.late += [delivery] * (copies - 1)
            self.post(delivery)

    def post(self, delivery: Any) -> None:
        headers = {name.lower(): value for name, value in dict(delivery.headers).items()}
        ring(self.shop.runtime, "quickbooks", headers, delivery.body)

    def one(self, entity: str) -> Any:
        rows = [row for row in self.shop.company.rows(entity) if row.get("Active", True)]
        return self.rng.choice(rows) if rows else None

    def person(self) -> Any:
        return self.shop.twin.person()

    def edit(self) -> None:
        number = self.rng.randrange(1000)
        change = self.rng.choice([
            {"PrimaryPhone": {"FreeFormNumber": f"555-{number}"}}, {"PrimaryEmailAddr": {"Address": f"n{number}@books.example"}},
            {"DisplayName": f"Renamed {number}"}, {"BillAddr": {"Line1": f"{number} Quay", "City": "Hull"}},
        ])  # fmt: skip
        with self.person() as person:
            person.edit("Customer", self.one("Customer")["Id"], change)

    def price(self) -> None:
        with self.person() as person:
            person.edit("Item", self.one("Item")["Id"], {"UnitPrice": Decimal(self.rng.randrange(1, 99))})

    def pay(self) -> None:
        invoice = self.one("Invoice")
        amount = Decimal("5.00") if self.rng.random() < 0.5 else None
        if invoice and invoice["Balance"] > 5:
            with self.person() as person:
                person.pay(invoice_id=invoice["Id"], amount=amount, method="Cash")

    def unpay(self) -> None:
        payment = self.one("Payment")
        if payment:
            with self.person() as person:
                (person.delete if self.rng.random() < 0.5 else person.void)("Payment", payment["Id"])

    def void(self) -> None:
        with self.person() as person:
            person.void("Invoice", self.one("Invoice")["Id"])

    def delete(self) -> None:
        with self.person() as person:
            person.delete("Invoice", self.one("Invoice")["Id"])

    def amounts(self) -> None:
        invoice = self.one("Invoice")
        line = {"Amount": Decimal("40.00"), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {
            "ItemRef": {"value": self.one("Item")["Id"]}, "TaxCodeRef": {"value": "NON"}}}  # fmt: skip
        with self.person() as person:
            person.edit("Invoice", invoice["Id"], {"Line": [line]})

    def switch_off(self) -> None:
        with self.person() as person:
            person.deactivate("Customer", self.one("Customer")["Id"])

    def merge(self) -> None:
        """One of ours into a record of the bookkeeper's own, or into another of ours."""
        loser = self.one("Customer")
        with self.person() as person:
            winner = self.one("Customer")["Id"]
            if self.rng.random() < 0.6:
                fresh = {"DisplayName": f"Own {self.rng.randrange(10_000)}"}
                with self.shop.company.acting("person"):
                    winner = operations.create(self.shop.company, SCHEMAS["Customer"], fresh)["Id"]
            if winner != loser["Id"]:
                person.merge("Customer", winner, loser["Id"])


def differences(shop: Shop) -> list[Any]:
    """Where what we say of the ERP is not what stands there; the twin's own documents are the oracle."""
    drift: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, record, field, theirs in shop.rows(
        "select entity_type, entity_id, field, theirs from erp.integration_drifts"
    ):
        drift.setdefault((kind, record), {})[field] = theirs
    found: list[Any] = []
    for kind, record, external_id, balance in shop.rows(
        "select entity_type, prometheus_id, external_id, balance from erp.integration_entity_mappings"
    ):
        told = drift.pop((kind, record), {})
        ours, theirs = {
            "Customer": customer_differences, "Product": product_differences, "Order": order_differences,
        }[kind](shop, record, external_id, balance, told)  # fmt: skip
        found += [(kind, record, name, ours[name], theirs.get(name)) for name in ours if ours[name] != theirs.get(name)]
    return [*found, *(("drift of nothing", *key) for key in drift)]


def customer_differences(shop: Shop, record: str, external_id: str, _: Any, told: dict[str, Any]) -> Any:
    """What we would answer of the customer there (our record, or where it drifts, the drift), and what stands there."""
    doc = shop.company.get("Customer", external_id)
    if doc is None:
        return {"gone": told.get("gone", False)}, {"gone": True}
    [row] = shop.rows("select name, email, phone, active, billing_address from erp.customers where id = :id", id=record)
    ours = dict(zip(("name", "email", "phone", "active", "billingAddress"), row, strict=True)) | told
    address = doc.get("BillAddr")
    theirs = {
        "name": doc["DisplayName"].partition(" (deleted)")[0], "active": doc["Active"],
        "email": (doc.get("PrimaryEmailAddr") or {}).get("Address"),
        "phone": (doc.get("PrimaryPhone") or {}).get("FreeFormNumber"),
        "billingAddress": {"line1": address["Line1"], "city": address["City"]} if address else None,
        "gone": False, "taxExempt": False,
    }  # fmt: skip
    assert not TAKEN & told.keys(), "what follows the ERP does not drift"
    return ours, theirs


def product_differences(shop: Shop, record: str, external_id: str, _: Any, told: dict[str, Any]) -> Any:
    [(price,)] = shop.rows("select unit_price from erp.products where id = :id", id=record)
    doc = shop.company.get("Item", external_id)
    return {"unitPrice": Decimal(told.get("unitPrice", price))}, {"unitPrice": Decimal(doc["UnitPrice"])}


def order_differences(shop: Shop, record: str, external_id: str, balance: Decimal, told: dict[str, Any]) -> Any:
    doc = shop.company.get("Invoice", external_id)
    if doc is None or (doc.get("PrivateNote", "").startswith("Voided") and not doc["TotalAmt"]):
        return {"gone": told.get("gone", False)}, {"gone": True}
    [(status, total)] = shop.rows("select payment_status, total from erp.orders where id = :id", id=record)
    paid = shop.rows("select coalesce(sum(amount), 0) from erp.payments where order_id = :id", id=record)[0][0]
    received = doc["TotalAmt"] - doc["Balance"]
    wanted = "paid" if not doc["Balance"] else "partiallyPaid" if received else "unpaid"
    ours = {
        "balance": balance,
        "status": status,
        "paid": paid,
        "total": Decimal(told.get("total", total)),
        "gone": "gone" in told,
    }
    return ours, {
        "balance": doc["Balance"], "status": wanted, "paid": received, "total": doc["TotalAmt"], "gone": False,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_after_one_pull_our_state_is_the_erps_whatever_became_of_the_notices(database, clock, seed):
    shop = Shop(database, clock)
    office = Office(shop, seed)
    events = shop.rows("select count(*) from erp.integration_outbox")
    office.work()
    before = differences(shop)
    office.pass_time(600)
    report = pull.pull(shop.runtime, KEY)
    assert (report.parked, report.failures) == (None, ())
    assert differences(shop) == []
    assert before, "the notices alone were not enough"
    assert {"edit", "merge", "void", "pay", "unpay"} <= set(office.done)
    # Two days later the held notices arrive, in any order; they change nothing, and nothing was told back.
    office.pass_time(48 * 3600)
    office.rng.shuffle(office.late)
    for delivery in office.late:
        office.post(delivery)
    shop.serve()
    assert differences(shop) == []
    assert shop.rows("select count(*) from erp.integration_outbox") == events
    assert [row for row in shop.twin.calls.since() if row.kind == "write" and row.operation == "update"] == []
