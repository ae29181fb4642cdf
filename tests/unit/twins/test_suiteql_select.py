"""SELECT, FROM, joins, sub-selects, sets, and what comes back."""

from decimal import Decimal

import pytest

from erp_twins.netsuite.suiteql import Table


def test_rows_are_texts_under_lower_case_keys_without_nulls(account):
    rows = account.rows(
        "SELECT ID, CompanyName AS Company, isInactive, balance, datecreated, terms FROM Customer ORDER BY id"
    )
    assert rows[:3] == [
        {"id": "1", "company": "Anna", "isinactive": "F", "balance": "12.5", "datecreated": "01/31/2026", "terms": "3"},
        {"id": "2", "company": "bert", "isinactive": "T", "balance": "-0.1", "datecreated": "02/01/2026"},
        {"id": "3", "isinactive": "F", "datecreated": "02/02/2026", "terms": "3"},
    ]


def test_expressions_without_a_name_are_counted(account):
    assert account.rows("SELECT 1 + 1, 'x' AS named, 2 * 3 FROM dual") == [{"expr1": "2", "named": "x", "expr2": "6"}]


def test_star_gives_every_column_of_one_or_all_sources(account):
    assert account.rows("SELECT * FROM transaction WHERE id = 103") == [
        {"id": "103", "type": "CustPymt", "entity": "10", "total": "7"}
    ]
    assert account.rows(
        "SELECT t.*, c.entityid FROM customer c JOIN transaction t ON t.entity = c.id WHERE t.id = 102"
    ) == [{"id": "102", "type": "CustInvc", "status": "B", "entity": "2", "total": "0.2", "entityid": "C2"}]


def test_of_equal_names_the_last_column_is_kept_even_when_it_is_null(account):
    q = "SELECT c.id, t.id FROM customer c LEFT JOIN transaction t ON t.entity = c.id WHERE c.id IN (2, 3) ORDER BY c.id"
    assert account.rows(q) == [{"id": "102"}, {}]


def test_pages_are_cut_from_the_whole_and_know_its_size(account):
    page = account.suiteql.run("SELECT id FROM customer ORDER BY id", limit=2, offset=2)
    assert (page.rows, page.total) == ([{"id": "3"}, {"id": "10"}], 4)
    page = account.suiteql.run("SELECT id FROM customer ORDER BY id", limit=2, offset=6)
    assert (page.rows, page.total) == ([], 4)
    page = account.suiteql.run("SELECT DISTINCT companyname FROM customer", limit=1, offset=0)
    assert (len(page.rows), page.total) == (1, 3)


@pytest.mark.parametrize(
    "source",
    [
        "customer c JOIN transaction t ON t.entity = c.id",
        "customer c INNER JOIN transaction t ON (c.id = t.entity)",
        "customer c CROSS JOIN transaction t WHERE t.entity = c.id",
        "customer c, transaction t WHERE t.entity = c.id",
    ],
)
def test_inner_joins_in_each_spelling(account, source):
    assert account.rows(f"SELECT c.entityid, t.id FROM {source} ORDER BY t.id") == [
        {"entityid": "C1", "id": "100"},
        {"entityid": "C1", "id": "101"},
        {"entityid": "C2", "id": "102"},
        {"entityid": "C10", "id": "103"},
    ]


