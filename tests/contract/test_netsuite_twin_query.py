"""SuiteQL and collections over the NetSuite twin's records: envelope, paging, permissions, dates, `q`."""

from __future__ import annotations

import pytest

from tests.contract.netsuite_twin_support import BASE, RECORD, Shop, refusal

SUITEQL = "/services/rest/query/v1/suiteql"


@pytest.fixture
def shop():
    return Shop()


# --- SuiteQL ---


def test_rows_are_texts_with_lower_case_names_in_an_envelope(shop):
    shop.customer("A", email="a@example.com", isPerson=False)
    answer = shop.suiteql({"q": "SELECT id AS Ident, companyName, phone, isInactive FROM Customer"})
    assert answer.json() == {
        "links": [{"rel": "self", "href": f"{BASE}{SUITEQL}?limit=1000&offset=0"}],
        "count": 1,
        "hasMore": False,
        "items": [{"links": [], "ident": "101", "companyname": "A", "isinactive": "F"}],
        "offset": 0,
        "totalResults": 1,
    }


def test_pages_are_linked_until_the_last(shop):
    for number in range(5):
        shop.customer(f"C{number}", externalId=f"c-{number}")
    seen, page = [], shop.suiteql({"q": "SELECT externalid FROM customer ORDER BY id"}, limit=2).json()
    links = {link["rel"]: link["href"] for link in page["links"]}
    assert links["last"].endswith("limit=2&offset=4")
    while True:
        seen += [row["externalid"] for row in page["items"]]
        forward = {link["rel"]: link["href"] for link in page["links"]}.get("next")
        if not forward:
            break
        page = shop.call(
            "POST",
            forward.removeprefix(BASE),
            {"q": "SELECT externalid FROM customer ORDER BY id"},
            {"prefer": "transient"},
        ).json()
    assert seen == ["c-0", "c-1", "c-2", "c-3", "c-4"]
    assert (page["hasMore"], page["totalResults"], {link["rel"] for link in page["links"]}) == (
        False,
        5,
        {"self", "first", "prev"},
    )


@pytest.mark.parametrize(
    ("paging", "code"),
    [({"limit": 1001}, "INVALID_PARAMETER"), ({"limit": 0}, "INVALID_PARAMETER"), ({"limit": 2, "offset": 3}, "INVALID_PARAMETER"), ({"limit": "x"}, "INVALID_PARAMETER")],
)  # fmt: skip
def test_wrong_paging_is_refused(shop, paging, code):
    assert refusal(shop.suiteql({"q": "SELECT id FROM customer"}, **paging))[:2] == (400, code)


def test_results_end_at_the_cap_without_a_word():
    shop = Shop({"result_cap": 4})
    for number in range(6):
        shop.customer(f"C{number}")
    page = shop.suiteql({"q": "SELECT id FROM customer"}, limit=3, offset=3).json()
    assert (page["count"], page["hasMore"], page["totalResults"]) == (1, False, 4)
    assert refusal(shop.suiteql({"q": "SELECT id FROM customer"}, limit=3, offset=6))[:2] == (400, "INVALID_PARAMETER")
    assert shop.get("customer", limit=3, offset=3)["totalResults"] == 4


def test_transient_must_be_preferred_and_a_query_sent(shop):
    answer = shop.suiteql({"q": "SELECT id FROM customer"}, prefer="")
    assert refusal(answer)[:2] == (400, "INVALID_HEADER")
    assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == "Prefer"
    assert refusal(shop.suiteql({"sql": "SELECT 1"}))[:2] == (400, "INVALID_CONTENT")
    assert refusal(shop.suiteql(b"SELECT 1"))[:2] == (400, "INVALID_CONTENT")


def test_placeholders_are_filled_from_params(shop):
    shop.customer("A", externalId="a-1")
    shop.customer("B", externalId="b-1")
    assert shop.query("SELECT id FROM customer WHERE externalid = ?", "b-1") == [{"id": "102"}]


def test_bad_queries_are_refused_in_netsuites_words(shop):
    shop.customer()
    answer = shop.suiteql({"q": "SELECT shoesize FROM customer"})
    assert refusal(answer)[:2] == (400, "INVALID_PARAMETER")
    detail = answer.json()["o:errorDetails"][0]
    assert detail["o:errorQueryParam"] == "q"
    assert detail["detail"].startswith(
        "Invalid search query. Detailed unprocessed description follows. Search error occurred: "
    )
    assert "shoesize" in detail["detail"]
    assert refusal(shop.suiteql({"q": "SELECT id FROM gadget"}))[2].endswith("Invalid search type: gadget.")
    shop.twin.configure(crashing_columns=("customer.phone",))
    assert refusal(shop.suiteql({"q": "SELECT phone FROM customer"}))[:2] == (500, "UNEXPECTED_ERROR")


