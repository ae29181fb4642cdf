"""A company that has kept its books for years is connected: nothing that stands there is made a second time."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from erp_pipelines.connectors.base import Ref
from erp_pipelines.delivery import matching
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.support.books import KEY, Shop

WORDS = "Amber Birch Cedar Delta Ember Fjord Grove Haven Ivory Jade".split()
TRADES = "Bakery Brewery Butchers Dairy Florist Grocers Kitchen Market Roasters Tavern".split()


@pytest.fixture
def shop(database, clock):
    made = Shop(database, clock)
    made.settings(documentsWhen="confirmed")
    return made


def stands(shop, name, entity="Customer", **fields):
    key = "Name" if entity == "Item" else "DisplayName"
    income = (
        {"IncomeAccountRef": {"value": shop.company.account("Sales of Product Income")}} if entity == "Item" else {}
    )
    with shop.twin.lock:
        return operations.create(shop.company, SCHEMAS[entity], {key: name, **income, **fields})["Id"]


def asked(shop):
    return shop.rows(
        "select entity_type, entity_id, candidates from erp.integration_match_questions where decided_at is null order by 1, 2"
    )


def bound(shop):
    return dict(shop.rows("select prometheus_id, external_id from erp.integration_entity_mappings order by 1"))


def states(shop, kind):
    return dict(
        shop.rows(
            "select entity_id, coalesce(outcome, cause) from erp.integration_deliveries where entity_type = :kind",
            kind=kind,
        )
    )


def decide(shop, entity_id, external_id, kind="Customer"):
    return matching.decide(shop.runtime, KEY, Ref(kind, entity_id), external_id, "ann")


def test_three_hundred_customers_sixty_of_them_misspelt_or_shared_with_vendors(shop):
    """200 as in the shop, 40 misspelt, 20 with a word more since a vendor has the name; 40 only the shop knows."""
    older = [f"{word} {other} {trade}" for word in WORDS for other in WORDS for trade in TRADES if word < other]
    names = [*older[:260], *(f"Zephyr Outpost {number}" for number in range(40))]
    truth: dict[str, str] = {}
    for number, name in enumerate(names):
        shop.customer(f"c{number}", name=name)
        if number < 200:
            truth[f"c{number}"] = stands(shop, name.upper() if number % 2 else name)
        elif number < 240:
            truth[f"c{number}"] = stands(shop, name[:7] + name[8:])
        elif number < 260:
            stands(shop, name, "Vendor")
            truth[f"c{number}"] = stands(shop, f"{name} (Customer)")
    reads = shop.twin.throttle.core_plus.total()
    found = matching.run(shop.runtime, KEY)
    assert {kind: asdict(counts) for kind, counts in found.items()} == {
        "Customer": {"bound": 200, "asked": 60, "new": 40},
        "Product": {"bound": 0, "asked": 0, "new": 0},
    }
    assert shop.twin.throttle.core_plus.total() - reads <= 4
    assert bound(shop) == {name: ident for name, ident in truth.items() if int(name[1:]) < 200}
    shop.serve()
    assert len(shop.company.customers) == 260 + 40, "the questions wait, what is new is made"
    for _, entity_id, candidates in asked(shop):
        assert truth[entity_id] == candidates[0]["id"], "the likest is the right one"
        decide(shop, entity_id, candidates[0]["id"])
    shop.serve()
    assert {name: ident for name, ident in bound(shop).items() if name in truth} == truth
    assert len(shop.company.customers) == 300
    assert shop.twin.ledger().doubles("Customer") == []
    writes = [call for call in shop.twin.calls.since() if call.kind == "write"]
    assert len(writes) <= 2, "the forty new ones, in batches; a match is no write"


def test_what_is_bound_without_a_write_shows_where_it_differs_and_is_left_as_it_is(shop):
    shop.customer(phone="555-1")
    shop.product(sku="S-1")
    customer = stands(shop, "CUSTOMER C1", PrimaryPhone={"FreeFormNumber": "555-2"})
    item = stands(shop, "Something else", "Item", Sku="S-1", UnitPrice=3)
    matching.run(shop.runtime, KEY)
    assert bound(shop) == {"c1": customer, "p1": item}
    shop.order(paid=False)
    assert shop.serve().counts == {"Unchanged": 2, "Created": 1}
    assert shop.company.get("Customer", customer)["PrimaryPhone"] == {"FreeFormNumber": "555-2"}
    drift = shop.rows("select entity_type, field, ours, theirs from erp.integration_drifts order by 1, 2")
    assert ("Customer", "phone", "555-1", "555-2") in drift
    assert ("Product", "unitPrice", "12.5", "3") in drift


def test_an_order_waits_for_the_answer_about_its_customer_and_goes_on_by_itself(shop):
    right = stands(shop, "Customer c1 Ltd")
    shop.customer()
    shop.product()
    matching.run(shop.runtime, KEY)
    shop.order(paid=False)
    shop.serve()
    assert states(shop, "Customer") == {"c1": "requirement-missing"}
    assert states(shop, "Order") == {"o1": "requirement-missing"}
    assert (len(shop.company.customers), shop.company.invoices) == (1, [])
    decide(shop, "c1", right)
    shop.serve()
    assert states(shop, "Order") == {"o1": "Created"}
    assert shop.company.invoices[0]["CustomerRef"]["value"] == right
    assert len(shop.company.customers) == 1


def test_a_person_may_say_that_it_is_none_of_them(shop):
    stands(shop, "Customer c1 Ltd")
    shop.customer()
    matching.run(shop.runtime, KEY)
    decided = decide(shop, "c1", None)
    assert (decided.external_id, decided.decided_by) == (None, "ann")
    shop.serve()
    assert [row["DisplayName"] for row in shop.company.customers] == ["Customer c1 Ltd", "Customer c1"]
    matching.run(shop.runtime, KEY)
    assert asked(shop) == []


def test_answers_that_cannot_be(shop):
    first, second = stands(shop, "Customer c1 Ltd"), stands(shop, "Another one")
    shop.customer()
    shop.customer("c2", name="Customer c1 GmbH")
    matching.run(shop.runtime, KEY)
    with pytest.raises(NotFound):
        decide(shop, "c9", first)
    with pytest.raises(RecordInvalid):
        decide(shop, "c1", second)
    decide(shop, "c1", first)
    with pytest.raises(Conflict):
        decide(shop, "c1", first)
    with pytest.raises(Conflict, match="stands for another"):
        decide(shop, "c2", first)


def test_a_question_that_has_become_none_is_withdrawn(shop):
    ident = stands(shop, "Customer c1 Ltd")
    shop.customer()
    matching.run(shop.runtime, KEY)
    shop.serve()
    with shop.twin.person() as person:
        person.edit("Customer", ident, {"DisplayName": "Elsewhere"})
    assert asdict(matching.run(shop.runtime, KEY)["Customer"]) == {"bound": 0, "asked": 0, "new": 1}
    shop.serve()
    assert states(shop, "Customer") == {"c1": "Created"}


def test_it_gives_way_to_a_worker(shop, database):
    with database.worker(f"erp:connection:{KEY}"), pytest.raises(Conflict, match="A worker serves it"):
        matching.run(shop.runtime, KEY)
