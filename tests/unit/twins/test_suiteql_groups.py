"""GROUP BY, HAVING, DISTINCT, aggregates, and how many rows: ROWNUM, TOP, FETCH FIRST."""

import pytest

from tests.unit.twins.suiteql_support import UNSUPPORTED


def test_groups_with_their_sums_and_counts(account):
    q = "SELECT type, COUNT(*) AS n, SUM(total) AS s, AVG(total) a, MIN(id) lo, MAX(id) hi FROM transaction GROUP BY type ORDER BY type"
    assert account.rows(q) == [
        {"type": "CustInvc", "n": "2", "s": "0.3", "a": "0.15", "lo": "101", "hi": "102"},
        {"type": "CustPymt", "n": "1", "s": "7", "a": "7", "lo": "103", "hi": "103"},
        {"type": "SalesOrd", "n": "1", "s": "10.1", "a": "10.1", "lo": "100", "hi": "100"},
    ]


def test_having_chooses_groups_and_where_chooses_rows(account):
    grouped = "SELECT entity FROM transaction {} GROUP BY entity HAVING SUM(total) > 7 ORDER BY entity"
    assert account.column(grouped.format("")) == ["1"]
    assert account.column(grouped.format("WHERE type = 'CustInvc'")) == []


def test_groups_of_expressions(account):
    q = "SELECT UPPER(companyname) || '!' AS loud, COUNT(*) AS n FROM customer GROUP BY UPPER(companyname) ORDER BY COUNT(*) DESC, loud"
    assert account.rows(q) == [{"loud": "ANNA!", "n": "2"}, {"loud": "!", "n": "1"}, {"loud": "BERT!", "n": "1"}]


def test_aggregates_without_rows(account):
    q = "SELECT COUNT(*) AS n, SUM(balance) AS s, MAX(id) AS hi FROM customer WHERE id > 99"
    assert account.rows(q) == [{"n": "0"}]
    assert account.rows(f"{q} GROUP BY terms") == []


def test_aggregates_pass_over_nulls(account):
    q = "SELECT COUNT(balance) AS n, COUNT(terms) AS t, COUNT(DISTINCT terms) AS d, SUM(DISTINCT terms) AS s, AVG(balance) AS a FROM customer"
    assert account.rows(q) == [{"n": "3", "t": "3", "d": "2", "s": "7", "a": "4.2"}]


def test_aggregates_of_expressions_and_expressions_of_aggregates(account):
    q = "SELECT SUM(CASE WHEN type = 'CustInvc' THEN total * -1 ELSE 0 END) * 100 AS cents, ROUND(MAX(total) / COUNT(*), 1) AS r FROM transaction"
    assert account.rows(q) == [{"cents": "-30", "r": "2.5"}]


def test_extremes_keep_the_kind_of_their_column(account):
    q = "SELECT MAX(balance) AS b, MIN(companyname) AS c, TO_CHAR(MAX(lastmodifieddate), 'HH24:MI') AS l, MIN(datecreated) AS d FROM customer"
    assert account.rows(q) == [{"b": "12.5", "c": "Anna", "l": "02:00", "d": "01/31/2026"}]


def test_listagg_joins_texts_in_order(account):
    listed = "SELECT LISTAGG({}, ', ') WITHIN GROUP (ORDER BY {}) FROM customer"
    assert account.column(listed.format("entityid", "id DESC")) == ["C10, C3, C2, C1"]
    assert account.column(listed.format("id", "balance")) == ["2, 10, 1, 3"]
    assert account.column(listed.format("companyname", "id")) == ["Anna, bert, Anna"]


def test_what_is_not_grouped_by_cannot_be_shown(account):
    for q in (
        "SELECT companyname, id FROM customer GROUP BY companyname",
        "SELECT id, COUNT(*) FROM customer",
        "SELECT COUNT(*) FROM customer GROUP BY terms HAVING id > 1",
        "SELECT COUNT(*) FROM customer GROUP BY terms ORDER BY id",
        "SELECT terms, (SELECT MAX(t.id) FROM transaction t WHERE t.entity = c.id) FROM customer c GROUP BY terms",
        "SELECT COUNT(*) FROM customer GROUP BY 1",
        "SELECT COUNT(*) FROM customer GROUP BY (1)",
        "SELECT terms, SUM(balance) OVER (ORDER BY terms) FROM customer GROUP BY terms",
        "SELECT id FROM customer WHERE COUNT(*) > 1",
        "SELECT SUM(COUNT(*)) FROM customer",
    ):
        assert account.refusal(q).detail == UNSUPPORTED, q


