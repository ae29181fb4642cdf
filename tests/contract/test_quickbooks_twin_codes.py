"""The codes that the twin's dial gives are those of its own refusals, in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erp_twins.quickbooks.codes import MESSAGES
from tests.contract.twin_support import REALM, Books, handle_of, sale


def refused_for_a_closed_book(books: Books) -> None:
    books.invoice()
    books.twin.add_company(REALM, book_close_date="2026-03-31")
    books.post("invoice", books.draft())


def refused_for_a_stale_version(books: Books) -> None:
    old = handle_of(books.customer())
    books.post("customer", {**old, "sparse": True, "CompanyName": "A"})
    books.post("customer", {**old, "sparse": True, "CompanyName": "B"})


def refused_for_a_number(books: Books) -> None:
    books.twin.add_company(REALM, warn_duplicate_numbers=True)
    books.invoice(DocNumber="1")
    books.invoice(DocNumber="1")


def refused_for_a_linked_payment(books: Books) -> None:
    paid = books.invoice()
    books.post("payment", books.payment("10.00", (paid["Id"], "10.00")))
    books.post("invoice", handle_of(books.get(f"invoice/{paid['Id']}")), operation="delete")


def refused_for_an_open_balance(books: Books) -> None:
    books.invoice()
    books.post("customer", {**handle_of(books.get("customer/1")), "sparse": True, "Active": False})


def refused_for_an_ended_subscription(books: Books) -> None:
    books.twin.add_company(REALM, subscription_active=False)
    books.customer()


def refused_for_too_much(books: Books) -> None:
    paid = books.invoice()
    books.post("payment", books.payment("500.00", (paid["Id"], "500.00")))


def refused_for_its_customer(books: Books) -> None:
    paid = books.invoice()
    other = books.customer("Somebody else")
    books.post("payment", {**books.payment("10.00", (paid["Id"], "10.00")), "CustomerRef": {"value": other["Id"]}})


REAL: dict[str, Callable[[Books], Any]] = {
    "500": lambda books: books.post("preferences", {}),
    "610": lambda books: books.get("invoice/99"),
    "620": refused_for_its_customer,
    "800": refused_for_a_linked_payment,
    "1040": lambda books: books.post("batch", {"BatchItemRequest": [{"bId": str(n)} for n in range(31)]}),
    "2010": lambda books: books.customer(Nonsense="x"),
    "2020": lambda books: books.post("payment", {"CustomerRef": {"value": books.customer()["Id"]}}),
    "2030": lambda books: books.post("customer", {"Id": "x", "SyncToken": "0"}),
    "2040": lambda books: books.customer("A:B"),
    "2050": lambda books: books.customer(CompanyName="x" * 500),
    "2060": lambda books: books.invoice(TxnDate="tomorrow"),
    "2090": lambda books: books.post(
        "payment", {"CustomerRef": {"value": books.customer()["Id"]}, "TotalAmt": "a lot"}
    ),
    "2130": lambda books: books.post("customer", {"DisplayName": "A"}, requestid="x" * 51),
    "2170": lambda books: books.invoice(EmailStatus="Maybe"),
    "2210": lambda books: books.customer(PrimaryEmailAddr={"Address": "nobody"}),
    "2290": lambda books: [books.customer(), books.post("payment", books.payment("-1.00"))],
    "2500": lambda books: books.invoice(CustomerRef={"value": "99"}),
    "4000": lambda books: books.query("select from nothing at all"),
    "4001": lambda books: books.query("select * from Customer where Nonsense = '1'"),
    "5010": refused_for_a_stale_version,
    "5030": lambda books: books.customer(CurrencyRef={"value": "EUR"}),
    "6000": refused_for_too_much,
    "6070": lambda books: books.invoice(sale("10.00", qty="3", price="3.00")),
    "6080": lambda books: books.post("customer", {"CompanyName": "A"}),
    "6100": lambda books: books.invoice(sale("10.00", code="7")),
    "6140": refused_for_a_number,
    "6190": refused_for_an_ended_subscription,
    "6200": refused_for_a_closed_book,
    "6220": refused_for_an_open_balance,
    "6240": lambda books: [books.customer("A"), books.customer("A")],
    "6420": lambda books: books.invoice(EmailStatus="NeedToSend"),
}


@pytest.mark.parametrize("code", REAL)
def test_the_dial_says_what_quickbooks_says_when_it_is_provoked(code):
    books, heard = Books(), []
    call = books.call

    def listen(*args, **kwargs):
        answer = call(*args, **kwargs)
        heard.append(answer)
        return answer

    books.call = listen
    with pytest.raises(AssertionError):
        REAL[code](books)
    (error,) = heard[-1].json()["Fault"]["Error"]
    assert (error["code"], error["Message"]) == (code, MESSAGES[code])
