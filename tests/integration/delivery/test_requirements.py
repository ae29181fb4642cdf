"""What an event waits for, and how a person is told what is missing."""

from __future__ import annotations

import pytest

from erp_pipelines.connectors.base import Ref
from erp_pipelines.delivery import worker
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.storage import outbox, questions
from tests.support.toy import KEY, ToySession

TOLD = "entity_type, status, cause, requirement, last_error, mend"


def refusing(entity_type):
    def refuse(write):
        if write.ref.entity_type == entity_type:
            raise Rejected("The name is taken.", cause="name-taken", mend="Rename it.")

    return refuse


def emit(database, entity_type, entity_id, payload):
    with database.tenant(KEY.tenant_id) as conn:
        outbox.emit(conn, KEY.tenant_id, "Changed", entity_type, entity_id, payload)


def last(shop):
    return shop.deliveries(TOLD)[-1]


def test_a_payment_waits_for_its_order(runtime, shop, erp):
    erp.always = refusing("Order")
    shop.paid_order()
    worker.serve(runtime, KEY)
    assert last(shop) == (
        "Payment", "Abandoned", "requirement-missing", "mapping:Order:o1", "Order o1 is not in the ERP yet.",
        "Bring order o1 there first; this follows by itself.",
    )  # fmt: skip


def test_an_order_waits_for_its_customer_and_says_what_stops_that_one(runtime, shop, erp):
    erp.always = refusing("Customer")
    shop.paid_order()
    worker.serve(runtime, KEY)
    [*_, order, _] = shop.deliveries(TOLD)
    assert order == (
        "Order", "Abandoned", "requirement-missing", "mapping:Customer:c1",
        "Customer c1, which it needs, could not be brought there: The name is taken.", "Rename it.",
    )  # fmt: skip


def test_a_record_that_is_not_here_is_named_with_what_would_bring_it(database, runtime, shop):
    shop.paid_order()
    payload = shop.rows("select payload from erp.integration_outbox where entity_type = 'Order' order by seq desc")[0][
        0
    ]
    emit(database, "Order", "o9", {**payload, "id": "o9", "number": "o9", "customerId": "c9"})
    worker.serve(runtime, KEY)
    assert last(shop) == (
        "Order", "Abandoned", "requirement-missing", "mapping:Customer:c9",
        "Customer c9, which it needs, could not be brought there: There is no customer c9.",
        "Save it, or emit an event for Customer c9.",
    )  # fmt: skip


def test_a_record_that_a_person_was_asked_about_waits_for_the_answer(database, runtime, shop, erp, clock):
    with database.tenant(KEY.tenant_id) as conn:
        questions.ask(conn, KEY, "Customer", "c1", "One", [], now=clock.now())
    shop.customer("c1")
    shop.customer("c2")
    worker.serve(runtime, KEY)
    first, second = shop.deliveries(TOLD)
    assert first == (
        "Customer", "Abandoned", "requirement-missing", "match:Customer:c1",
        "Customer c1 looks like a record that stands in the ERP already.",
        "Decide under Matching which one it is, or that it is none of them; it goes on by itself.",
    )  # fmt: skip
    assert second[:2] == ("Customer", "Completed")
    assert erp.of("Customer") == ["c2"]


@pytest.mark.timeout(20)
def test_records_that_require_each_other_in_a_circle_are_a_persons_job(runtime, shop, erp, monkeypatch):
    def requirements(_, record):
        return (Ref("Product", "p1") if isinstance(record, Customer) else Ref("Customer", "c1"),)

    monkeypatch.setattr(ToySession, "requirements", requirements)
    shop.customer()
    shop.product()
    worker.serve(runtime, KEY)
    assert shop.deliveries("entity_id, status, last_error") == [
        (
            one,
            "Abandoned",
            f"{named}, which it needs, could not be brought there: The records require each other in a circle.",
        )
        for one, named in (("c1", "Customer c1"), ("p1", "Product p1"))
    ]
    assert erp.arrived == []
