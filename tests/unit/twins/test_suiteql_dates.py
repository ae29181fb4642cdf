"""Dates and date-times: zone, formats, comparisons, arithmetic."""

from datetime import UTC, date, datetime

import pytest

from erp_twins.netsuite.suiteql import Table
from tests.unit.twins.suiteql_support import SECONDS, UNSUPPORTED


def moments(account, *found):
    rows = [{"id": at, "lastmodifieddate": moment} for at, moment in enumerate(found, start=1)]
    account.tables = {"customer": Table("customer", {"id": "integer", "lastmodifieddate": "datetime"}, lambda: rows)}


def test_date_times_are_local_to_the_account_and_have_whole_seconds(account):
    moments(account, datetime(2026, 7, 1, 6, 59, 59, 999_999, tzinfo=UTC))
    shown = f"SELECT TO_CHAR(lastmodifieddate, {SECONDS}) FROM customer"
    assert account.column(shown) == ["2026-06-30 23:59:59"]
    account.habits(zone="Europe/Berlin")
    assert account.column(shown) == ["2026-07-01 08:59:59"]


def test_in_autumn_two_instants_are_one_local_time(account):
    moments(
        account,
        datetime(2026, 11, 1, 8, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 9, 10, tzinfo=UTC),
    )
    assert account.column(
        f"SELECT TO_CHAR(lastmodifieddate, {SECONDS}) FROM customer ORDER BY lastmodifieddate, id"
    ) == [
        "2026-11-01 01:10:00",
        "2026-11-01 01:30:00",
        "2026-11-01 01:30:00",
    ]
    later = f"lastmodifieddate > TO_DATE('2026-11-01 01:10:00', {SECONDS})"
    assert account.ids(later) == ["1", "2"]  # the first is earlier than the third in truth
    assert account.ids(f"lastmodifieddate = TO_DATE('2026-11-01 01:30:00', {SECONDS})") == ["1", "2"]


@pytest.mark.parametrize(
    ("date_format", "raw_times", "shown"),
    [
        ("MM/DD/YYYY", False, ("03/01/2026", "01/31/2026")),
        ("M/D/YYYY", True, ("3/1/2026 12:00 am", "1/31/2026")),
        ("DD.MM.YYYY", True, ("01.03.2026 12:00 am", "31.01.2026")),
        ("D-Mon-YYYY", False, ("1-Mar-2026", "31-Jan-2026")),
        ("DD-MONTH-YYYY", False, ("01-MARCH-2026", "31-JANUARY-2026")),
        ("YYYY-MM-DD", False, ("2026-03-01", "2026-01-31")),
    ],
)
def test_raw_columns_follow_the_account(account, date_format, raw_times, shown):
    account.habits(date_format=date_format, raw_times=raw_times)
    (row,) = account.rows("SELECT lastmodifieddate, datecreated FROM customer WHERE id = 1")
    assert tuple(row.values()) == shown
    assert account.column("SELECT lastmodifieddate || '' FROM customer WHERE id = 1") == [shown[0]]
    assert account.column("SELECT TO_CHAR(datecreated) FROM customer WHERE id = 1") == [shown[1]]


def test_a_text_compares_with_a_date_in_the_accounts_format_only(account):
    assert account.ids("datecreated >= '02/01/2026'") == ["2", "3", "10"]
    assert account.ids("datecreated = '2/1/2026'") == ["2"]
    assert account.ids("lastmodifieddate < '03/01/2026 1:00 am'") == ["1"]
    assert account.ids("datecreated BETWEEN ? AND ?", "01/31/2026", "02/01/2026") == ["1", "2"]
    for text in ("2026-02-01", "31/12/2026", "02/30/2026", "yesterday"):
        assert account.refusal(f"SELECT id FROM customer WHERE datecreated >= '{text}'").detail == UNSUPPORTED
    account.habits(date_format="DD/MM/YYYY")
    assert account.ids("datecreated >= '02/12/2026'") == ["10"]


