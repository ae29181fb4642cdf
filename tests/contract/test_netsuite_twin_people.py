"""People at work in the NetSuite twin, the control API, who sees a change when, and state that survives a restart."""

from __future__ import annotations

import pytest

from erp_twins.clock import TwinClock
from erp_twins.http import Request
from erp_twins.netsuite import NetSuiteTwin
from tests.contract.netsuite_twin_support import ACCOUNT, NOON, Shop


@pytest.fixture
def shop():
    return Shop()


def deed(shop, name, **body):
    return shop.control("POST", f"accounts/{ACCOUNT}/{name}", body)


# --- people ---


def test_person_bills_pays_and_credits(shop):
    order = shop.order()
    with shop.twin.person() as person:
        invoice = person.bill(order, {1: 2}, externalId="inv-1")
        assert (invoice["total"], invoice["createdFrom"]) == (54, order)
        payment = person.pay(invoice["id"], 20)
        assert (payment["payment"], payment["applied"]) == (20, 20)
        credit = person.credit("eid:inv-1")
        assert (credit["applied"], credit["unapplied"]) == (34, 20)
        assert person.pay(person.bill(order)["id"])["payment"] == 54
    assert [row["status"] for row in shop.account.rows("invoice")] == ["B", "B"]
    assert "source" not in shop.get(f"invoice/{invoice['id']}")


def test_person_edits_deactivates_deletes_closes_and_cancels(shop):
    order, second, third = shop.order(), shop.order(), shop.order()
    with shop.twin.person() as person:
        person.edit("customer", "101", {"phone": "555-0100"})
        person.deactivate("nonInventorySaleItem", "201")
        person.close(order)
        person.cancel(second)
        person.delete("salesOrder", third)
        assert person.create("customer", {"companyName": "Walk-in", "subsidiary": {"id": "1"}})["id"] == "102"
        assert person.create("term", {"name": "Net 90"})["id"] == "5"
    assert shop.get("customer/101")["phone"] == "555-0100"
    assert shop.get("nonInventorySaleItem/201")["isInactive"] is True
    assert [row["status"] for row in shop.account.rows("salesOrder")] == ["H", "C"]
    assert shop.query("SELECT context FROM deletedrecord") == [{"context": "UserInterface"}]
    assert {row["source"] for row in shop.account.history} == {"api", "person"}


def test_deeds_over_the_control_api(shop):
    order = shop.order(orderStatus="A")
    assert deed(shop, "approve", id=order)["status"] == "B"
    assert deed(shop, "fulfil", id=order, quantities={"1": 4})["status"] == "F"
    invoice = deed(shop, "bill", id=order, quantities={"1": 1})
    assert deed(shop, "payments", invoiceId=invoice["id"])["payment"] == invoice["total"]
    assert deed(shop, "edit", type="customer", id="101", changes={"phone": "1"})["phone"] == "1"
    assert deed(shop, "void", type="invoice", id=invoice["id"])["status"] == "V"
    assert deed(shop, "credit", id=deed(shop, "bill", id=order)["id"])["status"] == "B"
    assert deed(shop, "lock", type="customer", id="101") == {"locked": True}
    assert deed(shop, "deactivate", type="nonInventorySaleItem", id="201")["isInactive"] is True
    made = deed(shop, "create", type="customer", body={"companyName": "B", "subsidiary": "1"})
    assert deed(shop, "delete", type="customer", id=made["id"])["id"] == made["id"]
    assert deed(shop, "close", id=shop.account.rows("salesOrder")[0]["id"])["status"] == "H"
    assert deed(shop, "cancel", id=order)["status"] == "C"
    assert not [name for row in [made, invoice] for name in row if name.startswith("_")]