def test_a_correlated_sub_select_may_use_what_is_grouped_by(account):
    q = "SELECT c.id, COUNT(*) AS n, (SELECT MAX(t.id) FROM transaction t WHERE t.entity = c.id) AS t FROM customer c WHERE c.id < 3 GROUP BY c.id ORDER BY 1"
    assert account.rows(q) == [{"id": "1", "n": "1", "t": "101"}, {"id": "2", "n": "1", "t": "102"}]


def test_distinct_rows_are_ordered_by_what_they_show(account):
    assert account.rows("SELECT DISTINCT terms, isinactive FROM customer ORDER BY terms") == [
        {"terms": "3", "isinactive": "F"},
        {"terms": "4", "isinactive": "F"},
        {"isinactive": "T"},
    ]
    assert account.refusal("SELECT DISTINCT terms FROM customer ORDER BY id").detail == UNSUPPORTED


def test_rownum_cuts_before_the_order(account):
    assert account.column("SELECT id FROM customer WHERE ROWNUM <= 2 ORDER BY id DESC") == ["2", "1"]
    assert account.column("SELECT id FROM customer ORDER BY id DESC FETCH FIRST 2 ROWS ONLY") == ["10", "3"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("ROWNUM < 3", ["1", "2"]),
        ("ROWNUM < 2.5", ["1", "2"]),
        ("3 > ROWNUM", ["1", "2"]),
        ("ROWNUM = 1", ["1"]),
        ("ROWNUM = 2", []),
        ("ROWNUM > 1", []),
        ("ROWNUM >= 2", []),
        ("ROWNUM > 0", ["1", "2", "3", "10"]),
        ("ROWNUM >= 1 AND ROWNUM <= 1", ["1"]),
        ("ROWNUM <= 0", []),
        ("id > 1 AND (ROWNUM <= 2)", ["2", "3"]),
    ],
)
def test_rownum_numbers_only_rows_that_pass(account, condition, found):
    assert account.column(f"SELECT id FROM customer WHERE {condition}") == found


def test_rownum_is_shown_as_counted_and_limits_what_is_grouped(account):
    assert account.rows("SELECT ROWNUM AS rn, id FROM customer WHERE id > 1 ORDER BY id DESC") == [
        {"rn": "3", "id": "10"},
        {"rn": "2", "id": "3"},
        {"rn": "1", "id": "2"},
    ]
    assert account.column("SELECT COUNT(*) FROM customer WHERE ROWNUM <= 3") == ["3"]
    assert account.column("SELECT DISTINCT terms FROM customer WHERE ROWNUM <= 3 ORDER BY terms") == ["3", None]


def test_pages_by_rownum_around_an_ordered_sub_select(account):
    q = """SELECT * FROM (SELECT a.*, ROWNUM rn FROM (SELECT id, entityid FROM customer ORDER BY id DESC) a WHERE ROWNUM <= 3)
           WHERE rn > 1"""
    assert account.rows(q) == [{"id": "3", "entityid": "C3", "rn": "2"}, {"id": "2", "entityid": "C2", "rn": "3"}]


def test_rownum_of_joined_rows(account):
    q = "SELECT c.entityid, t.id FROM customer c, transaction t WHERE c.id = t.entity AND ROWNUM < 3 ORDER BY t.id DESC"
    assert account.rows(q) == [{"entityid": "C1", "id": "101"}, {"entityid": "C1", "id": "100"}]


def test_rownum_elsewhere_is_refused(account):
    for condition in ("ROWNUM <= 2 OR id = 3", "ROWNUM + 1 < 3", "ROWNUM <= id", "ROWNUM IN (1, 2)", "ROWNUM <> 1"):
        assert account.refusal(f"SELECT id FROM customer WHERE {condition}").detail == UNSUPPORTED


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("SELECT TOP 2 id FROM customer ORDER BY id DESC", ["10", "3"]),
        ("SELECT id FROM customer ORDER BY id FETCH FIRST ROW ONLY", ["1"]),
        ("SELECT id FROM customer ORDER BY id FETCH NEXT 99 ROWS ONLY", ["1", "2", "3", "10"]),
        ("SELECT id FROM customer ORDER BY id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY", ["2", "3"]),
        ("SELECT id FROM customer ORDER BY id OFFSET 3 ROWS", ["10"]),
    ],
)
def test_a_querys_own_limit_is_its_total(account, q, found):
    assert account.column(q) == found
    assert account.suiteql.run(q, limit=1, offset=0).total == len(found)


def test_fetch_first_can_be_switched_off(account):
    q = "SELECT id FROM customer ORDER BY id FETCH FIRST 2 ROWS ONLY"
    account.habits(fetch_first=False)
    assert account.refusal(q).detail == UNSUPPORTED
