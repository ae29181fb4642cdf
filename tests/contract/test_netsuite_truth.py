"""What the NetSuite connector reads: the truth about documents and money, and what changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.connectors.base import Changed, ExternalRef
from tests.contract.netsuite_connection import Connection

D = Decimal
UTC = dt.UTC


@pytest.fixture
def shop() -> Connection:
    return Connection()


def ref(record_type: str, row: Any) -> ExternalRef:
    return ExternalRef(record_type, row["id"])


# --- money ---


def test_payments_of_an_order_through_its_invoice(shop):
    done = shop.push(shop.order())
    order = ExternalRef("salesOrder", done.external_id)
    with shop.twin.person() as person:
        invoice = person.bill(done.external_id)
        payment = person.pay(invoice["id"], 10, checkNumber="77")
    shop.desk.calls.reads = 0
    truth = shop.session.truth([order])
    assert shop.desk.calls.reads == 2
    (state,) = truth.documents
    assert (state.total, state.balance, state.gone) == (D(25), D(15), False)
    (paid,) = truth.payments
    assert (paid.ref, paid.applied, paid.gone, paid.record_id) == (
        ref("customerPayment", payment),
        {order: D(10)},
        False,
        None,
    )
    assert paid.updated_at.utcoffset() == dt.timedelta()


def test_invoices_and_payments_tell_of_their_order(shop):
    done = shop.push(shop.order())
    order = ExternalRef("salesOrder", done.external_id)
    with shop.twin.person() as person:
        invoice = person.bill(done.external_id)
        payment = person.pay(invoice["id"])
    asked = [ref("invoice", invoice), ref("customerPayment", payment)]
    truth = shop.session.truth(asked)
    assert truth.behind == {asked[0]: frozenset({order}), asked[1]: frozenset({order})}
    (state,) = truth.documents
    assert (state.ref, state.balance) == (order, D(0))


def test_payment_of_ours_says_so(shop):
    shop.choose(transformToInvoice="always")
    order = shop.order()
    done = shop.push(order)
    shop.push(shop.payment(done.external_id, order, payment_id="Pay/1"))
    (paid,) = shop.session.truth([ExternalRef("salesOrder", done.external_id)]).payments
    assert paid.record_id == "Pay/1"


def test_partly_billed_order_and_two_payments(shop):
    done = shop.push(shop.order())
    with shop.twin.person() as person:
        first = person.bill(done.external_id, {1: 1})
        person.pay(first["id"], 5)
        person.pay(first["id"])
    state = shop.state(done)
    assert (state.total, state.balance) == (D(25), D("12.50"))


def test_credit_memo_counts_as_what_it_takes_off(shop):
    done = shop.push(shop.order())
    order = ExternalRef("salesOrder", done.external_id)
    with shop.twin.person() as person:
        invoice = person.bill(done.external_id)
        memo = person.credit(invoice["id"])
    truth = shop.session.truth([ref("creditMemo", memo)])
    assert truth.behind == {ref("creditMemo", memo): frozenset({order})}
    assert truth.documents[0].balance == D(0)
    (credit,) = truth.payments
    assert (credit.ref.external_type, credit.method, credit.applied) == ("creditMemo", "Credit memo", {order: D(25)})


@pytest.mark.parametrize("how", ["void", "delete"])
def test_payment_that_is_gone_leaves_the_balance(shop, how):
    done = shop.push(shop.order())
    order = ExternalRef("salesOrder", done.external_id)
    with shop.twin.person() as person:
        invoice = person.bill(done.external_id)
        payment = person.pay(invoice["id"], 10)
        getattr(person, how)("customerPayment", payment["id"])
    truth = shop.session.truth([order, ref("customerPayment", payment)])
    assert truth.documents[0].balance == D(25)
    assert [(one.ref, one.gone) for one in truth.payments] == [(ref("customerPayment", payment), True)]


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_order_given_up_is_gone(shop, how):
    done = shop.push(shop.order())
    with shop.twin.person() as person:
        getattr(person, how)(done.external_id)
    assert shop.state(done).gone


def test_order_closed_after_a_part_was_billed_still_stands(shop):
    done = shop.push(shop.order())
    with shop.twin.person() as person:
        person.bill(done.external_id, {1: 1})
        person.close(done.external_id)
    assert not shop.state(done).gone


def test_voided_invoice_of_a_tenant_without_sales_orders():
    shop = Connection(own={"document": "invoice"})
    done = shop.push(shop.order())
    with shop.twin.person() as person:
        person.void("invoice", done.external_id)
    assert shop.state(done).gone


def test_record_locked_by_a_workflow_is_read_all_the_same(shop):
    done = shop.push(shop.order())
    with shop.twin.person() as person:
        person.lock("salesOrder", done.external_id)
    assert shop.state(done).total == D(25)


def test_ids_that_nobody_has_are_gone(shop):
    asked = [ExternalRef("salesOrder", "no-number"), ExternalRef("salesOrder", "999999")]
    truth = shop.session.truth(asked)
    assert {state.ref.external_id: state.gone for state in truth.documents} == {"999999": True, "no-number": True}


# --- changes ---

ZONE_AUTUMN = dt.datetime(2026, 11, 1, 8, 30, tzinfo=UTC)  # 1:30 in Los Angeles, for the first time that night


class Pull:
    """Pulls as the engine does, and notes what it would take up: each change once by record and stamp."""

    def __init__(self, shop: Connection, stream: str = "transactions") -> None:
        self.shop, self.stream, self.cursor, self.pages = shop, stream, None, 0
        self.taken: dict[tuple[str, str, dt.datetime], Changed] = {}
        self.since = shop.desk.clock.now()

    def run(self) -> set[str]:
        """Ids of what is new by record and stamp."""
        new, more = set(), True
        while more:
            page = self.shop.session.changes(self.stream, self.cursor, self.since)
            self.cursor, more = page.cursor, page.more
            self.pages += 1
            for one in page.changed:
                key = (one.ref.external_type, one.ref.external_id, one.at)
                if key not in self.taken:
                    self.taken[key] = one
                    new.add(one.ref.external_id)
        return new


def make_orders(shop: Connection, count: int) -> list[str]:
    """Orders by hand, all in the same second."""
    if not shop.rows("customer"):
        shop.order()
    customer, item = shop.only("customer")["id"], shop.only("nonInventorySaleItem")["id"]
    body = {"entity": {"id": customer}, "item": {"items": [{"item": {"id": item}, "quantity": 1, "rate": "1", "price": {"id": "-1"}}]}}  # fmt: skip
    with shop.twin.person() as person:
        return [person.create("salesOrder", body)["id"] for _ in range(count)]


def test_two_thousand_rows_of_few_seconds_over_the_end_of_summer_time():
    """Equal stamps at page edges, the doubled hour, rows committed late, pulls in between: none missed, none taken up twice."""
    shop = Connection(at=ZONE_AUTUMN - dt.timedelta(minutes=40))
    pull = Pull(shop)
    shop.twin.configure(commit_delay_seconds=240)
    made: list[str] = []
    for _ in range(8):
        made += make_orders(shop, 250)
        shop.pass_time(minutes=20)
        pull.run()
    shop.pass_time(hours=3)
    pull.run()
    assert len(made) == len(set(made)) == 2000
    found = [one.ref.external_id for one in pull.taken.values()]
    assert set(found) == set(made)
    stamps: dict[str, set[dt.datetime]] = {}
    for one in pull.taken.values():
        stamps.setdefault(one.ref.external_id, set()).add(one.at)
    doubled = {ident for ident, seen in stamps.items() if len(seen) > 1}
    first, second = dt.datetime(2026, 11, 1, 8, tzinfo=UTC), dt.datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert all(first <= at < second for ident in doubled for at in stamps[ident]), (
        "only the doubled hour may come twice"
    )
    assert all(len(seen) <= 2 for seen in stamps.values())


@pytest.mark.parametrize("own", [{}, {"timeZone": None}])
def test_pages_of_one_second_are_read_to_the_end(own):
    shop = Connection(own=own)
    pull = Pull(shop)
    made = make_orders(shop, 2001)
    shop.pass_time(minutes=30)
    assert pull.run() == set(made)
    assert pull.pages == 3


def test_second_of_the_doubled_hours_is_read_after_a_long_silence():
    shop = Connection(at=ZONE_AUTUMN + dt.timedelta(minutes=20))  # 1:50, for the first time
    pull = Pull(shop)
    before = make_orders(shop, 2)
    shop.pass_time(minutes=5)
    assert pull.run() == set(before)
    shop.pass_time(minutes=15)  # 1:10, for the second time
    after = make_orders(shop, 2)
    shop.pass_time(hours=8)
    assert set(after) <= pull.run()


def test_row_committed_long_after_its_stamp_is_found(shop):
    shop.twin.configure(commit_delay_seconds=890)
    pull = Pull(shop)
    late = make_orders(shop, 1)
    for _ in range(4):
        shop.pass_time(seconds=220)
        assert pull.run() == set()
    shop.pass_time(seconds=220)
    assert pull.run() == set(late)


def test_record_changed_in_both_of_the_doubled_seconds_is_found_both_times():
    shop = Connection(at=ZONE_AUTUMN)
    pull = Pull(shop)
    (order,) = make_orders(shop, 1)
    shop.pass_time(minutes=10)
    assert pull.run() == {order}
    shop.pass_time(minutes=50)
    with shop.twin.person() as person:
        person.edit("salesOrder", order, {"memo": "again"})
    shop.pass_time(minutes=30)
    assert pull.run() == {order}
    assert sorted(at for _, _, at in pull.taken) == [ZONE_AUTUMN, ZONE_AUTUMN + dt.timedelta(hours=1)]


def test_nothing_is_missed_while_the_zone_is_only_supposed():
    shop = Connection({"zone": "America/New_York"}, {"timeZone": None}, at=ZONE_AUTUMN - dt.timedelta(hours=4))
    pull = Pull(shop)
    made: list[str] = []
    for _ in range(10):
        made += make_orders(shop, 3)
        shop.pass_time(minutes=37)
        pull.run()
    shop.pass_time(hours=2)
    pull.run()
    assert {ident for _, ident, _ in pull.taken} == set(made)


def test_quiet_account_costs_one_query_that_brings_nothing(shop):
    pull = Pull(shop)
    make_orders(shop, 3)
    shop.pass_time(hours=1)
    assert len(pull.run()) == 3
    shop.pass_time(hours=1)
    shop.desk.calls.reads = 0
    page = shop.session.changes("transactions", pull.cursor, pull.since)
    assert (page.changed, page.more, shop.desk.calls.reads) == ((), False, 1)


def test_pull_that_was_broken_off_goes_on_where_it_was(shop):
    made = make_orders(shop, 1500)
    since = shop.desk.clock.now()
    shop.pass_time(minutes=30)
    first = shop.session.changes("transactions", None, since)
    assert (len(first.changed), first.more) == (1000, True)
    shop.pass_time(hours=5)
    second = shop.session.changes("transactions", first.cursor, since)
    assert (len(second.changed), second.more) == (500, False)
    assert {one.ref.external_id for one in (*first.changed, *second.changed)} == set(made)


def test_customers_and_deletions(shop):
    customers, deletions = Pull(shop, "customers"), Pull(shop, "deleted")
    done = shop.push(shop.order())
    shop.pass_time(minutes=30)
    assert customers.run() == {shop.only("customer")["id"]}
    assert deletions.run() == set()
    with shop.twin.person() as person:
        person.delete("salesOrder", done.external_id)
    shop.pass_time(minutes=30)
    assert deletions.run() == {done.external_id}
    (change,) = deletions.taken.values()
    assert (change.ref, change.deleted) == (ExternalRef("salesOrder", done.external_id), True)