def test_control_refuses_with_a_reason(shop):
    def answer(path, body):
        got = shop.http.post(f"/_twin/{path}", json=body)
        return got.status_code, got.json()

    assert answer(f"accounts/{ACCOUNT}/void", {"type": "customer", "id": "1"})[0] == 400
    assert (
        answer(f"accounts/{ACCOUNT}/edit", {"type": "customer", "id": "1", "changes": {}})[1]["code"]
        == "NONEXISTENT_ID"
    )
    assert answer(f"accounts/{ACCOUNT}/dance", {})[0] == 404
    assert answer("accounts/9/settings", {})[0] == 404
    assert answer("accounts", {"account": "a.b"})[0] == 400
    assert answer("accounts", {"account": "77", "colour": "red"})[0] == 400
    assert answer("config", {"latencySeconds": "fast"})[0] == 400
    assert "77" not in shop.twin.accounts


def test_accounts_roles_and_credentials_over_the_control_api(shop):
    made = shop.control("POST", "accounts", {"account": "77-sb1", "oneWorld": False, "settings": {"suiteTax": False}})
    assert (made["account"], made["settings"]["one_world"], made["settings"]["suite_tax"]) == ("77_SB1", False, False)
    shop.control(
        "POST",
        "integrations",
        {"clientId": "box", "clientSecret": "s", "account": "77_SB1", "scopes": ["rest_webservices"]},
    )
    role = shop.control("POST", "accounts/77_SB1/roles", {"name": "Reader", "levels": {"*": "view"}})
    token = shop.control("POST", "tokens", {"clientId": "box", "role": role["ident"]})
    assert shop.twin.access.tokens[token["tokenId"]].account == "77_SB1"
    assert deed(shop, "settings", language="it")["settings"]["language"] == "it"
    assert shop.refused("GET", "customer/1")[2].startswith("L'istanza")
    shop.control("POST", "tokens/expire", {"account": ACCOUNT})
    assert shop.call("GET", "customer").status_code == 401


def test_ledger_shows_live_documents_history_and_doubles(shop):
    shop.order(externalId="so-1")
    shop.patch("salesOrder/eid:so-1", {"memo": "x"})
    ledger = shop.twin.ledger()
    assert ledger.counts == {"customer": 1, "nonInventorySaleItem": 1, "salesOrder": 1}
    assert [(row["entity"], row["operation"], row["externalId"]) for row in ledger.history[-2:]] == [
        ("salesOrder", "Create", "so-1"),
        ("salesOrder", "Update", "so-1"),
    ]
    assert ledger.doubles("salesOrder") == []
    shop.order(otherRefNum="PO-1")
    shop.order(otherRefNum="PO-1")
    assert [len(group) for group in shop.twin.ledger().doubles("salesOrder", "otherRefNum")] == [2]
    served = shop.control("GET", f"ledger?realm={ACCOUNT}")
    assert served["counts"] == {**ledger.counts, "salesOrder": 3}


def test_calls_are_logged_with_account_type_and_operation(shop):
    order = shop.order()
    shop.post(f"salesOrder/{order}/!transform/invoice")
    shop.query("SELECT id FROM customer")
    calls = [(call.kind, call.realm, call.entity, call.operation, call.status) for call in shop.twin.calls.since()[-3:]]
    assert calls == [
        ("write", ACCOUNT, "salesOrder", "create", 204),
        ("write", ACCOUNT, "salesOrder", "transform", 204),
        ("read", ACCOUNT, "", "suiteql", 200),
    ]
    assert shop.control("GET", "calls?since=4")[0]["operation"] == "suiteql"
    shop.control("DELETE", "calls")
    assert shop.control("GET", "calls") == []


def test_reset_leaves_credentials_and_one_fresh_account(shop):
    shop.customer()
    shop.twin.add_account("7654321")
    shop.control("POST", "reset")
    assert [one["account"] for one in shop.control("GET", "accounts")] == [ACCOUNT]
    assert shop.get("customer")["totalResults"] == 0


# --- who sees what when ---