def test_a_left_join_tells_conditions_of_the_join_from_those_of_the_rows(account):
    joined = "SELECT c.id cid, t.id tid FROM customer c LEFT OUTER JOIN transaction t ON t.entity = c.id AND t.type = 'CustInvc'"
    assert account.rows(f"{joined} ORDER BY c.id") == [
        {"cid": "1", "tid": "101"},
        {"cid": "2", "tid": "102"},
        {"cid": "3"},
        {"cid": "10"},
    ]
    assert account.rows(f"{joined} WHERE t.id IS NULL ORDER BY c.id") == [{"cid": "3"}, {"cid": "10"}]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("id = 1 OR id = 3 AND isinactive = 'T'", ["1"]),
        ("(id = 1 OR id = 3) AND isinactive = 'F'", ["1", "3"]),
        ("NOT (id = 1 OR id = 3)", ["2", "10"]),
        ("id <> 1 AND id != 2 AND id ^= 3", ["10"]),
        ("id BETWEEN 2 AND 3", ["2", "3"]),
        ("id NOT BETWEEN 2 AND 3", ["1", "10"]),
        ("id IN (1, 10, 99)", ["1", "10"]),
        ("id NOT IN (1, 10, 99)", ["2", "3"]),
        ("id IN ('1', '10')", ["1", "10"]),
        ("id > 9", ["10"]),
        ("terms IS NULL", ["2"]),
        ("terms IS NOT NULL", ["1", "3", "10"]),
        ("terms = NULL OR terms <> NULL", []),
        ("terms <> 3", ["10"]),
        ("companyname = ''", []),
        ("companyname IS NULL", ["3"]),
        ("companyname = 'anna'", []),
        ("companyname LIKE 'A%'", ["1", "10"]),
        ("companyname LIKE 'a%'", []),
        ("companyname LIKE '_ert'", ["2"]),
        ("companyname NOT LIKE 'A%'", ["2"]),
        ("id LIKE '1%'", ["1", "10"]),
        ("balance > 0.2", ["1"]),
        ("balance >= '0.20'", ["1", "10"]),
        ("balance IN (12.50, 0.2)", ["1", "10"]),
        ("EXISTS (SELECT 1 FROM transaction t WHERE t.entity = customer.id AND t.type = 'CustInvc')", ["1", "2"]),
        ("NOT EXISTS (SELECT 1 FROM transaction t WHERE t.entity = customer.id)", ["3"]),
        ("id IN (SELECT entity FROM transaction WHERE type = 'CustInvc')", ["1", "2"]),
        ("id NOT IN (SELECT entity FROM transaction)", ["3"]),
        ("id NOT IN (SELECT terms FROM customer)", []),
        ("id = (SELECT MAX(entity) FROM transaction)", ["10"]),
        ("balance = (SELECT total FROM transaction WHERE id = 102)", ["10"]),
        ("(SELECT COUNT(*) FROM transaction t WHERE t.entity = customer.id) = 2", ["1"]),
    ],
)
def test_conditions(account, where, found):
    assert account.ids(where) == found


def test_like_escapes_its_wildcards(account):
    assert account.one("CASE WHEN '5%' LIKE '5!%' ESCAPE '!' THEN 'yes' ELSE 'no' END") == "yes"
    assert account.one("CASE WHEN '50' LIKE '5!%' ESCAPE '!' THEN 'yes' ELSE 'no' END") == "no"


def test_question_marks_take_parameters_as_texts(account):
    assert account.ids("id > ? AND companyname = ? OR id IN (?, 99)", "1", "Anna", "2") == ["2", "10"]
    assert account.one("?", "O'Brien ? --") == "O'Brien ? --"
    assert account.one("NVL(?, 'was empty')", "") == "was empty"


def test_sub_selects_stand_as_sources_and_as_values(account):
    q = """SELECT c.entityid, s.n, (SELECT MIN(t.id) FROM transaction t WHERE t.entity = c.id) AS first
           FROM customer c JOIN (SELECT entity, COUNT(*) AS n FROM transaction GROUP BY entity) s ON s.entity = c.id
           WHERE s.n > 1"""
    assert account.rows(q) == [{"entityid": "C1", "n": "2", "first": "100"}]


def test_a_scalar_sub_select_without_rows_is_null_and_with_two_is_refused(account):
    q = "SELECT id, (SELECT t.id FROM transaction t WHERE t.entity = c.id) AS tid FROM customer c WHERE c.id IN ({})"
    assert account.rows(q.format("2, 3") + " ORDER BY id") == [{"id": "2", "tid": "102"}, {"id": "3"}]
    assert account.refusal(q.format("1")).status == 400


@pytest.mark.parametrize(
    ("operator", "found"),
    [
        ("UNION", ["1", "2", "3", "10"]),
        ("UNION ALL", ["1", "1", "1", "2", "2", "3", "10", "10"]),
        ("MINUS", ["3"]),
        ("INTERSECT", ["1", "2", "10"]),
    ],
)
def test_sets(account, operator, found):
    assert account.column(f"SELECT id FROM customer {operator} SELECT entity FROM transaction ORDER BY id") == found


def test_sets_bring_numbers_to_one_kind_and_end_with_limits(account):
    q = "SELECT id AS n FROM customer UNION ALL (SELECT total FROM transaction) ORDER BY n DESC FETCH FIRST 3 ROWS ONLY"
    page = account.suiteql.run(q, limit=2, offset=0)
    assert (page.rows, page.total) == ([{"n": "10.1"}, {"n": "10"}], 3)


