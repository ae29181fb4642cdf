from __future__ import annotations

from decimal import Decimal

import pytest

from tests.contract.twin_support import REALM, Books, handle_of, sale

SHIPPING = {
    "DetailType": "SalesItemLineDetail",
    "Amount": 5,
    "SalesItemLineDetail": {"ItemRef": {"value": "SHIPPING_ITEM_ID"}},
}


def discount(**detail):
    amount = {"Amount": detail.pop("Amount")} if "Amount" in detail else {}
    return {"DetailType": "DiscountLineDetail", **amount, "DiscountLineDetail": detail}


@pytest.fixture
def books() -> Books:
    return Books()


def test_invoice_reply_completes_the_document(books):
    books.customer(BillAddr={"Line1": "1 Mill Lane"})
    books.item()
    made = books.invoice(
        sale(qty="3", price="12.5"), SalesTermRef={"value": "3"}, TxnTaxDetail={"TotalTax": Decimal("3.09")}
    )
    assert (made["TotalAmt"], made["Balance"], made["TxnTaxDetail"]["TotalTax"]) == (
        Decimal("40.59"),
        Decimal("40.59"),
        Decimal("3.09"),
    )
    assert [(line.get("Id"), line["DetailType"], line["Amount"]) for line in made["Line"]] == [
        ("1", "SalesItemLineDetail", Decimal("37.50")),
        (None, "SubTotalLineDetail", Decimal("37.50")),
    ]
    assert (made["DueDate"], made["BillAddr"]["Line1"], made["CustomerRef"]["name"]) == (
        "2026-04-01",
        "1 Mill Lane",
        "Blue Door Cafe",
    )


def test_answers_carry_exact_cents(books):
    assert b'"TotalAmt":108.00' in books.call("POST", "invoice", books.draft()).content


def test_amount_must_be_quantity_times_price(books):
    assert books.refused("invoice", books.draft(sale("37.51", qty="3", price="12.5"))) == ["6070"]
    assert books.invoice(sale("0.13", qty="0.5", price="0.25"))["Line"][0]["Amount"] == Decimal("0.13")


def test_discount_and_shipping_enter_the_total(books):
    made = books.invoice(
        sale("80.00"), discount(PercentBased=True, DiscountPercent=10), SHIPPING, TxnTaxDetail={"TotalTax": 0}
    )
    assert made["TotalAmt"] == Decimal("77.00")
    assert [line["Amount"] for line in made["Line"]] == [80, 8, 5, 80]


def test_discount_rules(books):
    assert books.refused("invoice", books.draft(sale("10.00"), discount(Amount=11, PercentBased=False))) == ["6000"]
    assert books.refused("invoice", books.draft(sale("10.00"), discount(PercentBased=True))) == ["6090"]
    assert books.refused("invoice", books.draft(sale("10.00"), discount(Amount=1), discount(Amount=1))) == ["6000"]
    books.twin.add_company(REALM, allow_discount=False, allow_shipping=False)
    assert books.refused("invoice", books.draft(sale("10.00"), discount(Amount=1))) == ["6000"]
    assert books.refused("invoice", books.draft(sale("10.00"), SHIPPING)) == ["6000"]


def test_us_tax_engine_computes_unless_overridden(books):
    assert books.invoice()["TxnTaxDetail"]["TotalTax"] == 8
    assert books.invoice(sale("100.00", code="NON"))["TxnTaxDetail"]["TotalTax"] == 0
    assert books.refused("invoice", books.draft(sale("100.00", code="2"))) == ["6100"]
    books.twin.add_company(REALM, tax_delta="0.01")
    assert books.invoice(TxnTaxDetail={"TotalTax": 5})["TotalAmt"] == Decimal("105.01")


def test_company_without_sales_tax_ignores_tax(books):
    books.twin.add_company(REALM, tax_engine="us_none")
    assert books.invoice(TxnTaxDetail={"TotalTax": 5})["TotalAmt"] == 100