SINCE = "SELECT id, TO_CHAR(lastmodifieddate, 'HH24:MI:SS') AS t FROM customer WHERE lastmodifieddate > TO_DATE('2026-03-02 12:00:05', 'YYYY-MM-DD HH24:MI:SS')"


def test_late_commit_is_dated_earlier_than_it_can_be_seen(shop):
    shop.customer()
    shop.twin.configure(commit_delay_seconds=30)
    shop.clock.advance(10)
    with shop.twin.person() as person:
        person.edit("customer", "101", {"phone": "1"})
        second = person.create("customer", {"companyName": "B", "subsidiary": {"id": "1"}})["id"]
    shop.clock.advance(29)
    assert shop.query(SINCE) == []
    assert ("phone" in shop.get("customer/101"), shop.get("customer")["totalResults"]) == (False, 1)
    assert shop.refused("GET", f"customer/{second}")[:2] == (404, "NONEXISTENT_ID")
    shop.clock.advance(1)
    assert shop.query(SINCE + " ORDER BY id") == [{"id": "101", "t": "12:00:10"}, {"id": second, "t": "12:00:10"}]
    assert shop.get("customer/101")["phone"] == "1"


def test_late_deletion_is_seen_at_once_with_its_row_of_deletedrecord(shop):
    shop.customer()
    shop.twin.configure(commit_delay_seconds=30)
    with shop.twin.person() as person:
        person.delete("customer", "101")
    both = "SELECT (SELECT COUNT(*) FROM customer) AS live, (SELECT COUNT(*) FROM deletedrecord) AS gone FROM currency WHERE id = 1"
    assert shop.query(both) == [{"live": "1", "gone": "0"}]
    shop.clock.advance(30)
    assert shop.query(both) == [{"live": "0", "gone": "1"}]


def test_clients_own_writes_are_seen_at_once_unless_everyone_is_late(shop):
    shop.twin.configure(commit_delay_seconds=30)
    shop.customer()
    assert shop.query("SELECT id FROM customer") == [{"id": "101"}]
    shop.twin.configure(commit_delay_for="everyone")
    shop.customer("Other", externalId="c-2")
    assert shop.query("SELECT id FROM customer") == [{"id": "101"}]
    body = {"companyName": "Third", "subsidiary": {"id": "1"}, "externalId": "c-2"}
    assert shop.refused("POST", "customer", body)[:2] == (400, "USER_ERROR"), "what is unique is so before it is seen"


def test_changes_have_whole_seconds(shop):
    shop.clock.advance(0.9)
    shop.customer()
    assert shop.get("customer/101")["lastModifiedDate"] == "2026-03-02T20:00:00Z"


# --- state ---


def test_state_survives_a_restart_with_credentials_and_open_documents(shop):
    shop.twin.add_integration("shop", "s")
    shop.twin.add_token("shop", ident="t", secret="t")
    shop.twin.add_role("Reader", ident="1002", levels={"*": "view"}, doors=("rest_web_services", "workbook"))
    invoice = shop.invoice(externalId="inv-1")
    shop.post(f"invoice/{invoice}/!transform/customerPayment", {"payment": "8.5"})
    shop.write("DELETE", f"customer/{shop.customer('Gone')}")
    twin = NetSuiteTwin(clock=TwinClock(NOON))
    twin.load_state(shop.twin.dump_state())
    before = shop.twin.dump_state()
    assert twin.dump_state() == before
    shop.twin = twin
    request = Request.make(
        "GET", "/services/rest/record/v1/invoice/eid:INV-1", {"authorization": f"Bearer {shop.token}"}
    )
    assert twin.handle(request).json()["amountRemaining"] == shop.account.rows("invoice")[0]["amountRemaining"]
    with twin.person() as person:
        assert str(person.pay(invoice)["payment"]) == "99.50"
    assert (twin.account().roles["1002"].may("customer", "edit"), twin.access.tokens["t"].token_secret) == (False, "t")
