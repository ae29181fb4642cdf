"""What is peculiar to QuickBooks, against its twin without sockets."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from erp_pipelines.connectors.base import ConnectionFacts, ExternalRef, Known, Ref
from erp_pipelines.connectors.http import MockTransport
from erp_pipelines.connectors.registry import connectors
from erp_pipelines.domain import errors
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.orders import OrderLine, Shipping
from erp_pipelines.domain.outcomes import Outcome
from tests.contract.connector_suite import CUSTOMER, ORDER, PRODUCT, known, write
from tests.contract.quickbooks_shop import Shop
from tests.contract.twin_support import REALM, REDIRECT
from tests.support.factories import make_customer, make_order, make_product


@pytest.fixture
def shop() -> Shop:
    return Shop()


# --- names ---


def test_create_needs_no_read(shop):
    shop.desk.calls.reads = 0
    shop.customer()
    assert (shop.desk.calls.reads, shop.desk.calls.writes) == (0, 1)
    assert shop.sent()[-1].requestid


def test_name_of_a_vendor_gets_a_suffix(shop):
    shop.books.post("vendor", {"DisplayName": "Customer c1"})
    done = shop.customer()
    assert (done.outcome, done.external_number) == (Outcome.CREATED, "Customer c1 (C)")
    again = shop.customer()
    assert again.external_id == done.external_id
    assert len(shop.company.customers) == 1


def test_suffixed_name_is_adopted_too(shop):
    shop.books.post("vendor", {"DisplayName": "Customer c1"})
    by_hand = shop.books.customer("Customer c1 (C)")
    done = shop.customer()
    assert (done.outcome, done.external_id) == (Outcome.ADOPTED, by_hand["Id"])


def test_adopted_customer_is_left_as_it_is(shop):
    by_hand = shop.books.customer("customer C1", Notes="Pays late")
    done = shop.customer(email="ap@c1.test")
    assert (done.outcome, done.external_id, done.external_number) == (Outcome.ADOPTED, by_hand["Id"], "customer C1")
    shop.push(write(CUSTOMER, make_customer(email="ap@c1.test"), known=known(done)))
    (customer,) = shop.company.customers
    assert customer["Notes"] == "Pays late"
    assert customer["PrimaryEmailAddr"]["Address"] == "ap@c1.test"


def test_two_customers_of_one_name_stay_two(shop):
    first = shop.customer(name="Acme")
    second = shop.push(write(Ref("Customer", "c2"), make_customer("c2", name="Acme")))
    assert second.external_id != first.external_id
    assert second.external_number == "Acme (c2)"
    renamed = make_customer("c2", name="Acme", phone="1")
    done = shop.push(write(Ref("Customer", "c2"), renamed, known=known(second)))
    assert (done.external_id, done.external_number) == (second.external_id, "Acme (c2)")


def test_inactive_namesake_is_explained(shop):
    by_hand = shop.books.customer("Customer c1")
    customer = shop.company.tables["Customer"][by_hand["Id"]]
    customer["Active"] = False
    with pytest.raises(errors.NameTaken, match="make it active again") as taken:
        shop.customer()
    assert taken.value.candidate == by_hand["Id"]


def test_rename_to_a_taken_name_is_explained(shop):
    shop.books.customer("Taken")
    mine = shop.customer()
    with pytest.raises(errors.NameTaken, match="rename one of the two"):
        shop.push(write(CUSTOMER, make_customer(name="Taken"), known=known(mine)))


def test_customer_made_inactive_by_hand_stays_so(shop):
    mine = shop.customer()
    with shop.books.twin.person() as person:
        person.deactivate("Customer", mine.external_id)
    with pytest.raises(errors.Rejected, match="made inactive") as refused:
        shop.push(write(CUSTOMER, make_customer(phone="1"), known=known(mine)))
    assert (refused.value.cause, refused.value.definitive) == ("inactive", True)


def test_update_without_a_version_reads_it_first(shop):
    mine = shop.customer()
    done = shop.push(write(CUSTOMER, make_customer(phone="1"), known=Known(mine.external_id, None)))
    assert (done.outcome, done.sync_token) == (Outcome.UPDATED, "1")


def test_item_is_adopted_by_name(shop):
    by_hand = shop.books.item("Product p1")
    done = shop.push(write(PRODUCT, make_product()))
    assert (done.outcome, done.external_type, done.external_id) == (Outcome.ADOPTED, "Item", by_hand["Id"])


def test_variants_of_one_name_stay_apart(shop):
    first = shop.push(write(PRODUCT, make_product(name="Shirt", sku="S-M")))
    second = shop.push(write(Ref("Product", "p2"), make_product("p2", name="Shirt", sku="S-L")))
    assert first.external_id != second.external_id
    assert second.external_number == "Shirt (S-L)"


def test_names_with_quotes_are_found(shop):
    by_hand = shop.books.customer("O'Brien \\ Söhne")
    assert shop.customer(name="O'Brien \\ Söhne").external_id == by_hand["Id"]


# --- invoices ---


def test_repeat_goes_out_under_the_same_key(shop):
    order = shop.order()
    shop.books.twin.add_fault("drop_after_commit", entity="Invoice", times=1)
    shop.push(order)
    first, second = shop.sent()[-2:]
    assert first.requestid == second.requestid
    assert second.replayed


def test_own_number_that_is_taken_by_our_invoice_is_adopted():
    shop = Shop({"warn_duplicate_numbers": True}, twin={"remember_lost_answers": False})
    order = shop.order()
    shop.books.twin.add_fault("drop_after_commit", entity="Invoice", times=1)
    assert shop.push(order).outcome is Outcome.ADOPTED
    assert len(shop.company.invoices) == 1


def test_number_that_is_somebody_elses_is_explained():
    shop = Shop({"warn_duplicate_numbers": True})
    order = shop.order()
    by_hand = shop.books.invoice(DocNumber="o1")
    with pytest.raises(errors.NameTaken, match="another number") as taken:
        shop.push(order)
    assert taken.value.candidate == by_hand["Id"]


def test_in_doubt_finds_the_invoice_where_quickbooks_numbers():
    shop = Shop({"custom_txn_numbers": False})
    order = shop.order()
    first = shop.push(order)
    done = shop.push(order, in_doubt=True)
    assert (done.outcome, done.external_id, done.external_number) == (Outcome.ADOPTED, first.external_id, "1001")


def test_in_doubt_invoice_without_our_mark_is_nobodys(shop):
    order = shop.order()
    shop.books.invoice(DocNumber="o1", PrivateNote="PrometheusId:o11")
    assert shop.push(order, in_doubt=True).outcome is Outcome.CREATED


def test_several_invoices_with_our_mark_need_a_person(shop):
    order = shop.order()
    for _ in range(2):
        shop.books.invoice(DocNumber="o1", PrivateNote="PrometheusId:o1")
    with pytest.raises(errors.Rejected, match="Void all but one") as refused:
        shop.push(order, in_doubt=True)
    assert not refused.value.definitive
    with shop.books.twin.person() as person:
        person.void("Invoice", shop.company.invoices[0]["Id"])
    assert shop.push(order, in_doubt=True).external_id == shop.company.invoices[1]["Id"]


@pytest.mark.parametrize("keys", [True, False])
def test_in_doubt_an_invoice_voided_meanwhile_is_known_for_ours_and_not_made_again(keys):
    shop = Shop(honour_requestid=keys, twin={"honour_requestid": keys})
    order = shop.order()
    first = shop.push(order)
    with shop.books.twin.person() as person:
        person.void("Invoice", first.external_id)
    for found in (shop.push(order, in_doubt=True), shop.session.find(order)):
        assert (found.outcome, found.external_id, found.void) == (Outcome.ADOPTED, first.external_id, True)
    assert len(shop.company.invoices) == 1


def test_without_honoured_keys_nothing_is_repeated_and_absence_is_waited_for():
    shop = Shop(honour_requestid=False, twin={"honour_requestid": False})
    order = shop.order()
    shop.books.twin.add_fault("drop_before_commit", entity="Invoice", times=1)
    with pytest.raises(errors.AnswerLost):
        shop.push(order)
    assert len(shop.sent()) == 3
    since = shop.desk.clock.now()
    with pytest.raises(errors.AnswerLost, match="may still appear"):
        shop.push(order, in_doubt=True)
    with pytest.raises(errors.AnswerLost, match="220 s"):
        shop.push(order, in_doubt=True, doubt_since=since)
    shop.desk.clock.advance(220)
    assert shop.push(order, in_doubt=True, doubt_since=since).outcome is Outcome.CREATED


def test_doubt_stays_while_quickbooks_cannot_be_asked(shop):
    order = shop.order()
    shop.books.twin.add_fault("refuse_connection", times=3)
    with pytest.raises(errors.AnswerLost):
        shop.push(order, in_doubt=True)


@pytest.mark.parametrize("fault", ["truncated_json", "truncated_body", "wrong_content_type", "redirect", "slow"])
def test_spoilt_answers_make_no_second_invoice(shop, fault):
    order = shop.order()
    more = {"seconds": 200, "after_commit": True} if fault == "slow" else {}
    shop.books.twin.add_fault(fault, entity="Invoice", times=2, **more)
    shop.push(order)
    assert len(shop.company.invoices) == 1


def test_answer_without_the_document_is_lost(shop):
    order = shop.order()
    transport = MockTransport(lambda _: httpx.Response(200, json={"time": "now"}))
    connector = connectors(quickbooks=shop.config, transport=transport)["quickbooks"]
    facts = ConnectionFacts("c", ConnectionKey("acme", "quickbooks"), REALM, {}, shop.settings)
    session = connector.session(facts, shop.desk.lent)
    with pytest.raises(errors.AnswerLost):
        session.push(order)
    with pytest.raises(errors.Unavailable):
        session.truth([ExternalRef("Invoice", "1")])


def test_update_replaces_the_lines_and_keeps_what_people_added(shop):
    order = shop.order()
    first = shop.push(order)
    with shop.books.twin.person() as person:
        person.edit("Invoice", first.external_id, {"BillEmail": {"Address": "ap@c1.test"}})
    smaller = make_order(lines=[OrderLine(product="p1", quantity=1, unit_price="9")]).completed()
    done = shop.push(write(ORDER, smaller, order.refs, known(first)))
    assert (done.total, done.sync_token) == (Decimal(9), "2")
    (invoice,) = shop.company.invoices
    assert len(invoice["Line"]) == 2
    assert invoice["BillEmail"] == {"Address": "ap@c1.test"}


def test_paid_invoice_can_be_updated(shop):
    invoice, payment = shop.paid()
    shop.push(payment)
    order = make_order(memo="later").completed()
    done = shop.push(write(ORDER, order, {**payment.refs, PRODUCT: "1"}, known(invoice)))
    assert (done.outcome, done.balance) == (Outcome.UPDATED, Decimal("15.00"))


def test_second_edit_by_hand_is_left_to_the_next_run(shop):
    order = shop.order()
    first = shop.push(order)
    shop.books.twin.add_fault("stale", method="POST", entity="Invoice", times=2)
    with pytest.raises(errors.StaleVersion):
        shop.push(write(ORDER, make_order(memo="x").completed(), order.refs, known(first)))


def test_voided_invoice_is_not_brought_back(shop):
    order = shop.order()
    first = shop.push(order)
    with shop.books.twin.person() as person:
        person.void("Invoice", first.external_id)
    with pytest.raises(errors.Rejected) as refused:
        shop.push(write(ORDER, make_order(memo="x").completed(), order.refs, known(first)))
    assert (refused.value.cause, refused.value.definitive) == ("voided-in-erp", True)


def test_ended_subscription_parks_the_connection(shop):
    order = shop.order()
    shop.books.twin.add_company(REALM, subscription_active=False)
    with pytest.raises(errors.ConnectionLost, match="subscription"):
        shop.push(order)


def test_other_companys_token_parks_the_connection(shop):
    shop.books.twin.add_company("555")
    shop.desk.tokens.tokens = [shop.books.twin.connect("app-1", "555")["access_token"]]
    with pytest.raises(errors.ConnectionLost, match="not authorised"):
        shop.customer()


# --- amounts ---

cents = st.decimals("0", "50", places=2)
some_lines = st.lists(
    st.builds(
        lambda quantity, price, rate, tax: OrderLine(
            product="p1", quantity=quantity, unit_price=price, discount_rate=rate, tax=tax
        ),
        st.decimals("-2", "9", places=2),
        st.decimals("0", "99", places=4),
        st.none() | st.decimals("0", "1", places=2),
        st.none() | cents,
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("engine", ["us_ast", "us_manual", "non_us"])
@pytest.mark.parametrize("allow_discount", [True, False])
def test_invoice_comes_to_the_orders_total(engine, allow_discount):
    shop = Shop(
        {"tax_engine": engine, "country": "US" if engine != "non_us" else "CA", "allow_discount": allow_discount}
    )
    if engine == "non_us":
        shop.settings = ConnectionSettings(**_codes(shop))
        shop.describe()
    refs = shop.order().refs
    numbers = iter(range(10_000))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(some_lines, cents, st.none() | cents)
    def agree(lines, shipping, tax):
        number = f"n{next(numbers)}"
        try:
            order = make_order(number, lines=lines, shipping=Shipping(amount=shipping, tax=tax)).completed()
        except errors.RecordInvalid:
            assume(False)
        assert shop.push(write(Ref("Order", number), order, refs)).total == order.total

    agree()


def _codes(shop: Shop) -> dict[str, str]:
    """A tax code with one rate, and one that is exempt or has a rate of zero."""
    rows = shop.books.query("select * from TaxCode")["TaxCode"]
    taxed = next(row for row in rows if len(row.get("SalesTaxRateList", {}).get("TaxRateDetail", [])) == 1)
    exempt = next(row for row in rows if row["Id"] != taxed["Id"] and not _percent(shop, row))
    return {"tax_code_id": taxed["Id"], "exempt_tax_code_id": exempt["Id"]}


def _percent(shop: Shop, code: Any) -> Decimal:
    details = (code.get("SalesTaxRateList") or {}).get("TaxRateDetail", [])
    rates = [shop.company.get("TaxRate", one["TaxRateRef"]["value"])["RateValue"] for one in details]
    return sum(map(Decimal, rates), Decimal(0))


# --- payments ---


def test_payment_settles_its_invoice(shop):
    invoice, payment = shop.paid()
    done = shop.push(payment)
    assert (done.outcome, done.external_type, done.total) == (Outcome.CREATED, "Payment", Decimal("10.00"))
    truth = shop.session.truth([ExternalRef("Payment", done.external_id)])
    (document,), (received,) = truth.documents, truth.payments
    assert (document.ref.external_id, document.balance) == (invoice.external_id, Decimal("15.00"))
    assert received.applied == {document.ref: Decimal("10.00")}
    assert (received.date, received.gone) == (dt.date(2026, 3, 2), False)


def test_known_payment_is_never_touched(shop):
    _, payment = shop.paid()
    done = shop.push(payment)
    calls = len(shop.sent())
    again = shop.push(payment, known=known(done))
    assert (again.outcome, again.external_id, again.sync_token) == (Outcome.UNCHANGED, done.external_id, "0")
    assert len(shop.sent()) == calls


def test_payment_in_doubt_is_found_by_its_mark(shop):
    _, payment = shop.paid()
    shop.books.post("payment", shop.books.payment("10", TxnDate="2026-03-02"))
    first = shop.push(payment)
    assert len(shop.company.payments) == 2
    done = shop.push(payment, in_doubt=True)
    assert (done.outcome, done.external_id) == (Outcome.ADOPTED, first.external_id)


def test_payment_in_doubt_that_is_not_there_is_sent(shop):
    _, payment = shop.paid()
    assert shop.push(payment, in_doubt=True).outcome is Outcome.CREATED


def test_overpayment_is_refused_with_quickbooks_words(shop):
    _, payment = shop.paid("99.00")
    with pytest.raises(errors.Rejected, match="greater than the open balance") as refused:
        shop.push(payment)
    assert (refused.value.cause, refused.value.erp_code) == ("business-rule", "6000")


def test_foreign_payment_has_its_invoices_rate():
    shop = Shop({"multicurrency": True})
    shop.push(write(CUSTOMER, make_customer(currency="EUR")))
    _, payment = shop.paid(currency="EUR", exchange_rate=Decimal("1.08"))
    euro = payment.record.model_copy(update={"currency": "EUR"})
    shop.push(payment, record=euro)
    assert shop.company.payments[0]["ExchangeRate"] == Decimal("1.08")


def test_foreign_payment_with_a_rate_of_its_own_needs_no_look():
    shop = Shop({"multicurrency": True})
    shop.push(write(CUSTOMER, make_customer(currency="EUR")))
    _, payment = shop.paid(currency="EUR", exchange_rate=Decimal("1.08"))
    reads = shop.desk.calls.reads
    record = payment.record.model_copy(update={"currency": "EUR", "exchange_rate": Decimal("1.1")})
    shop.push(payment, record=record)
    assert shop.company.payments[0]["ExchangeRate"] == Decimal("1.1")
    assert shop.desk.calls.reads == reads


# --- the truth ---


def test_truth_in_as_few_calls_as_possible(shop):
    invoice, payment = shop.paid()
    done = shop.push(payment)
    before = shop.desk.calls.reads
    refs = [ExternalRef("Payment", done.external_id), ExternalRef("Payment", "99999"), ExternalRef("Customer", "1")]
    truth = shop.session.truth([*refs, ExternalRef("Invoice", invoice.external_id), ExternalRef("Invoice", "99998")])
    assert shop.desk.calls.reads == before + 2
    assert {(one.ref.external_id, one.gone) for one in truth.documents} == {
        (invoice.external_id, False),
        ("99998", True),
    }
    assert {(one.ref.external_id, one.gone) for one in truth.payments} == {(done.external_id, False), ("99999", True)}


def test_more_than_a_hundred_are_asked_for_in_parts(shop):
    refs = [ExternalRef("Invoice", str(number)) for number in range(1, 251)]
    assert len(shop.session.truth(refs).documents) == 250
    assert shop.desk.calls.reads == 3


def test_void_documents_are_gone(shop):
    invoice, payment = shop.paid()
    done = shop.push(payment)
    with shop.books.twin.person() as person:
        person.void("Payment", done.external_id)
        person.void("Invoice", invoice.external_id)
    refs = [ExternalRef("Payment", done.external_id), ExternalRef("Invoice", invoice.external_id)]
    truth = shop.session.truth(refs)
    assert [one.gone for one in (*truth.documents, *truth.payments)] == [True, True]


# --- consent and webhooks ---


def test_whole_consent_with_the_twin():
    shop = Shop(twin={"consent": "auto"})
    oauth = shop.connector.oauth
    with httpx.Client(transport=shop.transport) as browser:
        back = browser.get(oauth.authorize_url(state="s-1", redirect_uri=REDIRECT)).headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert (query["state"], query["realmId"]) == ("s-1", REALM)
    grant = oauth.exchange(code=query["code"], redirect_uri=REDIRECT)
    renewed = oauth.refresh(grant.refresh_token)
    company = oauth.describe(company_id=query["realmId"], access_token=renewed.access_token)
    assert (company.name, company.facts["incomeAccountId"]) == ("Harbor Foods Ltd (twin)", "5")
    with pytest.raises(errors.ConsentRefused):
        oauth.exchange(code=query["code"], redirect_uri=REDIRECT)
    oauth.revoke(renewed.refresh_token)
    oauth.revoke(renewed.refresh_token)
    with pytest.raises(errors.ConnectionLost):
        oauth.refresh(renewed.refresh_token)


@pytest.mark.parametrize("form", ["cloudevents", "legacy"])
def test_the_twins_deliveries_are_believed_and_read(form):
    shop = Shop(twin={"webhook_format": form, "webhook_url": "https://shop.example.test/hook"})
    invoice = shop.push(shop.order())
    shop.books.clock.advance(10)
    deliveries = shop.books.twin.pending_webhooks()
    notices = []
    for delivery in deliveries:
        headers = {name.lower(): value for name, value in dict(delivery.headers).items()}
        assert shop.connector.webhooks.verify(headers, delivery.body)
        assert not shop.connector.webhooks.verify(headers, delivery.body + b" ")
        notices += shop.connector.webhooks.parse(delivery.body)
    assert ExternalRef("Invoice", invoice.external_id) in {notice.ref for notice in notices}
    assert {notice.company_id for notice in notices} == {REALM}
    assert json.dumps([notice.event_id for notice in notices])