def test_tables_follow_every_write(shop):
    order = shop.order(externalId="so-1", otherRefNum="PO-9")
    row = "SELECT id, type, recordtype, tranid, entity, status, foreigntotal, currency, otherrefnum, posting FROM transaction"
    assert shop.query(row) == [
        {"id": order, "type": "SalesOrd", "recordtype": "salesorder", "tranid": "SO1", "entity": "101", "status": "B", "foreigntotal": "108", "currency": "1", "otherrefnum": "PO-9", "posting": "F"}
    ]  # fmt: skip
    shop.post(f"salesOrder/{order}/!transform/invoice")
    assert [one["status"] for one in shop.query(f"{row} ORDER BY id")] == ["G", "A"]


def test_lines_of_sales_are_negative_beside_a_positive_header(shop):
    order = shop.order({"quantity": 2, "rate": 10, "price": {"id": "-1"}}, shippingCost=5)
    rows = shop.query("SELECT id, mainline, taxline, itemtype, quantity, foreignamount FROM transactionline WHERE transaction = ? ORDER BY linesequencenumber", order)  # fmt: skip
    assert rows == [
        {"id": "0", "mainline": "T", "taxline": "F", "foreignamount": "26.6"},
        {
            "id": "1",
            "mainline": "F",
            "taxline": "F",
            "itemtype": "NonInvtPart",
            "quantity": "-2",
            "foreignamount": "-20",
        },
        {"id": "2", "mainline": "F", "taxline": "F", "itemtype": "ShipItem", "foreignamount": "-5"},
        {"id": "3", "mainline": "F", "taxline": "T", "itemtype": "TaxItem", "foreignamount": "-1.6"},
    ]
    assert shop.query("SELECT SUM(foreignamount) AS s FROM transactionline") == [{"s": "0"}]


def test_payments_of_an_invoice_are_found_by_their_links(shop):
    invoice = shop.invoice()
    paid = shop.post(f"invoice/{invoice}/!transform/customerPayment", {"payment": 60})
    q = (
        "SELECT p.id, l.foreignamount FROM nexttransactionlinelink l JOIN transaction p ON p.id = l.nextdoc "
        "WHERE l.previousdoc = ? AND p.recordtype = 'customerpayment'"
    )
    assert shop.query(q, invoice) == [{"id": paid, "foreignamount": "60"}]
    assert shop.query(
        "SELECT linktype, previousline, nextline FROM nexttransactionlinelink WHERE nextdoc = ?", invoice
    ) == [{"linktype": "OrdBill", "previousline": "1", "nextline": "1"}]


def test_addresses_join_the_customer(shop):
    shop.customer(
        addressBook={"items": [{"defaultBilling": True, "addressBookAddress": {"city": "Oakland", "country": "US"}}]}
    )
    q = (
        "SELECT c.id, a.city, a.country, b.defaultbilling FROM customer c JOIN customeraddressbook b ON b.entity = c.id "
        "JOIN customeraddressbookentityaddress a ON a.nkey = b.addressbookaddress"
    )
    assert shop.query(q) == [{"id": "101", "city": "Oakland", "country": "US", "defaultbilling": "T"}]
    assert shop.query("SELECT defaultbillingaddress FROM customer") == [{"defaultbillingaddress": "1"}]


def test_display_names_and_prices(shop):
    shop.item(price={"items": [{"price": "9.50"}]})
    shop.order({"quantity": 1})
    assert shop.query("SELECT BUILTIN.DF(entity) AS who, BUILTIN.DF(type) AS what FROM transaction") == [
        {"who": "Blue Door Cafe", "what": "Sales Order"}
    ]
    assert shop.query("SELECT item, unitprice FROM pricing") == [{"item": "201", "unitprice": "9.5"}]


def test_date_times_have_no_zone_and_are_the_accounts_own(shop):
    shop.customer()
    row = "SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS t, datecreated AS raw FROM customer"
    assert shop.query(row) == [{"t": "2026-03-02 12:00:00", "raw": "03/02/2026"}]
    assert shop.get("customer/101")["lastModifiedDate"] == "2026-03-02T20:00:00Z"
    shop.twin.add_account("1234567", zone="Europe/Berlin", date_format="DD/MM/YYYY", raw_times=True)
    assert shop.query(row)[0]["t"] == "2026-03-02 21:00:00"
    assert shop.query(row)[0]["raw"].startswith("02/03/2026")