def test_dates_and_date_times_compare_as_midnights(account):
    assert account.ids("lastmodifieddate = TO_DATE('2026-03-01', 'YYYY-MM-DD')") == ["1"]
    assert account.ids("lastmodifieddate >= TO_DATE('2026-03-02', 'YYYY-MM-DD')") == []
    assert account.ids("TRUNC(lastmodifieddate) = TO_DATE('2026-03-01', 'YYYY-MM-DD')") == ["1", "2", "3", "10"]
    assert account.ids("datecreated = TO_TIMESTAMP('2026-02-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')") == ["2"]


def test_numbers_do_not_compare_with_dates(account):
    assert account.refusal("SELECT id FROM customer WHERE datecreated > 5").detail == UNSUPPORTED
    assert account.refusal("SELECT id FROM customer WHERE id = SYSDATE").detail == UNSUPPORTED


@pytest.mark.parametrize("now", ["SYSDATE", "CURRENT_DATE", "CURRENT_TIMESTAMP"])
def test_now_is_the_accounts_clock(account, now):
    assert account.one(f"TO_CHAR({now}, {SECONDS})") == "2026-11-22 12:30:15"
    assert account.one(now) == "11/22/2026"


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("SYSDATE + 1", "2026-11-23 12:30:15"),
        ("1 + SYSDATE", "2026-11-23 12:30:15"),
        ("SYSDATE - 30", "2026-10-23 12:30:15"),
        ("SYSDATE - 1/24", "2026-11-22 11:30:15"),
        ("SYSDATE - 5/1440", "2026-11-22 12:25:15"),
        ("TRUNC(SYSDATE)", "2026-11-22 00:00:00"),
        ("TRUNC(SYSDATE, 'MM')", "2026-11-01 00:00:00"),
        ("TRUNC(SYSDATE, 'Q')", "2026-10-01 00:00:00"),
        ("TRUNC(SYSDATE, 'YEAR')", "2026-01-01 00:00:00"),
        ("TRUNC(SYSDATE, 'DAY')", "2026-11-22 00:00:00"),
        ("TRUNC(SYSDATE, 'IW')", "2026-11-16 00:00:00"),
        ("TRUNC(SYSDATE, 'HH24')", "2026-11-22 12:00:00"),
        ("ADD_MONTHS(TO_DATE('2026-01-31', 'YYYY-MM-DD'), 1)", "2026-02-28 00:00:00"),
        ("ADD_MONTHS(TO_DATE('2026-02-28', 'YYYY-MM-DD'), 1)", "2026-03-31 00:00:00"),
        ("ADD_MONTHS(TO_DATE('2026-01-15', 'YYYY-MM-DD'), -13)", "2024-12-15 00:00:00"),
        ("LAST_DAY(TO_DATE('2028-02-10', 'YYYY-MM-DD'))", "2028-02-29 00:00:00"),
        ("TO_DATE('3:04 PM 7.8.26', 'HH:MI AM DD.MM.RR')", "2026-08-07 15:04:00"),
        ("TO_DATE('12 am 1-JAN-99', 'HH AM DD-MON-RR')", "1999-01-01 00:00:00"),
        ("TO_DATE('2026-05', 'YYYY-MM')", "2026-05-01 00:00:00"),
        ("TO_DATE('2026-05-06T07:08:09', 'YYYY-MM-DD\"T\"HH24:MI:SS')", "2026-05-06 07:08:09"),
        ("TO_DATE('2026/05/06', 'YYYY-MM-DD')", "2026-05-06 00:00:00"),
        ("TO_TIMESTAMP('2026-05-06 07:08:09.123', 'YYYY-MM-DD HH24:MI:SS.FF3')", "2026-05-06 07:08:09"),
        ("TO_DATE('05/06/2026')", "2026-05-06 00:00:00"),
        ("GREATEST(SYSDATE, SYSDATE + 1)", "2026-11-23 12:30:15"),
        ("NVL(TO_DATE('', 'YYYY-MM-DD'), SYSDATE)", "2026-11-22 12:30:15"),
    ],
)
def test_dates_are_made_and_moved(account, expression, shown):
    assert account.one(f"TO_CHAR({expression}, {SECONDS})") == shown


