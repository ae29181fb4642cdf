from __future__ import annotations

import pytest

from tests.contract.twin_support import Books, handle_of


@pytest.fixture
def books() -> Books:
    return Books()


def named(books, statement):
    return [row["DisplayName"] for row in books.query(statement).get("Customer", [])]


@pytest.fixture
def full(books):
    for name, city in (("Anna's Deli", "Bath"), ("Bert & Co", "York"), ("casa %1", "Hull"), ("Dora", "Bath")):
        books.customer(
            name, Notes=city, PrimaryEmailAddr={"Address": f"{name[0].lower()}@x.example.com"}, CompanyName=city
        )
        books.clock.advance(3600)
    return books


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (r"DisplayName = 'Anna\'s Deli'", ["Anna's Deli"]),
        ("displayname = 'DORA'", ["Dora"]),
        ("DisplayName LIKE '%a'", ["Dora"]),
        ("DisplayName like 'CASA%'", ["casa %1"]),
        ("Id IN ('4', '1', '4', '9')", ["Anna's Deli", "Dora"]),
        ("DisplayName IN ('dora', 'Nobody') AND CompanyName = 'York'", []),
        ("CompanyName = 'Bath' AND DisplayName > 'B'", ["Dora"]),
        ("MetaData.CreateTime >= '2026-03-02T22:00:00+00:00'", ["casa %1", "Dora"]),
        ("MetaData.LastUpdatedTime < '2026-03-02T13:00:00'", ["Anna's Deli"]),
        ("PrimaryEmailAddr = 'b@x.example.com'", ["Bert & Co"]),
        ("GivenName = ' '", ["Anna's Deli", "Bert & Co", "casa %1", "Dora"]),
        ("Balance = 0", ["Anna's Deli", "Bert & Co", "casa %1", "Dora"]),
        ("Balance > '0.5'", []),
        ("Active = true", ["Anna's Deli", "Bert & Co", "casa %1", "Dora"]),
    ],
)
def test_conditions(full, where, found):
    assert named(full, f"SELECT * FROM Customer  WHERE {where}") == found


@pytest.mark.parametrize(
    "words", ["ORDERBY DisplayName DESC", "ORDER BY DisplayName DESC", "orderby CompanyName, Id desc"]
)
def test_sorting_accepts_both_spellings(full, words):
    expected = (
        ["Dora", "Anna's Deli", "casa %1", "Bert & Co"]
        if "CompanyName" in words
        else ["Dora", "casa %1", "Bert & Co", "Anna's Deli"]
    )
    assert named(full, f"select * from Customer {words}") == expected


def test_paging_starts_at_one(full):
    answer = full.query("select * from cUstomer startposition 2 maxresults 2")
    assert [row["Id"] for row in answer["Customer"]] == ["2", "3"]
    assert (answer["startPosition"], answer["maxResults"]) == (2, 2)
    assert full.query("select * from Customer startposition 9") == {}


def test_count_ignores_paging(full):
    assert full.query("select count(*) from Customer startposition 1 maxresults 1") == {"totalCount": 4}


def test_columns_are_accepted_and_everything_comes(full):
    assert full.query("SELECT *, Sku FROM Item") == {}
    assert "Notes" in full.query("select Id, DisplayName from Customer")["Customer"][0]


def test_inactive_rows_hide_unless_asked_for(full):
    full.post("customer", {**handle_of(full.get("customer/4")), "sparse": True, "Active": False})
    assert full.query("select count(*) from Customer") == {"totalCount": 3}
    assert full.query("select count(*) from Customer where Active IN (true, false)") == {"totalCount": 4}
    assert named(full, "select * from Customer where Active = false") == ["Dora (deleted)"]


def test_post_query_takes_raw_text(full):
    headers = {
        "authorization": f"Bearer {full.token}",
        "accept": "application/json",
        "content-type": "application/text",
    }
    answer = full.http.post(
        f"/v3/company/{full.company.realm}/query", content="select * from Customer where Id = '1'", headers=headers
    )
    assert answer.json()["QueryResponse"]["maxResults"] == 1


def test_references_dates_and_numbers_of_documents(books):
    books.invoice(DocNumber="A-1")
    books.invoice(TxnDate="2026-02-01")
    for where in ("CustomerRef = '1' AND TxnDate = CURRENT_DATE", "DocNumber = 'a-1'", "TxnDate >= '2026-03-01'"):
        assert [row["Id"] for row in books.query(f"select * from Invoice where {where}")["Invoice"]] == ["101"]
    assert books.query("select count(*) from Invoice where Balance > 100") == {"totalCount": 2}


def test_page_is_a_hundred_by_default_and_a_thousand_at_most(books):
    for number in range(1001):
        books.customer(f"C{number}")
    assert books.query("select * from Customer")["maxResults"] == 100
    assert books.query("select * from Customer maxresults 5000")["maxResults"] == 1000


@pytest.mark.parametrize(
    ("statement", "code", "detail"),
    [
        (
            "select * from Customer where Shoe = '1'",
            "4001",
            "QueryValidationError: Property Shoe not found for Entity Customer",
        ),
        (
            "select * from Invoice where PrivateNote = 'x'",
            "4001",
            "QueryValidationError: Property PrivateNote not found for Entity Invoice",
        ),
        (
            "select * from Customer where Id > '1'",
            "4001",
            "QueryValidationError: Operator > is not supported for property Id",
        ),
        (
            "select * from Customer startposition 0",
            "4001",
            "QueryValidationError: startPosition value 0 is too small. Min allowed value is 1",
        ),
        ("select * from Gadget", "4001", "QueryValidationError: Entity Gadget not found"),
        (
            "select * from Customer where DisplayName = 'O''Brien'",
            "4000",
            'QueryParserError: Encountered " <STRING> "\'Brien\' "" at line 1, column 47.',
        ),
        (
            "select * from Customer where Id = '1' OR Id = '2'",
            "4000",
            'QueryParserError: Encountered " <IDENTIFIER> "OR "" at line 1, column 39.',
        ),
        (
            "select * from Customer where DisplayName = \u2019x\u2019",
            "4000",
            'QueryParserError: Encountered " <BAD> "\u2019 "" at line 1, column 44.',
        ),
        ("select * from", "4000", "QueryParserError: Encountered <EOF> at line 1, column 14."),
        ("update Customer", "4000", 'QueryParserError: Encountered " <IDENTIFIER> "update "" at line 1, column 1.'),
    ],
)
def test_errors(books, statement, code, detail):
    answer = books.call("GET", "query", query=statement)
    (error,) = answer.json()["Fault"]["Error"]
    assert (answer.status_code, error["code"], error["Detail"]) == (400, code, detail)