def test_features_that_are_off_take_their_tables_and_columns_away():
    small = Shop(one_world=False, features=("multicurrency",))
    small.customer()
    for q in ("SELECT id FROM subsidiary", "SELECT subsidiary FROM customer", "SELECT id FROM location", "SELECT class FROM transactionline", "SELECT item FROM pricing"):  # fmt: skip
        assert refusal(small.suiteql({"q": q}))[:2] == (400, "INVALID_PARAMETER"), q
    assert small.query("SELECT id FROM customer") == [{"id": "101"}]
    small.twin.add_account("1234567", features=("classes",))
    assert small.query("SELECT class FROM transactionline") == []
    assert small.query("SELECT symbol FROM currency ORDER BY id") == [
        {"symbol": "USD"},
        {"symbol": "EUR"},
        {"symbol": "GBP"},
    ]


def test_deletions_have_a_table_of_their_own(shop):
    order = shop.order()
    shop.clock.advance(3600)
    shop.write("DELETE", f"salesOrder/{order}")
    q = "SELECT recordid, recordtypeid, scriptid, type, name, context, TO_CHAR(deleteddate, 'HH24:MI:SS') AS t FROM deletedrecord"
    assert shop.query(q) == [
        {"recordid": order, "recordtypeid": "31", "scriptid": "salesorder", "type": "Sales Order", "name": "SO1", "context": "RESTWebServices", "t": "13:00:00"}
    ]  # fmt: skip
    assert shop.query("SELECT id FROM transaction") == []
    shop.write("DELETE", "customer/101")
    assert shop.query("SELECT type FROM deletedrecord ORDER BY recordid") == [
        {"type": "Customer"},
        {"type": "Sales Order"},
    ]


# --- permissions ---


def role(shop, **rights):
    shop.twin.add_role("Integration", ident="1001", **rights)


def test_without_suiteanalytics_workbook_lists_and_queries_fail_while_records_work(shop):
    shop.customer()
    role(shop, doors=("rest_web_services", "oauth_login"))
    wanted = (400, "USER_ERROR", "Your current role does not have permission to perform this action.")
    assert refusal(shop.suiteql({"q": "SELECT id FROM customer"})) == wanted
    assert shop.refused("GET", "customer") == wanted
    assert shop.refused("GET", "customer", q='companyName IS "A"') == wanted
    assert shop.get("customer/101")["id"] == "101"
    assert shop.patch("customer/101", {"phone": "1"}) == "101"


@pytest.mark.parametrize(
    ("level", "allowed"),
    [("none", set()), ("view", {"GET"}), ("create", {"GET", "POST"}), ("edit", {"GET", "POST", "PATCH"}), ("full", {"GET", "POST", "PATCH", "DELETE"})],
)  # fmt: skip
def test_levels_of_a_record_type(shop, level, allowed):
    shop.customer()
    role(shop, levels={"*": "full", "customer": level})
    calls = {
        "GET": ("customer/101", None),
        "POST": ("customer", {"companyName": "B", "subsidiary": {"id": "1"}}),
        "PATCH": ("customer/101", {"phone": "1"}),
        "DELETE": ("customer/101", None),
    }
    for method, (path, body) in calls.items():
        answer = shop.call(method, path, body)
        if method in allowed:
            assert answer.status_code < 300
        else:
            assert refusal(answer)[:2] == (403, "INSUFFICIENT_PERMISSION")
            assert "Lists -> Customers" in answer.text


def test_tables_a_role_may_not_view_are_not_found(shop):
    shop.invoice()
    role(shop, levels={"*": "full", "customer": "none", "invoice": "none"}, doors=("rest_web_services", "workbook"))
    assert refusal(shop.suiteql({"q": "SELECT id FROM customer"}))[2].endswith("Record 'customer' was not found.")
    assert refusal(shop.suiteql({"q": "SELECT recordid FROM deletedrecord"}))[2].endswith(
        "Record 'deletedrecord' was not found."
    )
    assert shop.query("SELECT type FROM transaction") == [{"type": "SalesOrd"}]


def test_transform_needs_both_types(shop):
    order = shop.order()
    role(shop, levels={"*": "full", "invoice": "view"})
    assert shop.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[:2] == (403, "INSUFFICIENT_PERMISSION")