@pytest.mark.parametrize(
    ("expression", "number"),
    [
        ("TO_DATE('2026-03-01', 'YYYY-MM-DD') - TO_DATE('2026-02-01', 'YYYY-MM-DD')", "28"),
        ("SYSDATE - TRUNC(SYSDATE)", "0.5210069444444444444444444444444444444444"),
        ("MONTHS_BETWEEN(TO_DATE('2026-03-31', 'YYYY-MM-DD'), TO_DATE('2026-02-28', 'YYYY-MM-DD'))", "1"),
        (
            "ROUND(MONTHS_BETWEEN(TO_DATE('2026-03-16', 'YYYY-MM-DD'), TO_DATE('2026-02-01', 'YYYY-MM-DD')), 6)",
            "1.483871",
        ),
        ("EXTRACT(YEAR FROM SYSDATE)", "2026"),
        ("EXTRACT(MONTH FROM SYSDATE)", "11"),
    ],
)
def test_dates_give_numbers(account, expression, number):
    assert account.one(f"ROUND({expression}, 40)") == number


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("YYYY-MM-DD", "2026-03-01"),
        ("YY Q DDD D", "26 1 060 1"),
        ("FMMonth DD, YYYY", "March 1, 2026"),
        ("Month", "March    "),
        ("MON mon Mon", "MAR mar Mar"),
        ("DY Day", "SUN Sunday   "),
        ("HH:MI AM", "02:05 PM"),
        ("FMHH:MI pm", "2:5 pm"),
        ("HH24MISS SSSSS", "140509 50709"),
        ("IYYY-IW", "2026-09"),
        ("SS.FF3", "09.000"),
        ('YYYY"y"', "2026y"),
    ],
)
def test_to_char_writes_a_date_as_its_model_says(account, model, shown):
    moments(account, datetime(2026, 3, 1, 22, 5, 9, tzinfo=UTC))
    assert account.column(f"SELECT TO_CHAR(lastmodifieddate, '{model}') FROM customer") == [shown]


@pytest.mark.parametrize(
    "expression",
    [
        "TO_CHAR(SYSDATE, 'yyyy-mm-dd hh24:mi:ss zz')",
        "TO_DATE('2026-13-01', 'YYYY-MM-DD')",
        "TO_DATE('2026-02-29', 'YYYY-MM-DD')",
        "TO_DATE('2026-01-01 10:00', 'YYYY-MM-DD')",
        "TO_DATE('2026-01-01 24:00', 'YYYY-MM-DD HH24:MI')",
        "TO_DATE('2026-01-01 13:00', 'YYYY-MM-DD HH:MI')",
        "TO_DATE('01', 'MM')",
        "TO_DATE('2026 2026', 'YYYY YYYY')",
        "SYSDATE + SYSDATE",
        "1 - SYSDATE",
        "SYSDATE * 2",
        "TRUNC(SYSDATE, 'fortnight')",
        "SYSDATE + 99999999",
    ],
)
def test_what_names_no_date_is_refused(account, expression):
    assert account.refusal(f"SELECT {expression} FROM dual").detail == UNSUPPORTED


def test_a_text_column_is_read_as_dates_where_one_is_compared(account):
    rows = [{"id": 1, "memo": "02/01/2026", "due": date(2026, 2, 1)}]
    columns = {"id": "integer", "memo": "text", "due": "date"}
    account.tables = {"note": Table("note", columns, lambda: rows)}
    assert account.column("SELECT id FROM note WHERE memo = due") == ["1"]
    rows[0]["memo"] = "soon"
    account.tables = {"note": Table("note", columns, lambda: rows, version=1)}
    assert account.refusal("SELECT id FROM note WHERE memo = due").detail == UNSUPPORTED
