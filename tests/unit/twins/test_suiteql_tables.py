"""Where rows come from, BUILTIN.DF and BUILTIN.CF, and many asking at once."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from erp_twins.netsuite.suiteql import Table
from tests.unit.twins.suiteql_support import Asked


class Counted:
    """A table that counts how often it is read."""

    def __init__(self):
        self.found, self.reads = [{"id": 1}], 0

    def rows(self):
        self.reads += 1
        return list(self.found)

    def table(self, version):
        return Table("counted", {"id": "integer", "lastmodifieddate": "datetime"}, self.rows, version)


def test_a_table_is_read_once_for_each_version(account):
    counted = Counted()
    account.tables = {**account.tables, "counted": counted.table(1)}
    account.rows("SELECT id FROM customer")
    assert counted.reads == 0
    assert account.column("SELECT COUNT(*) FROM counted") == ["1"]
    counted.found.append({"id": 2})
    assert account.column("SELECT COUNT(*) FROM counted a, counted b") == ["1"]
    assert counted.reads == 1
    account.tables = {**account.tables, "counted": counted.table(2)}
    assert account.column("SELECT COUNT(*) FROM counted") == ["2"]
    assert counted.reads == 2


def test_another_zone_reads_the_tables_anew(account):
    counted = Counted()
    account.tables = {"counted": counted.table(1)}
    account.rows("SELECT id FROM counted")
    account.habits(zone="Europe/Berlin")
    account.rows("SELECT id FROM counted")
    assert counted.reads == 2


def test_a_table_that_fails_to_be_read_is_read_again(account):
    broken = {"id": "integer"}
    account.tables = {"counted": Table("counted", broken, lambda: [{"id": 1}, {"id": "x"}])}
    with pytest.raises(ValueError, match="invalid literal"):
        account.rows("SELECT id FROM counted")
    account.tables = {"counted": Table("counted", broken, lambda: [{"id": 1}])}
    assert account.column("SELECT id FROM counted") == ["1"]


def test_a_column_that_the_account_loses_is_unknown(account):
    whole = account.tables["customer"]
    account.rows("SELECT terms FROM customer")
    columns = {name: kind for name, kind in whole.columns.items() if name != "terms"}
    account.tables = {"customer": replace(whole, columns=columns)}
    assert "Unknown identifier 'terms'" in account.refusal("SELECT terms FROM customer").detail
    assert account.rows("SELECT * FROM customer WHERE id = 10")[0].keys() == columns.keys()


def test_df_shows_the_display_text_or_the_value_itself(account):
    asked = []

    def display(column, value):
        asked.append((column, value))
        return {"customer.terms": "Net 30", "transaction.type": "Invoice"}.get(column)

    account.habits(display=display)
    q = """SELECT BUILTIN.DF(c.terms) AS terms, BUILTIN.DF(balance) AS balance, BUILTIN.DF(isinactive) AS off,
           BUILTIN.DF(datecreated) AS made FROM customer c WHERE id IN (1, 2) ORDER BY id"""
    assert account.rows(q) == [
        {"terms": "Net 30", "balance": "12.5", "off": "F", "made": "01/31/2026"},
        {"balance": "-0.1", "off": "T", "made": "02/01/2026"},
    ]
    assert ("customer.terms", 3) in asked
    assert ("customer.isinactive", True) in asked
    assert ("customer.terms", None) not in asked
    grouped = "SELECT BUILTIN.DF(s.type) AS t, COUNT(*) AS n FROM (SELECT type FROM transaction WHERE id = 101) s GROUP BY BUILTIN.DF(s.type)"
    assert account.rows(grouped) == [{"t": "Invoice", "n": "1"}]


def test_a_fault_of_the_accounts_own_code_is_no_refusal(account):
    account.habits(display=lambda column, value: {}[column])
    with pytest.raises(KeyError, match=r"customer\.terms"):
        account.rows("SELECT BUILTIN.DF(terms) FROM customer")


def test_a_status_is_one_letter_and_qualified_by_its_type_in_criteria(account):
    q = "SELECT id, status, BUILTIN.CF(status) AS cf FROM transaction WHERE {} ORDER BY id"
    assert account.rows(q.format("type = 'CustInvc'")) == [
        {"id": "101", "status": "A", "cf": "CustInvc:A"},
        {"id": "102", "status": "B", "cf": "CustInvc:B"},
    ]
    assert account.rows(q.format("BUILTIN.CF(transaction.status) IN ('SalesOrd:B', 'SalesOrd:D')"))[0]["id"] == "100"
    assert account.rows(q.format("status = 'SalesOrd:B'")) == []
    assert account.rows(q.format("id = 103")) == [{"id": "103"}]
    assert account.column("SELECT BUILTIN.CF(entityid) FROM customer WHERE id = 1") == ["C1"]


def test_many_threads_ask_at_once(account):
    def ask(ident):
        return account.ids("id = ?", str(ident))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, [1, 2, 3, 10] * 10)) == [["1"], ["2"], ["3"], ["10"]] * 10


def test_nothing_outlives_its_account():
    account = Asked()
    account.habits(display=lambda _column, _value: "x")
    account.rows("SELECT BUILTIN.DF(id) FROM customer")
    engine = weakref.ref(account.suiteql)
    store = weakref.ref(account.suiteql._store)
    del account
    gc.collect()
    assert (engine(), store()) == (None, None)


def test_twenty_thousand_rows_are_searched_joined_and_paged(account):
    rows = [{"id": at, "parent": at // 2, "name": f"N{at}"} for at in range(20_000)]
    account.tables = {"big": Table("big", {"id": "integer", "parent": "integer", "name": "text"}, lambda: rows)}
    q = """SELECT a.id FROM big a JOIN big b ON b.id = a.parent
           WHERE b.name LIKE 'N19%' AND NOT EXISTS (SELECT 1 FROM big c WHERE c.parent = a.id) ORDER BY a.id"""
    page = account.suiteql.run(q, limit=2, offset=1000)
    assert (page.rows, page.total) == ([], 0)
    page = account.suiteql.run(
        "SELECT a.id FROM big a JOIN big b ON b.id = a.parent ORDER BY a.id", limit=2, offset=19_998
    )
    assert (page.rows, page.total) == ([{"id": "19998"}, {"id": "19999"}], 20_000)