def test_locked_record_cannot_be_opened_while_suiteql_shows_it(shop):
    shop.customer()
    with shop.twin.person() as person:
        person.lock("customer", "101")
    assert shop.refused("GET", "customer/101")[:2] == (400, "USER_ERROR")
    assert shop.refused("PATCH", "customer/101", {})[:2] == (400, "USER_ERROR")
    assert shop.query("SELECT id FROM customer") == [{"id": "101"}]
    with shop.twin.person() as person:
        person.lock("customer", "101", locked=False)
    assert shop.get("customer/101")["id"] == "101"


# --- collections ---


@pytest.fixture
def listed(shop):
    shop.customer("Anchor Ltd", email="a@example.com", creditLimit=100)
    shop.clock.advance(86400)
    shop.customer("Blue Door Cafe", creditLimit=200, isInactive=True, terms={"id": "3"})
    shop.clock.advance(86400)
    shop.customer("Cafe Blue", creditLimit=300)
    return shop


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ('companyName IS "anchor ltd"', "1"),
        ("companyName START_WITH Blue", "2"),
        ("companyName CONTAIN cafe", "23"),
        ("companyName ENDWITH Blue OR email EMPTY_NOT", "13"),
        ("email EMPTY AND creditLimit GREATER 250", "3"),
        ("creditLimit ANY_OF [100, 300]", "13"),
        ("creditLimit BETWEEN [150, 300]", "23"),
        ("creditLimit LESS_OR_EQUAL 200 AND isInactive IS false", "1"),
        ("(creditLimit EQUAL 100 OR creditLimit EQUAL 200) AND isInactive IS true", "2"),
        ("creditLimit EQUAL 100 OR creditLimit EQUAL 200 AND isInactive IS true", "12"),
        ("creditLimit EQUAL_NOT 100", "23"),
        ("terms ANY_OF [3]", "2"),
        ("id GREATER_OR_EQUAL 102", "23"),
        ("dateCreated ON 03/03/2026", "2"),
        ("lastModifiedDate AFTER 03/02/2026", "23"),
        ("lastModifiedDate ON_OR_AFTER 03/03/2026", "23"),
        ("lastModifiedDate BEFORE 03/03/2026", "1"),
        ("lastModifiedDate ON_OR_BEFORE 03/03/2026", "12"),
    ],
)
def test_q_chooses_by_body_fields(listed, q, found):
    assert "".join(row["id"][-1] for row in listed.get("customer", q=q)["items"]) == found


def test_dates_of_q_mean_midnight_in_the_accounts_zone(shop):
    shop.clock.advance(11 * 3600 + 3599)
    shop.customer("Late on Monday")
    shop.clock.advance(1)
    shop.customer("Early on Tuesday")
    assert [row["id"] for row in shop.get("customer", q="dateCreated ON 03/02/2026")["items"]] == ["101"]
    assert shop.refused("GET", "customer", q="dateCreated ON 2026-03-02") == (
        400,
        "INVALID_PARAMETER",
        "Parsing of '2026-03-02' failed with date format 'MM/DD/YYYY'.",
    )


def test_listing_gives_ids_and_links_only(listed):
    page = listed.get("customer", limit=2)
    assert page["items"][0] == {"links": [{"rel": "self", "href": f"{BASE}{RECORD}/customer/101"}], "id": "101"}
    assert (page["count"], page["hasMore"], page["offset"], page["totalResults"]) == (2, True, 0, 3)
    assert listed.refused("GET", "customer", limit=2, offset=1)[:2] == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("shoeSize EQUAL 43", "NONEXISTENT_FIELD"),
        ("addressBook EMPTY", "NONEXISTENT_FIELD"),
        ("companyName EQUAL A", "INVALID_PARAMETER"),
        ("creditLimit EQUAL many", "INVALID_PARAMETER"),
        ("companyName IS", "INVALID_PARAMETER"),
        ("companyName IS A B", "INVALID_PARAMETER"),
        ("(companyName IS A", "INVALID_PARAMETER"),
    ],
)
def test_wrong_q_is_refused(shop, q, code):
    answer = shop.call("GET", "customer", q=q)
    assert refusal(answer)[:2] == (400, code)
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == "q"


def test_field_may_be_on_the_record_and_yet_not_filterable(listed):
    listed.twin.add_account("1234567", unfilterable=("customer.lastModifiedDate",))
    answer = listed.refused("GET", "customer", q="lastModifiedDate AFTER 03/02/2026")
    assert answer == (
        400,
        "NONEXISTENT_FIELD",
        "Record collection filtering does not support the field 'lastModifiedDate'.",
    )
    schema = listed.call("GET", "metadata-catalog/customer", None, {"accept": "application/schema+json"}).json()
    assert schema["properties"]["lastModifiedDate"]["x-ns-filterable"] is False