def test_sets_run_from_left_to_right(account):
    q = "SELECT 1 AS n FROM dual UNION ALL SELECT 1 FROM dual UNION SELECT 2 FROM dual ORDER BY 1"
    assert account.column(q) == ["1", "2"]


def test_order_puts_nulls_last_and_descending_first_unless_told(account):
    assert account.column("SELECT id FROM customer ORDER BY balance, id") == ["2", "10", "1", "3"]
    assert account.column("SELECT id FROM customer ORDER BY balance DESC, id") == ["3", "1", "10", "2"]
    assert account.column("SELECT id FROM customer ORDER BY balance NULLS FIRST") == ["3", "2", "10", "1"]
    assert account.column("SELECT id FROM customer ORDER BY balance DESC NULLS LAST") == ["1", "10", "2", "3"]


def test_order_takes_aliases_numbers_and_expressions(account):
    assert account.rows("SELECT id AS balance FROM customer ORDER BY balance DESC")[0] == {"balance": "10"}
    assert account.column("SELECT entityid FROM customer ORDER BY 1") == ["C1", "C10", "C2", "C3"]
    assert account.column("SELECT id FROM customer ORDER BY LOWER(companyname) DESC, -id") == ["3", "2", "10", "1"]
    assert account.column("SELECT UPPER(companyname) u FROM customer ORDER BY LOWER(u), id") == [
        "ANNA",
        "ANNA",
        "BERT",
        None,
    ]


def test_aliases_behind_a_star_keep_their_values(account):
    assert account.column("SELECT s.id FROM (SELECT t.*, -id AS back FROM transaction t ORDER BY back) s") == [
        "103",
        "102",
        "101",
        "100",
    ]


def test_capitals_sort_before_small_letters(account):
    assert account.column("SELECT DISTINCT companyname FROM customer ORDER BY companyname") == ["Anna", "bert", None]


def test_keyset_paging_meets_every_row_once(account):
    rows = [{"id": ident, "lastmodifieddate": one["lastmodifieddate"]} for ident, one in _spread(account)]
    account.tables = {
        "customer": Table("customer", {"id": "integer", "lastmodifieddate": "datetime"}, lambda: rows),
    }
    moment = "TO_TIMESTAMP('{}', 'YYYY-MM-DD HH24:MI:SS')"
    seen, at, ident = [], "2026-01-01 00:00:00", 0
    while True:
        page = account.suiteql.run(
            f"""SELECT id, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed FROM customer
                WHERE (lastmodifieddate > {moment.format(at)} OR (lastmodifieddate = {moment.format(at)} AND id > {ident}))
                AND lastmodifieddate <= {moment.format("2026-03-01 01:00:00")} ORDER BY lastmodifieddate, id""",
            limit=4,
            offset=0,
        ).rows
        if not page:
            break
        seen += [int(row["id"]) for row in page]
        at, ident = page[-1]["changed"], int(page[-1]["id"])
    assert seen == [*range(0, 30, 3), *range(1, 30, 3)]


def _spread(account):
    """Thirty rows over three moments of CUSTOMERS."""
    customers = list(account.tables["customer"].rows())
    return [(ident, customers[ident % 3 + (ident % 3 == 2)]) for ident in range(30)]


def test_windows_rank_and_sum_beside_the_rows(account):
    q = """SELECT id, ROW_NUMBER() OVER (PARTITION BY companyname ORDER BY id DESC) AS turn,
                  SUM(balance) OVER (ORDER BY id) AS running FROM customer ORDER BY id"""
    assert account.rows(q) == [
        {"id": "1", "turn": "2", "running": "12.5"},
        {"id": "2", "turn": "1", "running": "12.4"},
        {"id": "3", "turn": "1", "running": "12.4"},
        {"id": "10", "turn": "1", "running": "12.6"},
    ]


def test_the_latest_row_of_each_group_by_its_rank(account):
    q = """SELECT id FROM (SELECT id, RANK() OVER (PARTITION BY entity ORDER BY id DESC) AS place FROM transaction)
           WHERE place = 1 ORDER BY id"""
    assert account.column(q) == ["101", "102", "103"]


def test_names_that_are_words_of_sql_are_columns(account):
    row = {"class": "a", "type": "b", "number": Decimal(1)}
    account.tables = {"t": Table("t", {"class": "text", "type": "text", "number": "number"}, lambda: [row])}
    assert account.rows("SELECT class, t.type, number FROM t") == [{"class": "a", "type": "b", "number": "1"}]
