"""Numbers, texts and NULL: exactness, conversions, and the functions that take them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_twins.netsuite.suiteql import Table
from erp_twins.netsuite.suiteql.values import key_of, number_of
from tests.unit.twins.suiteql_support import UNSUPPORTED, Asked

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12)


@given(numbers, numbers)
def test_stored_numbers_sort_as_numbers_and_come_back_whole(one, other):
    assert (key_of(one) < key_of(other), key_of(one) == key_of(other)) == (one < other, one == other)
    assert number_of(key_of(one)) == one


@given(st.lists(numbers, min_size=1, max_size=30))
def test_sums_are_exact(amounts):
    account = Asked()
    rows = [{"id": at, "amount": amount} for at, amount in enumerate(amounts)]
    account.tables = {"line": Table("line", {"id": "integer", "amount": "number"}, lambda: rows)}
    (total,) = account.column("SELECT SUM(amount) FROM line")
    assert Decimal(total) == sum(amounts)
    assert account.column("SELECT amount FROM line ORDER BY amount, id") == [_plain(one) for one in sorted(amounts)]


def _plain(number):
    return f"{number.normalize():f}" if number else "0"


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("0.1 + 0.2", "0.3"),
        ("12.50", "12.5"),
        ("-0.0", "0"),
        ("1e3", "1000"),
        ("1.5e-3", "0.0015"),
        ("99999999999999999999.01 + 1", "100000000000000000000.01"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("9223372036854775808", "9223372036854775808"),
        ("10 / 4", "2.5"),
        ("1 / 3", "0.3333333333333333333333333333333333333333"),
        ("2 - 3 * 4", "-10"),
        ("(2 - 3) * -4", "4"),
        ("- - 5", "5"),
        ("'7' + 1", "8"),
        ("1 + NULL", None),
        ("ROUND(2.345, 2)", "2.35"),
        ("ROUND(-2.5)", "-3"),
        ("ROUND(1234.5, -2)", "1200"),
        ("TRUNC(-2.789, 1)", "-2.7"),
        ("TRUNC(9.99)", "9"),
        ("ABS(-0.05)", "0.05"),
        ("CEIL(1.01)", "2"),
        ("FLOOR(-1.01)", "-2"),
        ("SIGN(-3)", "-1"),
        ("MOD(11, 4)", "3"),
        ("MOD(-11, 4)", "-3"),
        ("MOD(7.5, 2)", "1.5"),
        ("MOD(5, 0)", "5"),
        ("POWER(2, 10)", "1024"),
        ("SQRT(2.25)", "1.5"),
        ("TO_NUMBER(' 12.50 ')", "12.5"),
        ("TO_NUMBER('')", None),
        ("GREATEST(1, 2.5, '3')", "3"),
        ("LEAST(10, 9)", "9"),
        ("LEAST(10, NULL)", None),
        ("CAST('1.555' AS NUMBER(10, 2))", "1.56"),
        ("CAST(1.5 AS INTEGER)", "2"),
    ],
)
def test_numbers(account, expression, shown):
    assert account.one(expression) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("'O''Brien'", "O'Brien"),
        ("'a' || NULL || 'b'", "ab"),
        ("'' || ''", None),
        ("'n' || 1.50 || 2", "n1.52"),
        ("0.5 || ''", ".5"),
        ("CONCAT('a', 1)", "a1"),
        ("UPPER('straße ä')", "STRASSE Ä"),
        ("LOWER('ÄB')", "äb"),
        ("INITCAP('anna o''brien-smith')", "Anna O'Brien-Smith"),
        ("LENGTH('abc ')", "4"),
        ("LENGTH('')", None),
        ("TRIM('  a b ')", "a b"),
        ("TRIM('   ')", None),
        ("TRIM(BOTH 'x' FROM 'xxaxx')", "a"),
        ("TRIM(LEADING '0' FROM '0070')", "70"),
        ("TRIM(TRAILING '0' FROM '0070')", "007"),
        ("LTRIM('0070', '0')", "70"),
        ("RTRIM('ab  ')", "ab"),
        ("SUBSTR('abcdef', 2, 3)", "bcd"),
        ("SUBSTR('abcdef', 0, 2)", "ab"),
        ("SUBSTR('abcdef', -3)", "def"),
        ("SUBSTR('abc', -4)", None),
        ("SUBSTR('abc', 9)", None),
        ("SUBSTR('abc', 1, 0)", None),
        ("SUBSTR(12345, 2, 2)", "23"),
        ("INSTR('banana', 'an')", "2"),
        ("INSTR('banana', 'an', 1, 2)", "4"),
        ("INSTR('banana', 'x')", "0"),
        ("REPLACE('1-800-5', '-', '')", "18005"),
        ("REPLACE('1-800-5', '-')", "18005"),
        ("REPLACE('a.b', '.', '-')", "a-b"),
        ("REPLACE('ab', '', 'x')", "ab"),
        ("TRANSLATE('2-b', '-b', '_')", "2_"),
        ("LPAD('7', 3, '0')", "007"),
        ("LPAD(7, 3, 0)", "007"),
        ("RPAD('abc', 2)", "ab"),
        ("RPAD('a', 4, 'xy')", "axyx"),
        ("CHR(65) || ASCII('a')", "A97"),
        ("CAST(12345 AS VARCHAR2(3))", "123"),
        ("GREATEST('a', 'B')", "a"),
    ],
)
def test_texts(account, expression, shown):
    assert account.one(expression) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("NVL('', 'none')", "none"),
        ("NVL(NULL, 5)", "5"),
        ("NVL('text', 5)", "text"),
        ("NVL(1, '2')", "1"),
        ("NVL2(NULL, 'set', 'unset')", "unset"),
        ("NVL2('', 'set', 'unset')", "unset"),
        ("COALESCE(NULL, '', 'third')", "third"),
        ("NULLIF(5, 5)", None),
        ("NULLIF('a', 'b')", "a"),
        ("DECODE(3, 1, 'one', 3, 'three')", "three"),
        ("DECODE(4, 1, 'one', 3, 'three')", None),
        ("DECODE(4, 1, 'one', 'other')", "other"),
        ("DECODE(NULL, NULL, 'null', 'other')", "null"),
        ("DECODE('2', 2, 'two')", "two"),
        ("CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END", "two"),
        ("CASE NULL WHEN NULL THEN 'null' ELSE 'other' END", "other"),
        ("CASE WHEN 1 > 2 THEN 'x' END", None),
        ("CASE WHEN 1 < 2 AND 'a' = 'a' THEN 1 ELSE 2.5 END", "1"),
        ("CASE WHEN NOT 1 = NULL THEN 'yes' ELSE 'unknown' END", "unknown"),
        ("CASE WHEN 'a' < 'B' THEN 'a' ELSE 'B' END", "B"),
        ("CASE WHEN 10 > '9' THEN 'as numbers' ELSE 'as texts' END", "as numbers"),
    ],
)
def test_choices(account, expression, shown):
    assert account.one(expression) == shown


@pytest.mark.parametrize(
    ("number", "model", "shown"),
    [
        ("1234.5", "999,990.00", "   1,234.50"),
        ("-1234.5", "999,990.00", "  -1,234.50"),
        ("1234567.891", "FM9,999,999.00", "1,234,567.89"),
        ("0.5", "FM990.00", "0.50"),
        ("0.5", "FM999.99", ".5"),
        ("123", "FM999.009", "123.00"),
        ("0", "999", "   0"),
        ("0", "99.99", "   .00"),
        ("7", "FM000", "007"),
        ("12345", "999", "####"),
        ("2.345", "FM9D99", "2.35"),
        ("-5", "999MI", "  5-"),
        ("-5", "FM999PR", "<5>"),
        ("12", "S999", " +12"),
        ("12.5", "FM$999.90", "$12.50"),
    ],
)
def test_to_char_writes_a_number_as_its_model_says(account, number, model, shown):
    assert account.one(f"TO_CHAR({number}, '{model}')") == shown


def test_to_char_without_a_model_writes_no_zero_before_the_point(account):
    assert account.one("TO_CHAR(-0.50)") == "-.5"
    assert account.one("TO_CHAR(12)") == "12"
    assert account.one("TO_CHAR('text')") == "text"


@pytest.mark.parametrize(
    "expression",
    [
        "1 / 0",
        "'a' + 1",
        "TO_NUMBER('12a')",
        "TO_NUMBER('NaN')",
        "SQRT(-1)",
        "POWER(10, 500)",
        "LPAD('a', 5000)",
        "TO_CHAR(1, 'abc')",
        "CASE WHEN 1 = 1 THEN 'x' ELSE 0 END",
        "COALESCE(1, 'x')",
        "NVL(1, 'x')",
        "NVL(1)",
        "UPPER('a', 'b')",
        "INSTR('a', 'a', 0)",
        "CHR(1114112)",
    ],
)
def test_what_oracle_would_not_compute_is_refused(account, expression):
    assert account.refusal(f"SELECT {expression} FROM dual").detail == UNSUPPORTED


def test_a_text_column_compared_with_a_number_must_hold_numbers(account):
    assert account.ids("SUBSTR(entityid, 2) = 10") == ["10"]
    assert account.refusal("SELECT id FROM customer WHERE entityid = 10").detail == UNSUPPORTED


def test_one_id_that_is_no_number_spoils_the_whole_list(account):
    assert account.refusal("SELECT id FROM customer WHERE id IN ('1', 'abc')").detail == UNSUPPORTED
