from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import customers, products, tenants
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import Address
from erp_pipelines.storage.engine import Database
from tests.integration.commerce.shop import Shop

FULL = Customer(
    id="C9",
    name="Nine",
    email="nine@example.com",
    billing_address=Address(name="Nine", line1="1 Main St", postal_code="05021", country="US"),
    shipping_address=Address(city="Ghent"),
    currency="EUR",
    terms="Net 30",
    tax_exempt=True,
    active=False,
    notes="",
)


def test_a_new_customer_is_stored_and_told(acme: Shop) -> None:
    with acme.db.tenant("acme") as conn:
        saved = customers.save(conn, "acme", FULL)
    assert (saved.changed, saved.created) == (True, True)
    [event] = acme.outbox()
    assert str(event["id"]) == saved.event_id
    assert (event["event_type"], event["entity_type"], event["payload"]) == (
        "CustomerCreated",
        "Customer",
        FULL.payload(),
    )
    with acme.db.tenant("acme") as conn:
        assert customers.get(conn, "acme", "C9") == FULL


def test_a_save_that_changes_nothing_writes_and_tells_nothing(shop: Shop) -> None:
    with shop.db.tenant("acme") as conn:
        stamp = conn.execute(sa.text("select xmin::text from erp.customers where id = 'C1'")).scalar_one()
        assert not customers.save(conn, "acme", Customer(id="C1", name="Corner Shop")).changed
        saved = products.save(conn, "acme", Product(id="P1", name="Tea", unit_price="10"))
        assert (saved.changed, saved.created, saved.event_id) == (False, False, None)
        assert conn.execute(sa.text("select xmin::text from erp.customers where id = 'C1'")).scalar_one() == stamp
    assert shop.events() == []


def test_a_change_is_told_as_an_update(shop: Shop) -> None:
    with shop.db.tenant("acme") as conn:
        saved = customers.save(conn, "acme", Customer(id="C1", name="Corner Shop Ltd"))
        products.save(conn, "acme", Product(id="P1", name="Tea", unit_price="11.125"))
    assert (saved.changed, saved.created) == (True, False)
    assert shop.events() == [("CustomerUpdated", "C1"), ("ProductUpdated", "P1")]
    assert shop.outbox()[1]["payload"]["unitPrice"] == "11.125"


def test_the_payload_is_the_same_before_storing_and_after_reading(acme: Shop) -> None:
    with acme.db.tenant("acme") as conn:
        for number, price in enumerate(["1E+3", "7", "0.10", "0.12345", "-0.00", "19.9000"]):
            products.save(conn, "acme", Product(id=f"P{number}", name="x", unit_price=price))
            emitted = acme.outbox
            assert products.get(conn, "acme", f"P{number}").payload()["unitPrice"] == {
                "1E+3": "1000.00", "7": "7.00", "-0.00": "0.00", "19.9000": "19.90",
            }.get(price, price)  # fmt: skip
    with acme.db.tenant("acme") as conn:
        for event in emitted():
            assert event["payload"] == products.get(conn, "acme", event["entity_id"]).payload()


def test_what_is_rolled_back_was_never_told(acme: Shop) -> None:
    with acme.db.tenant("acme") as conn:
        customers.save(conn, "acme", FULL)
        conn.get_transaction().rollback()
    assert acme.events() == []
    with acme.db.tenant("acme") as conn, pytest.raises(NotFound, match="no customer 'C9'"):
        customers.get(conn, "acme", "C9")


def test_an_unknown_tenant_is_named_with_the_mend(database: Database) -> None:
    with database.tenant("nobody") as conn, pytest.raises(NotFound) as error:
        customers.save(conn, "nobody", FULL)
    assert str(error.value) == "There is no tenant 'nobody'. Make it with: erp tenants add nobody --name NAME"


def test_one_tenants_records_are_not_anothers(shop: Shop) -> None:
    with shop.db.tenant("other") as conn:
        tenants.add(conn, "other", "Other")
        with pytest.raises(NotFound):
            customers.get(conn, "other", "C1")
        assert customers.save(conn, "other", Customer(id="C1", name="Somebody else")).created
        with pytest.raises(NotFound):
            customers.get(conn, "acme", "C1")  # row-level security, whatever the argument says
    with shop.db.tenant("acme") as conn:
        assert customers.get(conn, "acme", "C1").name == "Corner Shop"


def test_what_no_column_can_hold_is_refused_by_name(acme: Shop) -> None:
    with acme.db.tenant("acme") as conn:
        with pytest.raises(RecordInvalid, match="Customer 'C1' contains a zero byte"):
            customers.save(conn, "acme", Customer(id="C1", name="a\0b"))
        backslash = Customer(id="C2", name="a\\u0000b")  # six characters, no zero byte
        assert customers.save(conn, "acme", backslash).changed
        assert customers.get(conn, "acme", "C2") == backslash


def test_concurrent_saves_of_one_customer_are_told_in_the_order_of_their_commits(shop: Shop) -> None:
    first_holds, commits = threading.Event(), []

    def save(name: str, wait: float) -> None:
        with shop.db.tenant("acme") as conn:
            customers.save(conn, "acme", Customer(id="C1", name=name))
            first_holds.set()
            threading.Event().wait(wait)
            commits.append(name)  # still under the lock

    with ThreadPoolExecutor(9) as pool:
        futures = [pool.submit(save, "slow", 0.3)]
        first_holds.wait(10)
        futures += [pool.submit(save, f"quick {n}", 0) for n in range(8)]
        for future in futures:
            future.result(30)
    told = [event["payload"]["name"] for event in shop.outbox()]
    assert told == commits
    assert told[0] == "slow"
    with shop.db.tenant("acme") as conn:
        assert customers.get(conn, "acme", "C1").name == told[-1]


def test_two_that_create_one_customer_at_once_make_one(acme: Shop) -> None:
    def save(_: int) -> bool:
        with acme.db.tenant("acme") as conn:
            return customers.save(conn, "acme", FULL).created

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(save, range(6))) == [False] * 5 + [True]
    assert acme.events() == [("CustomerCreated", "C9")]


def test_tenants_are_made_once(database: Database) -> None:
    with database.tenant("acme") as conn:
        assert tenants.add(conn, "acme", "Acme")
        assert not tenants.add(conn, "acme", " Acme ")
        with pytest.raises(Conflict, match="There is a tenant 'acme' already: 'Acme'"):
            tenants.add(conn, "acme", "Another")
        with pytest.raises(RecordInvalid, match="'A B' is no tenant id"):
            tenants.add(conn, "A B", "x")
        with pytest.raises(RecordInvalid, match="has no name"):
            tenants.add(conn, "acme2", " ")
