from __future__ import annotations

import pytest

from tests.contract.twin_support import REALM, Books, handle_of, sale


@pytest.fixture
def books() -> Books:
    return Books()


def test_payment_lowers_the_balance_and_moves_the_invoice_token(books):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("120.00", (invoice["Id"], "100.00"), PaymentRefNum="ch_1"))
    after = books.get(f"invoice/{invoice['Id']}")
    assert (paid["UnappliedAmt"], paid["DepositToAccountRef"]["value"]) == (
        20,
        books.company.account("Undeposited Funds"),
    )
    assert (after["Balance"], after["LinkedTxn"], after["SyncToken"]) == (
        8,
        [{"TxnId": paid["Id"], "TxnType": "Payment"}],
        "1",
    )
    assert books.get("customer/1")["Balance"] == -12
    assert books.refused("invoice", {**handle_of(invoice), "sparse": True, "PrivateNote": "x"}) == ["5010"]


def test_payment_above_the_open_balance_is_6000(books):
    invoice = books.invoice()
    assert books.refused("payment", books.payment("200.00", (invoice["Id"], "108.01"))) == ["6000"]
    assert books.refused("payment", books.payment("50.00", (invoice["Id"], "60.00"))) == ["6000"]
    assert books.company.payments == []


def test_full_update_without_lines_unlinks_a_payment(books):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    unlinked = books.post("payment", {**handle_of(paid), "CustomerRef": {"value": "1"}, "TotalAmt": 108})
    assert (unlinked["UnappliedAmt"], unlinked["Line"]) == (108, [])
    after = books.get(f"invoice/{invoice['Id']}")
    assert (after["Balance"], after["LinkedTxn"]) == (108, [])


def test_sparse_update_of_a_payment_keeps_its_links(books):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    noted = books.post("payment", {**handle_of(paid), "sparse": True, "PrivateNote": "card"})
    assert (noted["PrivateNote"], noted["UnappliedAmt"]) == ("card", 0)
    assert books.get(f"invoice/{invoice['Id']}")["Balance"] == 0


def test_deleting_a_payment_reopens_the_invoice(books):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    assert books.refused("invoice", handle_of(books.get(f"invoice/{invoice['Id']}")), operation="delete") == ["800"]
    assert books.post("payment", handle_of(paid), operation="delete") == {
        "status": "Deleted",
        "domain": "QBO",
        "Id": paid["Id"],
    }
    assert books.get(f"invoice/{invoice['Id']}")["Balance"] == 108
    assert books.call("GET", f"payment/{paid['Id']}").json()["Fault"]["Error"][0]["code"] == "610"


@pytest.mark.parametrize("params", [{"operation": "update", "include": "void"}, {"operation": "void"}])
def test_voiding_a_payment_reopens_the_invoice(books, params):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    void = books.post("payment", {**handle_of(paid), "sparse": True}, **params)
    assert (void["TotalAmt"], void["UnappliedAmt"], void["PrivateNote"], void["Line"]) == (0, 0, "Voided", [])
    assert books.get(f"invoice/{invoice['Id']}")["Balance"] == 108


def test_voiding_an_invoice_releases_its_payments(books):
    invoice = books.invoice(PrivateNote="order 7")
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    void = books.post("invoice", handle_of(books.get(f"invoice/{invoice['Id']}")), operation="void")
    assert (void["TotalAmt"], void["Balance"], void["LinkedTxn"], void["PrivateNote"]) == (0, 0, [], "Voided - order 7")
    assert {line["Amount"] for line in void["Line"]} == {0}
    released = books.get(f"payment/{paid['Id']}")
    assert (released["UnappliedAmt"], released["Line"], released["SyncToken"]) == (108, [], "1")
    assert books.get("customer/1")["Balance"] == -108


def test_credit_memo_is_applied_through_a_payment(books):
    invoice = books.invoice()
    memo = books.post("creditmemo", books.draft(sale("50.00", code="NON")))
    assert memo["RemainingCredit"] == 50
    lines = [
        {"Amount": 50, "LinkedTxn": [{"TxnId": ident, "TxnType": kind}]}
        for ident, kind in ((invoice["Id"], "Invoice"), (memo["Id"], "CreditMemo"))
    ]
    books.post("payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": lines})
    assert books.get(f"invoice/{invoice['Id']}")["Balance"] == 58
    assert books.get(f"creditmemo/{memo['Id']}")["RemainingCredit"] == 0


def test_deposited_payment_is_locked(books):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    books.control("POST", f"companies/{REALM}/deposit", {"paymentId": paid["Id"]})
    for params in ({"operation": "delete"}, {"operation": "void"}, {}):
        assert books.refused("payment", {**handle_of(paid), "sparse": True}, **params) == ["6540"]


def test_shrunk_invoice_gives_the_excess_back_to_its_payment(books):
    invoice = books.invoice()
    paid = books.post("payment", books.payment("108.00", (invoice["Id"], "108.00")))
    current = books.get(f"invoice/{invoice['Id']}")
    smaller = books.post("invoice", {**handle_of(current), "sparse": True, "Line": [sale("50.00", code="NON")]})
    payment = books.get(f"payment/{paid['Id']}")
    assert (smaller["TotalAmt"], smaller["Balance"], payment["UnappliedAmt"], payment["Line"][0]["Amount"]) == (
        50,
        0,
        58,
        50,
    )
    books.post("payment", handle_of(payment), operation="delete")
    assert books.get(f"invoice/{invoice['Id']}")["Balance"] == 50
