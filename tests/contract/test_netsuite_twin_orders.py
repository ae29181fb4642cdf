"""From order to money in the NetSuite twin: status, billing, payments, credits, voids, periods."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.contract.netsuite_twin_support import ACCOUNT, Shop

D = Decimal


@pytest.fixture
def shop():
    return Shop()


def status(shop, kind, ident):
    return shop.get(f"{kind}/{ident}", simpleEnumFormat="true")["status"]


def bill(shop, order, *rows, **more):
    body = {**more, **({"item": {"items": list(rows)}} if rows else {})}
    return shop.post(f"salesOrder/{order}/!transform/invoice", body)


def two_lines(shop, **more):
    custom = {"price": {"id": "-1"}, "rate": 10}
    return shop.order({"quantity": 2, **custom}, {"quantity": 3, **custom}, **more)


def due(shop, invoice):
    body = shop.get(f"invoice/{invoice}", simpleEnumFormat="true")
    return body["amountPaid"], body["amountRemaining"], body["status"]


# --- orders ---


def test_header_is_sourced_from_the_customer(shop):
    shop.customer(terms={"id": "3"}, currency={"id": "2"})
    shop.item()
    order = shop.get(f"salesOrder/{shop.order(tranDate='2026-01-31')}")
    assert [order[name]["id"] for name in ("subsidiary", "currency", "terms")] == ["1", "2", "3"]
    assert (order["dueDate"], order["tranId"], order["source"]) == ("2026-03-02", "SO1", "restWebServices")


def test_date_is_today_in_the_accounts_zone_and_numbers_follow_each_other(shop):
    shop.clock.advance(11 * 3600 + 59 * 60)
    first = shop.get(f"salesOrder/{shop.order()}")
    shop.clock.advance(60)
    second = shop.get(f"salesOrder/{shop.order(tranId='WEB-7')}")
    assert [(one["tranDate"], one["tranId"]) for one in (first, second)] == [
        ("2026-03-02", "SO1"),
        ("2026-03-03", "WEB-7"),
    ]
    shop.twin.add_account(ACCOUNT, tran_id_override=False)
    assert shop.get(f"salesOrder/{shop.order(tranId='WEB-8')}")["tranId"] == "SO2"


def test_entity_and_lines_are_needed(shop):
    assert shop.refused("POST", "salesOrder", {})[2].endswith("Please enter value(s) for: Entity.")
    shop.customer()
    assert shop.refused("POST", "salesOrder", {"entity": {"id": "101"}})[:2] == (400, "USER_ERROR")
    assert shop.account.rows("salesOrder") == []


def test_order_pending_approval_cannot_be_billed_until_it_is_approved(shop):
    order = two_lines(shop, orderStatus={"id": "A"})
    assert status(shop, "salesOrder", order) == "A"
    assert shop.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[:2] == (400, "USER_ERROR")
    shop.patch(f"salesOrder/{order}", {"orderStatus": {"id": "B"}})
    assert status(shop, "salesOrder", order) == "B"
    assert bill(shop, order)


def test_billing_in_parts_moves_the_order_from_b_over_d_to_g(shop):
    order = two_lines(shop)
    first = shop.whole(f"invoice/{bill(shop, order, {'orderLine': 1, 'quantity': 1}, {'orderLine': 2, 'quantity': 0})}")
    assert [(line["orderLine"], line["quantity"], line["amount"]) for line in first["item"]["items"]] == [(1, 1, 10)]
    assert first["createdFrom"]["id"] == order
    assert status(shop, "salesOrder", order) == "D"
    second = shop.whole(f"invoice/{bill(shop, order)}")
    assert [(line["orderLine"], line["quantity"]) for line in second["item"]["items"]] == [(1, 1), (2, 3)]
    assert status(shop, "salesOrder", order) == "G"
    assert [line["quantityBilled"] for line in shop.whole(f"salesOrder/{order}")["item"]["items"]] == [2, 3]
    assert shop.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[:2] == (400, "USER_ERROR")


def test_more_than_is_left_cannot_be_billed(shop):
    order = two_lines(shop)
    body = {"item": {"items": [{"orderLine": 1, "quantity": 3}]}}
    assert shop.refused("POST", f"salesOrder/{order}/!transform/invoice", body)[:2] == (400, "USER_ERROR")
    assert shop.account.rows("invoice") == []
    assert status(shop, "salesOrder", order) == "B"


def test_freight_is_billed_with_the_first_invoice_only(shop):
    order = two_lines(shop, shippingCost=5)
    first = bill(shop, order, {"orderLine": 2, "quantity": 0})
    assert [shop.get(f"invoice/{one}").get("shippingCost") for one in (first, bill(shop, order))] == [5, None]


def test_deleted_invoice_gives_its_quantities_back(shop):
    order = two_lines(shop)
    shop.write("DELETE", f"invoice/{bill(shop, order)}")
    assert status(shop, "salesOrder", order) == "B"
    assert bill(shop, order)
    assert shop.refused("DELETE", f"salesOrder/{order}")[:2] == (400, "USER_ERROR")


def test_services_need_no_fulfilment_and_wait_for_their_bill_only(shop):
    shop.customer()
    service = shop.item("Delivery", "serviceSaleItem")
    lines = {"items": [{"item": {"id": service}, "quantity": 1, "rate": 5}]}
    order = shop.post("salesOrder", {"entity": {"id": "101"}, "item": lines})
    assert status(shop, "salesOrder", order) == "F"


def test_with_fulfilment_only_what_was_shipped_can_be_billed():
    shop = Shop(fulfillment=True)
    order = two_lines(shop)
    assert shop.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[:2] == (400, "USER_ERROR")
    with shop.twin.person() as person:
        person.fulfil(order, {1: 2})
    assert status(shop, "salesOrder", order) == "E"
    assert len(shop.whole(f"invoice/{bill(shop, order)}")["item"]["items"]) == 1
    assert status(shop, "salesOrder", order) == "D"
    with shop.twin.person() as person:
        person.fulfil(order, {2: 3})
    assert status(shop, "salesOrder", order) == "F"
    bill(shop, order)
    assert status(shop, "salesOrder", order) == "G"


def test_closed_lines_close_the_order_and_cannot_be_billed(shop):
    order = two_lines(shop)
    shop.patch(f"salesOrder/{order}", {"item": {"items": [{"line": 1, "isClosed": True}]}})
    assert status(shop, "salesOrder", order) == "B"
    assert [line["orderLine"] for line in shop.whole(f"invoice/{bill(shop, order)}")["item"]["items"]] == [2]
    second = two_lines(shop)
    shop.patch(
        f"salesOrder/{second}", {"item": {"items": [{"line": 1, "isClosed": True}, {"line": 2, "isClosed": True}]}}
    )
    assert status(shop, "salesOrder", second) == "H"


def test_only_known_transforms_are_possible(shop):
    order = shop.order()
    assert shop.refused("POST", f"salesOrder/{order}/!transform/customerPayment", {})[:2] == (400, "INVALID_REQUEST")
    assert shop.refused("POST", f"salesOrder/{order}/!transform/gadget", {})[0] == 404


# --- invoices and payments ---


def payment(shop, amount, *parts, **more):
    rows = [{"doc": {"id": invoice}, "apply": True, "amount": part} for invoice, part in parts]
    return {"customer": {"id": "101"}, "payment": amount, **({"apply": {"items": rows}} if rows else {}), **more}


def test_payment_settles_the_invoice_and_modifies_it(shop):
    invoice = shop.invoice()
    assert due(shop, invoice) == (0, D("108.00"), "A")
    shop.clock.advance(90)
    paid = shop.post("customerPayment", payment(shop, 58, (invoice, 58)))
    assert due(shop, invoice) == (58, 50, "A")
    assert shop.get(f"invoice/{invoice}")["lastModifiedDate"] == "2026-03-02T20:01:30Z"
    shop.post("customerPayment", payment(shop, 50, (invoice, 50), undepFunds=False, account={"id": "1"}))
    assert due(shop, invoice) == (108, 0, "B")
    assert [status(shop, "customerPayment", row["id"]) for row in shop.account.rows("customerPayment")] == ["B", "C"]
    assert shop.get(f"customerPayment/{paid}")["unapplied"] == 0


def test_rest_of_a_payment_stays_unapplied_until_it_is_applied(shop):
    invoice = shop.invoice()
    paid = shop.post("customerPayment", payment(shop, 150))
    assert (shop.get(f"customerPayment/{paid}")["applied"], due(shop, invoice)[2]) == (0, "A")
    shop.patch(f"customerPayment/{paid}", payment(shop, 150, (invoice, 108)))
    assert (shop.get(f"customerPayment/{paid}")["unapplied"], due(shop, invoice)[2]) == (42, "B")
    unapplied = {"customer": {"id": "101"}, "apply": {"items": [{"doc": {"id": invoice}, "apply": False}]}}
    shop.patch(f"customerPayment/{paid}", unapplied)
    assert (shop.get(f"customerPayment/{paid}")["unapplied"], due(shop, invoice)) == (150, (0, 108, "A"))


def test_apply_list_shows_what_is_open_beside_what_is_applied(shop):
    first, second = shop.invoice(), shop.invoice()
    paid = shop.post("customerPayment", payment(shop, 8, (second, 8)))
    rows = shop.whole(f"customerPayment/{paid}")["apply"]["items"]
    assert [(row["doc"]["id"], row["apply"], row.get("amount"), row["due"]) for row in rows] == [
        (second, True, 8, 100),
        (first, False, None, 108),
    ]


def test_auto_apply_settles_the_oldest_first(shop):
    first, second = shop.invoice(), shop.invoice()
    shop.post("customerPayment", payment(shop, 150, autoApply=True))
    assert [due(shop, one)[1:] for one in (first, second)] == [(0, "B"), (66, "A")]


@pytest.mark.parametrize(("amount", "part"), [(200, 109), (50, 60)])
def test_too_much_cannot_be_applied(shop, amount, part):
    invoice = shop.invoice()
    assert shop.refused("POST", "customerPayment", payment(shop, amount, (invoice, part)))[:2] == (400, "USER_ERROR")
    assert (shop.account.rows("customerPayment"), due(shop, invoice)) == ([], (0, 108, "A"))


def test_invoice_of_another_customer_or_none_cannot_be_paid(shop):
    invoice = shop.invoice()
    other = shop.customer("Other")
    body = {**payment(shop, 5, (invoice, 5)), "customer": {"id": other}}
    assert shop.refused("POST", "customerPayment", body)[:2] == (400, "INVALID_CONTENT")
    assert shop.refused("POST", "customerPayment", payment(shop, 5, ("9999", 5)))[:2] == (400, "INVALID_CONTENT")
    assert shop.refused("POST", "customerPayment", {"payment": 5})[2].endswith("for: Customer.")


def test_deleted_payment_opens_the_invoice_again(shop):
    invoice = shop.invoice()
    paid = shop.post("customerPayment", payment(shop, 108, (invoice, 108)))
    assert shop.refused("DELETE", f"invoice/{invoice}")[:2] == (400, "USER_ERROR")
    shop.write("DELETE", f"customerPayment/{paid}")
    assert due(shop, invoice) == (0, 108, "A")


def test_invoice_transformed_into_its_payment(shop):
    invoice = shop.invoice()
    paid = shop.post(f"invoice/{invoice}/!transform/customerPayment", {"payment": 100, "externalId": "pay-1"})
    body = shop.get(f"customerPayment/{paid}")
    assert (body["payment"], body["applied"], body["customer"]["id"]) == (100, 100, "101")
    shop.post(f"invoice/{invoice}/!transform/customerPayment")
    assert due(shop, invoice) == (108, 0, "B")


def test_standalone_invoice_and_customer_balance(shop):
    shop.stocked()
    lines = {"items": [{"item": {"id": "201"}, "amount": 50}]}
    shop.post("invoice", {"entity": {"id": "101"}, "item": lines})
    assert shop.get("customer/101")["balance"] == 54
    assert shop.get("invoice/1001")["postingPeriod"] == {
        **shop.get("invoice/1001")["postingPeriod"],
        "refName": "Mar 2026",
    }


def test_paid_invoice_cannot_be_made_smaller_than_its_payments(shop):
    invoice = shop.invoice()
    shop.post("customerPayment", payment(shop, 108, (invoice, 108)))
    body = {"item": {"items": [{"line": 1, "quantity": 1}]}}
    assert shop.refused("PATCH", f"invoice/{invoice}", body)[:2] == (400, "USER_ERROR")
    assert due(shop, invoice) == (108, 0, "B")


# --- credits, deposits, voids ---


def test_credit_memo_is_applied_by_its_apply_list(shop):
    invoice = shop.invoice()
    body = {"apply": {"items": [{"doc": {"id": invoice}, "apply": True, "amount": 40}]}, "externalId": "cm-1"}
    credit = shop.get(
        f"creditMemo/{shop.post(f'invoice/{invoice}/!transform/creditMemo', body)}", simpleEnumFormat="true"
    )
    assert [credit[name] for name in ("total", "applied", "unapplied", "amountRemaining", "status")] == [
        108,
        40,
        68,
        68,
        "A",
    ]
    assert due(shop, invoice) == (40, 68, "A")
    shop.patch("creditMemo/eid:cm-1", {"apply": {"items": [{"doc": {"id": invoice}, "amount": 108}]}})
    assert (status(shop, "creditMemo", credit["id"]), due(shop, invoice)[2]) == ("B", "B")


def test_deposit_is_money_of_a_customer(shop):
    order = shop.order()
    deposit = shop.post("customerDeposit", {"customer": {"id": "101"}, "payment": 20, "salesOrder": {"id": order}})
    body = shop.get(f"customerDeposit/{deposit}")
    assert (body["payment"], body["salesOrder"]["id"], body["status"]["refName"]) == (20, order, "Not Deposited")


def test_void_zeroes_the_invoice_and_releases_order_and_payment(shop):
    order = shop.order()
    invoice = bill(shop, order)
    paid = shop.post("customerPayment", payment(shop, 100, (invoice, 100)))
    with shop.twin.person() as person:
        person.void("invoice", invoice)
    body = shop.get(f"invoice/{invoice}", simpleEnumFormat="true")
    assert [body[name] for name in ("total", "amountRemaining", "status", "memo")] == [0, 0, "V", "VOID"]
    assert (status(shop, "salesOrder", order), shop.get(f"customerPayment/{paid}")["unapplied"]) == ("B", 100)
    assert shop.refused("PATCH", f"invoice/{invoice}", {"memo": "x"})[:2] == (400, "USER_ERROR")
    assert shop.query("SELECT status, voided, foreigntotal FROM transaction WHERE type = 'CustInvc'") == [
        {"status": "V", "voided": "T", "foreigntotal": "0"}
    ]


def test_voided_payment_opens_the_invoice_again(shop):
    invoice = shop.invoice()
    paid = shop.post("customerPayment", payment(shop, 108, (invoice, 108)))
    with shop.twin.person() as person:
        person.void("customerPayment", paid)
    assert due(shop, invoice) == (0, 108, "A")
    assert status(shop, "customerPayment", paid) == "V"


def test_closed_periods_take_no_posting_but_orders(shop):
    order = shop.order(tranDate="2026-01-15")
    invoice = bill(shop, order, tranDate="2026-01-20")
    shop.twin.add_account(ACCOUNT, locked_periods=["2026-01"])
    late = two_lines(shop, tranDate="2026-01-31")
    body = {"tranDate": "2026-01-31"}
    assert shop.refused("POST", f"salesOrder/{late}/!transform/invoice", body)[2].endswith(
        "period of this transaction is closed."
    )
    assert shop.refused("PATCH", f"invoice/{invoice}", {"tranDate": "2026-02-01"})[:2] == (400, "USER_ERROR")
    assert shop.refused("DELETE", f"invoice/{invoice}")[:2] == (400, "USER_ERROR")
    assert bill(shop, late)
