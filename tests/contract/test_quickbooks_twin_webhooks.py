from __future__ import annotations

import json

import pytest
from quickbooks import QuickBooks

from erp_twins.quickbooks.webhooks import sign
from tests.contract.twin_support import REALM, Books, handle_of


@pytest.fixture
def books() -> Books:
    return Books(webhook_verifier_token="verifier-1")


def events(books):
    return [event for delivery in books.twin.pending_webhooks() for event in json.loads(delivery.body)]


def told(books):
    return [(event["type"], event["intuitentityid"]) for event in events(books)]


def test_cloudevents_of_a_payment_made_by_a_person(books):
    invoice = books.invoice(DocNumber="A-1")
    for delivery in books.twin.pending_webhooks():
        books.twin.settle_webhook(delivery)
    payment = books.control("POST", f"companies/{REALM}/payments", {"docNumber": "A-1", "method": "Visa"})
    assert (payment["TotalAmt"], payment["PaymentMethodRef"]["name"]) == (108, "Visa")
    first, second = events(books)
    assert (first["type"], first["intuitentityid"], first["intuitaccountid"]) == (
        "qbo.payment.created.v1",
        payment["Id"],
        REALM,
    )
    assert (second["type"], second["intuitentityid"]) == ("qbo.invoice.updated.v1", invoice["Id"])
    assert (first["specversion"], first["data"], first["time"]) == ("1.0", {}, "2026-03-02T20:00:00.000000000Z")
    assert first["id"] != second["id"]


def test_signature_covers_the_raw_body_as_the_client_library_checks_it(books):
    books.customer("Zo\u00eb")
    (delivery,) = books.twin.pending_webhooks()
    signature = delivery.headers["intuit-signature"]
    client = QuickBooks(company_id=REALM, minorversion=75, verifier_token="verifier-1")
    assert client.validate_webhook_signature(delivery.body.decode(), signature)
    assert not client.validate_webhook_signature(delivery.body.decode() + " ", signature)
    assert sign(delivery.body, "verifier-1") == signature
    assert delivery.headers["content-type"] == "application/json; charset=utf-8"


def test_legacy_format(books):
    books.twin.configure(webhook_format="legacy")
    books.customer()
    (delivery,) = books.twin.pending_webhooks()
    entity = {"name": "Customer", "id": "1", "operation": "Create", "lastUpdated": "2026-03-02T20:00:00.000Z"}
    assert json.loads(delivery.body) == {
        "eventNotifications": [{"realmId": REALM, "dataChangeEvent": {"entities": [entity]}}]
    }


def test_delete_void_mail_and_merge_have_their_own_words(books):
    first, second = books.invoice(), books.invoice()
    books.post("invoice", handle_of(first), operation="delete")
    sent = books.post(f"invoice/{second['Id']}/send", b"", sendTo="a@b.example.com")
    books.post("invoice", handle_of(sent), operation="void")
    loser = books.customer("Loser")
    books.control("POST", f"companies/{REALM}/merge", {"entity": "Customer", "id": "1", "deletedId": loser["Id"]})
    names = [kind for kind, _ in told(books)]
    assert names[-5:] == [
        "qbo.invoice.deleted.v1",
        "qbo.invoice.emailed.v1",
        "qbo.invoice.voided.v1",
        "qbo.customer.created.v1",
        "qbo.customer.merged.v1",
    ]
    assert events(books)[-1]["data"] == {"deletedId": loser["Id"]}
    assert books.call("GET", f"customer/{loser['Id']}").status_code == 400


def test_merge_moves_documents_to_the_winner(books):
    books.customer("Winner")
    books.item()
    loser = books.customer("Loser")
    invoice = books.invoice(CustomerRef={"value": loser["Id"]})
    books.control("POST", f"companies/{REALM}/merge", {"entity": "Customer", "id": "1", "deletedId": loser["Id"]})
    assert books.get(f"invoice/{invoice['Id']}")["CustomerRef"] == {"value": "1", "name": "Winner"}
    assert books.get("customer/1")["Balance"] == 108


def test_entities_without_webhooks_stay_silent(books):
    books.post("exchangerate", {"SourceCurrencyCode": "EUR", "Rate": 1})
    assert told(books) == []


def test_echo_of_own_writes_can_be_switched_off(books):
    books.twin.configure(webhook_echo=False)
    books.customer()
    assert told(books) == []
    books.control("POST", f"companies/{REALM}/edit", {"entity": "Customer", "id": "1", "changes": {"Notes": "by hand"}})
    assert told(books) == [("qbo.customer.updated.v1", "1")]


def test_events_are_aggregated_over_the_window(books):
    books.customer("A")
    books.customer("B")
    assert books.twin.due_webhooks() == []
    books.clock.advance(0.1)
    (delivery,) = books.twin.due_webhooks()
    assert len(json.loads(delivery.body)) == 2


def test_failed_delivery_repeats_on_schedule_and_blocks_later_ones(books):
    books.customer("A")
    books.clock.advance(1)
    (delivery,) = books.twin.due_webhooks()
    waits = []
    for _ in range(5):
        books.twin.settle_webhook(delivery, acknowledged=False)
        waits.append(_seconds_until_due(books))
        (delivery,) = books.twin.due_webhooks()
    assert waits == [10, 20, 30, 300, 1200]
    books.customer("B")
    books.clock.advance(1)
    assert [one.ident for one in books.twin.due_webhooks()] == [delivery.ident]
    books.twin.settle_webhook(delivery)
    assert [one.ident for one in books.twin.due_webhooks()] == [delivery.ident + 1]


def _seconds_until_due(books):
    seconds = 0
    while not books.twin.due_webhooks():
        books.clock.advance(10)
        seconds += 10
    return seconds


def test_copies_shuffle_loss_and_hold(books):
    books.twin.configure(webhook_copies=2, webhook_shuffle=True, webhook_hold=True)
    for number in range(6):
        books.customer(f"C{number}")
    books.clock.advance(60)
    assert books.twin.due_webhooks() == []
    assert books.control("POST", "webhooks/flush") == {"deliveries": 2}
    first, second = books.twin.pending_webhooks()
    assert first.body == second.body
    order = [event["intuitentityid"] for event in json.loads(first.body)]
    assert (sorted(order), order != sorted(order)) == (["1", "2", "3", "4", "5", "6"], True)
    books.twin.webhooks.clear()
    books.twin.configure(webhook_loss="1")
    books.customer("Lost")
    assert told(books) == []


@pytest.mark.parametrize(("mixed", "deliveries"), [(False, 2), (True, 1)])
def test_realms_travel_apart_unless_mixed(books, mixed, deliveries):
    books.twin.configure(webhook_mixed_realms=mixed)
    books.twin.add_company("222")
    books.customer()
    with books.twin.person("222") as person:
        from erp_twins.quickbooks.entities import SCHEMAS
        from erp_twins.quickbooks.operations import create

        create(person.company, SCHEMAS["Customer"], {"DisplayName": "Elsewhere"})
    assert len(books.twin.pending_webhooks()) == deliveries


def test_only_connected_companies_are_delivered(books):
    books.customer()
    books.clock.advance(1)
    books.control("POST", f"companies/{REALM}/disconnect")
    assert books.twin.due_webhooks() == []
