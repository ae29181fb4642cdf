"""What NetSuite refuses, and in which words."""

import pytest

from tests.unit.twins.suiteql_support import UNSUPPORTED


@pytest.mark.parametrize(
    ("q", "detail"),
    [
        (
            "SELECT nothing FROM customer",
            "Search error occurred: Unknown identifier 'nothing'. Available identifiers are: {customer=customer}.",
        ),
        (
            "SELECT c.id FROM customer c JOIN Transaction t ON t.entity = c.id WHERE Nothing = 1",
            "Search error occurred: Unknown identifier 'Nothing'. Available identifiers are: {c=customer, t=transaction}.",
        ),
        (
            "SELECT x.id FROM customer c",
            "Search error occurred: Unknown identifier 'x'. Available identifiers are: {c=customer}.",
        ),
        (
            "SELECT customer.id FROM customer c",
            "Search error occurred: Unknown identifier 'customer'. Available identifiers are: {c=customer}.",
        ),
        (
            "SELECT id AS ident FROM customer WHERE ident = 1",
            "Search error occurred: Unknown identifier 'ident'. Available identifiers are: {customer=customer}.",
        ),
        (
            "SELECT s.nothing FROM (SELECT id FROM customer) s",
            "Search error occurred: Unknown identifier 'nothing'. Available identifiers are: {s=s}.",
        ),
        (
            "SELECT c.subsidiary FROM customer c",
            "Search error occurred: Field 'subsidiary' for record 'customer' was not found. Reason: REMOVED - Field is removed.",
        ),
        ("SELECT id FROM Subsidiary", "Invalid search type: Subsidiary."),
        ("SELECT id FROM customer WHERE id IN (SELECT id FROM nowhere)", "Invalid search type: nowhere."),
    ],
)
def test_unknown_names_are_told(account, q, detail):
    refused = account.refusal(q)
    assert (refused.detail, refused.status, refused.code) == (detail, 400, "INVALID_PARAMETER")


def test_a_hidden_table_is_not_found(account):
    account.habits(hidden=frozenset({"transaction"}))
    refused = account.refusal("SELECT id FROM transaction")
    assert (refused.detail, refused.status) == ("Search error occurred: Record 'transaction' was not found.", 400)
    assert account.ids("id = 1") == ["1"]


def test_some_columns_end_in_a_server_error(account):
    account.habits(crashing=frozenset({"customer.terms"}))
    refused = account.refusal("SELECT id FROM customer WHERE terms = 3")
    assert (refused.status, refused.code) == (500, "UNEXPECTED_ERROR")
    assert account.ids("id = 1") == ["1"]


@pytest.mark.parametrize(
    "q",
    [
        "",
        "SELECT",
        "SELEC id FROM customer",
        "SELECT id FROM customer WHERE",
        "SELECT id FROM customer WHERE id = 'open",
        "SELECT id",
        "SELECT id FROM customer; SELECT id FROM customer",
        "DELETE FROM customer",
        "UPDATE customer SET id = 1",
        "WITH c AS (SELECT id FROM customer) SELECT id FROM c",
        "SELECT id FROM customer LIMIT 5",
        "SELECT id FROM customer ORDER BY id FETCH FIRST 5 PERCENT ROWS ONLY",
        "SELECT id FROM customer ORDER BY id FETCH FIRST 5 ROWS WITH TIES",
        "SELECT NOW() FROM dual",
        "SELECT GETDATE() FROM dual",
        "SELECT DATE(lastmodifieddate) FROM customer",
        "SELECT DATE '2026-01-01' FROM dual",
        "SELECT IFNULL(id, 1) FROM customer",
        "SELECT add_days(SYSDATE, 1) FROM dual",
        "SELECT [id] FROM customer",
        "SELECT id FROM customer WHERE id == 1",
        "SELECT c.id FROM customer c, transaction t WHERE c.id = t.entity(+)",
        "SELECT c.id FROM customer c, transaction t JOIN customer d ON d.id = t.entity",
        "SELECT c.id FROM customer c JOIN transaction t",
        "SELECT c.id FROM customer c JOIN transaction t USING (id)",
        "SELECT id FROM customer NATURAL JOIN transaction",
        "SELECT id FROM customer c JOIN transaction t ON t.entity = c.id",
        "SELECT c.id FROM customer c, transaction c",
        'SELECT ident FROM (SELECT id AS "ident" FROM customer)',
        "SELECT x.id FROM (SELECT c.id, t.id FROM customer c, transaction t) x",
        "SELECT id = 1 FROM customer",
        "SELECT id FROM customer WHERE id",
        "SELECT id FROM customer WHERE isinactive",
        "SELECT id FROM customer WHERE isinactive IS TRUE",
        "SELECT id FROM customer WHERE companyname ILIKE 'a%'",
        "SELECT id FROM customer WHERE companyname LIKE 'a!b' ESCAPE '!'",
        "SELECT id FROM customer WHERE (id, terms) IN ((1, 3))",
        "SELECT id FROM customer WHERE id > ALL (SELECT 1 FROM dual)",
        "SELECT id, (SELECT id, terms FROM customer) FROM customer",
        "SELECT id FROM customer WHERE id IN (SELECT id, terms FROM customer)",
        "SELECT id FROM customer UNION SELECT id, terms FROM customer",
        "SELECT id FROM customer UNION SELECT companyname FROM customer",
        "SELECT id FROM customer UNION SELECT id FROM customer ORDER BY id + 1",
        "SELECT id FROM customer ORDER BY 2",
        "SELECT id FROM customer ORDER BY (1)",
        "SELECT CAST(id AS NUMBER DEFAULT 0 ON CONVERSION ERROR) FROM customer",
        "SELECT nobody.* FROM customer",
        "SELECT BUILTIN.DF(id + 1) FROM customer",
        "SELECT BUILTIN.CONSOLIDATE(balance) FROM customer",
        "SELECT OTHER.DF(id) FROM customer",
        "SELECT SUM(balance) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM customer",
        "SELECT RANK() OVER (PARTITION BY id) FROM customer",
        "SELECT id FROM customer WHERE ROW_NUMBER() OVER (ORDER BY id) = 1",
        "SELECT id FROM customer GROUP BY ROLLUP (id)",
        "SELECT id FROM customer WHERE companyname = '\ud800'",
        "SELECT id FROM customer WHERE companyname = '\0'",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000 + " FROM dual",
        "SELECT " + "1 + " * 3000 + "1 FROM dual",
    ],
)
def test_what_the_language_lacks_is_refused(account, q):
    refused = account.refusal(q)
    assert (refused.detail, refused.status) == (UNSUPPORTED, 400)
    assert account.ids("id = 1") == ["1"]


def test_a_list_has_a_thousand_values_at_most(account):
    listed = ", ".join(map(str, range(1000)))
    assert account.ids(f"id IN ({listed})") == ["1", "2", "3", "10"]
    assert account.refusal(f"SELECT id FROM customer WHERE id IN ({listed}, 1000)").detail == UNSUPPORTED


def test_each_question_mark_needs_a_parameter_and_the_other_way_round(account):
    assert account.refusal("SELECT id FROM customer WHERE id = ?").detail == UNSUPPORTED
    assert account.refusal("SELECT id FROM customer WHERE id = 1", ["1"]).detail == UNSUPPORTED


def test_words_of_the_refused_inside_texts_do_no_harm(account):
    assert account.one("'LIMIT == [ ? (+) WITH'") == "LIMIT == [ ? (+) WITH"
    assert account.column('SELECT id AS "The Id" FROM customer WHERE id = 1; ') == ["1"]
