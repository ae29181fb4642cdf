from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_pipelines.commerce import exports
from erp_pipelines.commerce.cells import amount, date
from erp_pipelines.commerce.fields import Content, fields_of, nearest
from erp_pipelines.commerce.line_files import may_name
from erp_pipelines.commerce.readers import Row
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.orders import Order, OrderLine


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.50", "1234.50"),
        ("-3", "-3"),
        ("+.5", "0.5"),
        ("7.", "7"),
        ("1,234.50", "1234.50"),
        ("12,345,678.9", "12345678.9"),
    ],
)
def test_amounts_in_english_notation(text: str, value: str) -> None:
    assert amount(text, "total") == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "1,5",
        "1,234",
        "1.234,50",
        "1 234.50",
        "$5",
        "5 USD",
        "1e3",
        "(5)",
        "NaN",
        "Infinity",
        "12,34.5",
        ".",
        "٣",
        "--1",
    ],
)
def test_amounts_in_any_other_notation_are_refused(text: str) -> None:
    with pytest.raises(RecordInvalid, match=r"total: .* is no amount in English notation. Write it like 1234.50."):
        amount(text, "total")


@pytest.mark.parametrize(
    "text", ["2026-03-01", "2026-03-01 23:59:59.999", "2026-03-01T23:59:59Z", "20260301", "1.3.2026", "03/01/26"]
)
def test_dates_lose_their_time_of_day(text: str) -> None:
    assert date(text, ["%d.%m.%Y", "%m/%d/%y"], "orderDate") == dt.date(2026, 3, 1)


@pytest.mark.parametrize("text", ["31.2.2026", "2026-13-01", "yesterday", "1.3.2026 x"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(RecordInvalid, match=r"is no date in ISO 8601 nor in %d.%m.%Y"):
        date(text, ["%d.%m.%Y"], "orderDate")


def test_fields_are_those_of_the_records() -> None:
    assert list(fields_of(Customer))[:6] == [
        "id",
        "name",
        "email",
        "phone",
        "billingAddress.name",
        "billingAddress.line1",
    ]
    order = fields_of(Order)
    assert {name for name, field in order.items() if field.required} == {"id", "number", "customerId", "orderDate"}
    assert {name for name, field in order.items() if field.content is Content.DATE} == {"orderDate", "dueDate"}
    assert order["shipping.amount"].content is Content.AMOUNT
    assert "lines" not in order
    assert {name for name, field in fields_of(OrderLine).items() if field.content is Content.TEXT} == {
        "product",
        "description",
        "kind",
        "class",
    }


def test_the_nearest_name() -> None:
    assert nearest("CUSTOMERID", ["orderId", "customerId"]) == "customerId"
    assert nearest("anything", []) == ""


@pytest.mark.parametrize(
    ("cells", "place", "ids"),
    [(("O1", "P1"), 0, ["O1"]), (("x", "O1", "P1", "1"), 0, ["O1", "x"]), (("P1", "O1"), 2, ["O1"]), ((), 1, [])],
)
def test_what_a_broken_row_may_name(cells: tuple[str, ...], place: int, ids: list[str]) -> None:
    assert may_name(Row(1, cells, "is broken"), place, 3) == ids


@given(st.text())
def test_no_cell_of_an_export_is_run(text: str) -> None:
    cell = exports.disarmed(text)
    assert cell in {text, f"'{text}"}
    if cell[:1] in set("=+-@\t\r") and cell:
        assert exports.NUMBER.fullmatch(cell)


def test_an_export_of_nothing_is_a_header() -> None:
    stream = io.StringIO()
    assert exports._write_csv(("id", "name"), iter([]), stream) == 0
    assert stream.getvalue() == "id,name\n"