def test_outside_the_us_tax_is_rounded_per_rate_and_needs_a_code_on_each_line(books):
    books.twin.add_company("777", tax_engine="non_us", country="GB", currency="GBP")
    books.token = books.twin.connect("app-1", "777")["access_token"]
    company = books.twin.company("777")
    answer = _abroad(books, "customer", {"DisplayName": "Abroad"})
    assert answer["CurrencyRef"] == {"value": "GBP"}
    _abroad(
        books, "item", {"Name": "Tea", "Type": "Service", "IncomeAccountRef": {"value": company.account("Services")}}
    )
    made = _abroad(
        books, "invoice", {"CustomerRef": {"value": "1"}, "Line": [sale("10.13", code="2") for _ in range(3)]}
    )
    assert made["TxnTaxDetail"]["TotalTax"] == Decimal("1.52")  # 5 % of 30.39; per line it would be 1.53
    given = [
        {"Amount": Decimal("1.50"), "DetailType": "TaxLineDetail", "TaxLineDetail": {"TaxRateRef": {"value": "2"}}}
    ]
    again = _abroad(
        books,
        "invoice",
        {"CustomerRef": {"value": "1"}, "Line": [sale("30.39", code="2")], "TxnTaxDetail": {"TaxLine": given}},
    )
    assert again["TotalAmt"] == Decimal("31.89")
    bare = {"Amount": 1, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    refused = _abroad(books, "invoice", {"CustomerRef": {"value": "1"}, "Line": [bare]})
    assert (refused["Error"][0]["code"], "GST/HST" in refused["Error"][0]["Detail"]) == ("6000", True)


def _abroad(books, path, body):
    from erp_twins import jsonio

    headers = {
        "authorization": f"Bearer {books.token}",
        "accept": "application/json",
        "content-type": "application/json",
    }
    answer = books.http.post(f"/v3/company/777/{path}", content=jsonio.dumps(body), headers=headers)
    return next(iter(jsonio.loads(answer.content).values()))


def test_doc_numbers_follow_the_preference(books):
    assert "DocNumber" not in books.invoice()
    assert books.invoice(DocNumber="SHOP-1")["DocNumber"] == "SHOP-1"
    second = books.invoice(DocNumber="SHOP-1")
    books.twin.add_company(REALM, warn_duplicate_numbers=True)
    answer = books.call("POST", "invoice", books.draft(DocNumber="SHOP-1"))
    (error,) = answer.json()["Fault"]["Error"]
    assert error["code"] == "6140"
    assert "DocNumber=SHOP-1 is assigned to TxnType=Invoice with TxnId=102" in error["Detail"]
    assert books.post("invoice", books.draft(DocNumber="SHOP-1"), include="allowduplicatedocnum")["Id"] == "104"
    assert books.twin.ledger().doubles("Invoice")[0][1] == second
    books.twin.add_company(REALM, custom_txn_numbers=False)
    assert books.invoice(DocNumber="MINE")["DocNumber"] == "1001"


def test_sparse_update_replaces_the_lines_as_a_unit_and_keeps_their_ids(books):
    made = books.invoice(sale("10.00"), sale("20.00"), PrivateNote="kept")
    kept = {**made["Line"][1], "Description": "second"}
    changed = books.post("invoice", {**handle_of(made), "sparse": True, "Line": [kept, sale("5.00")]})
    assert [(line.get("Id"), line["Amount"]) for line in changed["Line"]] == [("2", 20), ("3", 5), (None, 25)]
    assert (changed["PrivateNote"], changed["TotalAmt"]) == ("kept", 27)
    noted = books.post("invoice", {**handle_of(changed), "sparse": True, "PrivateNote": "new"})
    assert (noted["PrivateNote"], noted["TotalAmt"], noted["Line"]) == ("new", 27, changed["Line"])


def test_full_update_of_an_invoice_needs_its_lines(books):
    made = books.invoice(PrivateNote="gone")
    assert books.refused("invoice", {**handle_of(made), "CustomerRef": {"value": "1"}}) == ["2020"]
    assert "PrivateNote" not in books.post("invoice", {**books.draft(), **handle_of(made)})


def test_sales_and_refund_receipts_are_settled_at_once(books):
    receipt = books.post("salesreceipt", books.draft())
    refund = books.post("refundreceipt", {**books.draft(), "DepositToAccountRef": {"value": "1"}})
    assert (receipt["Balance"], receipt["TotalAmt"], refund["TotalAmt"]) == (0, 108, 108)
    assert books.refused("refundreceipt", books.draft()) == ["2020"]


def test_closed_books_refuse_old_dates(books):
    made = books.invoice()
    books.twin.add_company(REALM, book_close_date="2026-03-02")
    assert books.refused("invoice", books.draft()) == ["6200"]
    assert books.refused("invoice", handle_of(made), operation="delete") == ["6200"]
    books.twin.add_company(REALM, book_close_password=True)
    assert books.refused("invoice", books.draft()) == ["6210"]
    assert books.invoice(TxnDate="2026-03-03")["TxnDate"] == "2026-03-03"


def test_currency_must_match_the_customers_and_brings_the_rate(books):
    books.twin.add_company(REALM, multicurrency=True)
    books.customer("Euro Foods", CurrencyRef={"value": "EUR"})
    books.item()
    books.post("exchangerate", {"SourceCurrencyCode": "EUR", "Rate": Decimal("1.1"), "AsOfDate": "2026-03-01"})
    assert books.refused("invoice", books.draft(CurrencyRef={"value": "USD"})) == ["6000"]
    made = books.invoice(CurrencyRef={"value": "EUR"})
    assert (made["ExchangeRate"], made["HomeTotalAmt"]) == (Decimal("1.1"), Decimal("118.80"))
    assert books.get("exchangerate", sourcecurrencycode="EUR")["Rate"] == Decimal("1.1")


def test_more_than_750_taxable_lines_are_refused(books):
    books.invoice()
    assert books.refused("invoice", books.draft(*[sale("1.00") for _ in range(751)])) == ["6000"]
    assert books.invoice(*[sale("1.00", code="NON") for _ in range(751)])["TotalAmt"] == 751


def test_send_marks_the_invoice_as_mailed_and_pdf_is_a_pdf(books):
    made = books.invoice()
    sent = books.post(f"invoice/{made['Id']}/send", b"", sendTo="ap@cafe.example.com")
    assert (sent["EmailStatus"], sent["BillEmail"], sent["SyncToken"]) == (
        "EmailSent",
        {"Address": "ap@cafe.example.com"},
        "1",
    )
    assert books.call("GET", f"invoice/{made['Id']}/pdf").content.startswith(b"%PDF-")


def test_forced_tax_delta_is_added_once(books):
    books.twin.add_company(REALM, tax_delta="0.01")
    made = books.invoice()
    noted = books.post("invoice", {**handle_of(made), "sparse": True, "PrivateNote": "x"})
    assert (made["TotalAmt"], noted["TotalAmt"]) == (Decimal("108.01"), Decimal("108.01"))
