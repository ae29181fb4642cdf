"""What a user's file does, and the exact words that the user sees where it can't be taken."""

from __future__ import annotations

import csv
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from erp_pipelines.commerce import customers, imports, products
from erp_pipelines.commerce.imports import Imported
from erp_pipelines.domain.errors import NotFound, PipelineError, RecordInvalid
from erp_pipelines.domain.orders import OrderStatus
from tests.integration.commerce.shop import Shop, order

MAP = """
null: ["NULL", "n/a"]
dates: ["%d.%m.%Y"]
columns:
  id: No
  customerId: Client
  orderDate: Day
  shipping: {amount: Freight}
  shipTo: {name: Name, city: City}
defaults: {currency: USD, status: fulfilled, shipping: {method: van}}
lines:
  columns: {orderId: No, product: Item, quantity: Qty, unitPrice: Price, discountRate: Off, tax: Tax}
"""
ORDERS = "No,Client,Day,Freight,Name,City\n"
LINES = "No,Item,Qty,Price,Off,Tax\n"


class Desk:
    """A user's directory, and the import command in one word."""

    def __init__(self, shop: Shop, path: Path) -> None:
        self.shop, self.path = shop, path

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text, encoding="utf-8", newline="")
        return file

    def take(self, kind: str, file: str, text: str, *, map_: str | None = None, lines: str | None = None) -> Imported:
        return imports.run(
            self.shop.db,
            "acme",
            kind,
            self.write(file, text),
            map_file=None if map_ is None else self.write("map.yaml", map_),
            lines=None if lines is None else self.write("lines.csv", lines),
        )

    def orders(self, orders: str, lines: str) -> Imported:
        return self.take("orders", "orders.csv", ORDERS + orders, map_=MAP, lines=LINES + lines)

    def rejects(self, name: str) -> list[list[str]]:
        file = self.path / f"{name}.rejected.csv"
        return list(csv.reader(io.StringIO(file.read_bytes().decode(), newline=""))) if file.exists() else []


@pytest.fixture
def desk(shop: Shop, tmp_path: Path) -> Desk:
    return Desk(shop, tmp_path)


def counts(result: Imported) -> tuple[int, int, list[int]]:
    return result.imported, result.unchanged, [rejection.line for rejection in result.rejected]


def test_canonical_headers_need_no_map(desk: Desk) -> None:
    text = '\ufeffid,name,billingAddress.line1,taxExempt,notes\r\nC2,Two,1 Main St,yes,"two\r\nlines, one ""cell"""\r\n'
    assert counts(desk.take("customers", "c.csv", text)) == (1, 0, [])
    with desk.shop.db.tenant("acme") as conn:
        found = customers.get(conn, "acme", "C2")
    assert found.billing_address is not None
    assert (found.name, found.billing_address.line1, found.tax_exempt) == ("Two", "1 Main St", True)
    assert found.notes == 'two\r\nlines, one "cell"'
    assert counts(desk.take("customers", "c.csv", text)) == (0, 1, [])
    assert desk.shop.events() == [("CustomerCreated", "C2")]


def test_orders_with_a_map_and_their_lines(desk: Desk) -> None:
    result = desk.orders("O1,C1,24.12.2025,5,Corner,NULL\n", 'O1,P1,2,10.00,0.1,1.5\nO1,P2,"1,000.00",2.5,n/a,\n')
    assert counts(result) == (1, 0, [])
    stored = desk.shop.order()
    assert (stored.number, str(stored.order_date), stored.status) == ("O1", "2025-12-24", OrderStatus.FULFILLED)
    assert stored.shipping.payload() == {"amount": "5.00", "method": "van"}
    assert stored.ship_to is not None
    assert stored.ship_to.payload() == {"name": "Corner"}
    assert str(stored.total) == "2524.50"


def test_good_rows_are_kept_and_bad_ones_written_beside_the_file(desk: Desk) -> None:
    text = (
        "id,name,unitPrice,kind\n"
        "P3,Salt,1.00,\n"
        "P4,Too few\n"
        '"P5","Two\nlines",1.00,,too many\n'
        'P6,Sugar,"1,5",\n'
        "P7,Rice,3.00,liquid\n"
        "P3,Salt again,1.00,\n"
        "\n"
        "P8,Flour,4.00,service\n"
        ",Nameless,4.00,\n"
    )
    result = desk.take("products", "p.csv", text)
    assert counts(result) == (2, 0, [3, 4, 6, 7, 8, 11])
    assert [rejection.reason for rejection in result.rejected] == [
        "The row has 2 cells, the header has 4.",
        "The row has 5 cells, the header has 4.",
        "unitPrice: '1,5' is no amount in English notation. Write it like 1234.50.",
        "Product: kind: Input should be 'inventory', 'noninventory' or 'service'.",
        "The id 'P3' stands in line 2 and again in line 8.",
        "Product: id: Field required.",
    ]
    assert result.rejects_files == (desk.path / "p.csv.rejected.csv",)
    rows = desk.rejects("p.csv")
    assert rows[0] == ["line", "reason", "id", "name", "unitPrice", "kind"]
    assert rows[2] == ["4", "The row has 5 cells, the header has 4.", "P5", "Two\nlines", "1.00", "", "too many"]
    assert desk.shop.events() == [("ProductCreated", "P3"), ("ProductCreated", "P8")]


def test_the_file_of_rejected_rows_can_be_mended_and_imported(desk: Desk) -> None:
    desk.take("products", "p.csv", "id,name,unitPrice\nP3,Salt,x\n")
    mended = (desk.path / "p.csv.rejected.csv").read_text().replace("Salt,x", "Salt,y")
    assert counts(desk.take("products", "again.csv", mended)) == (0, 0, [2])
    assert desk.rejects("again.csv")[0] == ["line", "reason", "id", "name", "unitPrice"]
    assert desk.rejects("again.csv")[1][2:] == ["P3", "Salt", "y"]
    assert counts(desk.take("products", "again.csv", mended.replace("Salt,y", "Salt,1"))) == (1, 0, [])
    assert desk.rejects("again.csv") == []


BAD_ORDERS = [
    ("O1,C1,24.12.2025,5,a,b\n", "O1,P1,1,1,,\nO1,P2,1\n", "Line 3 of lines.csv: The row has 3 cells, the header has 6."),
    (
        "O1,C1,24.12.2025,5,a,b\n",
        'O1,P1,one,1,,\nO1,P2,1,"9,99",,\n',
        ("Line 2 of lines.csv: quantity: 'one' is no amount in English notation. Write it like 1234.50. "
        "Line 3 of lines.csv: unitPrice: '9,99' is no amount in English notation. Write it like 1234.50."),
    ),
    (
        "O1,C1,24.12.2025,5,a,b\n",
        "O2,P1,1,1,,\nO1,P1,1,1,,\nO1,P7,1,1,,\n",
        "Line 4 of lines.csv: Order 'O1', line 2: there is no product 'P7'. Save the product first.",
    ),
    ("O1,C7,24.12.2025,5,a,b\n", "O1,P1,1,1,,\n", "Order 'O1': there is no customer 'C7'. Save the customer first."),
    ("O1,C1,24.12.2025,5,a,b\n", "O3,P1,1,1,,\n", "lines.csv has no line of order 'O1'."),
    ("O1,C1,24.12.2025,5\n", "O1,P1,1,1,,\n", "The row has 4 cells, the header has 6."),
    (
        "O1,C1,12/24/2025,5,a,b\n",
        "O1,P1,1,1,,\n",
        "orderDate: '12/24/2025' is no date in ISO 8601 nor in %d.%m.%Y. Name its format under dates in the map.",
    ),
    ('O1,C1,24.12.2025,"1.234,50",a,b\n', "O1,P1,1,1,,\n", "shipping.amount: '1.234,50' is no amount in English notation. Write it like 1234.50."),
    ("O1,,24.12.2025,5,a,b\n", "O1,P1,1,1,,\n", "Order: customerId: Field required."),
    ("O1,C1,24.12.2025,0.001,a,b\n", "O1,P1,1,1,,\n", "shipping.amount is 0.001, but USD has no unit below 0.01."),
    (
        "O1,C1,24.12.2025,5,a,b\n",
        "O1,P1,1,1,1.5,\n",
        "Line 2 of lines.csv: OrderLine: discountRate: Input should be less than or equal to 1.",
    ),
    (
        "O1,C1,24.12.2025,5,a,b\n",
        "O1,P1,1,1,,0.005\n",
        "Line 2 of lines.csv: lines[1].tax is 0.005, but USD has no unit below 0.01.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("orders", "lines", "reason"), BAD_ORDERS)
def test_an_order_is_taken_whole_or_not_at_all(desk: Desk, orders: str, lines: str, reason: str) -> None:
    result = desk.orders(orders + "OK,C1,2026-01-01T10:00:00Z,1,,\n", lines + "OK,P1,1,1,,\n")
    assert (result.imported, [(r.line, r.reason) for r in result.rejected]) == (1, [(2, reason)])
    assert desk.shop.events() == [("OrderCreated", "OK")]


def test_parts_that_do_not_add_up_name_the_difference(desk: Desk) -> None:
    text = "id,customerId,orderDate,total\nO1,C1,2026-01-01,10.01\n"
    lines = "orderId,product,quantity,unitPrice,amount\nO1,P1,1,10,\n"
    [rejection] = desk.take("orders", "o.csv", text, lines=lines).rejected
    assert rejection.reason == (
        "total is 10.01, but lines + shipping - orderDiscount + taxTotal comes to 10.00: a difference of 0.01. "
        "Correct the part that is wrong, or leave the amount out to have it computed."
    )
    [rejection] = desk.take("orders", "o.csv", text, lines=lines.replace("10,\n", "10,9\n")).rejected
    assert rejection.reason.startswith("Line 2 of lines.csv: lines[1].amount is 9, but quantity x unitPrice less")


def test_lines_that_belong_to_no_order_are_told_of(desk: Desk) -> None:
    result = desk.orders(
        "O1,C1,24.12.2025,5,a,b\nO2,C1,24.12.2025\n", "O1,P1,1,1,,\nO9,P1,1,1,,\n,P1,1,1,,\njunk\nO2,P1,1,1,,\nO2,P1\n"
    )
    assert (result.imported, [r.line for r in result.rejected]) == (1, [3])
    assert [(r.line, r.reason) for r in result.lines_rejected] == [
        (4, "The line names no order."),
        (5, "The row has 1 cell, the header has 6, and names no order of orders.csv: see that none has lost a line."),
        (7, "The row has 2 cells, the header has 6."),
    ]
    assert not result.complete
    assert [path.name for path in result.rejects_files] == ["orders.csv.rejected.csv", "lines.csv.rejected.csv"]
    assert desk.rejects("lines.csv")[1] == ["4", "The line names no order.", "", "P1", "1", "1", "", ""]
    assert result.lines_left_over == (3,)


def test_a_part_of_the_orders_needs_no_part_of_the_lines(desk: Desk) -> None:
    result = desk.orders("O1,C1,24.12.2025,5,a,b\n", "O1,P1,1,1,,\nO9,P1,1,1,,\nO8,P1,1,1,,\n")
    assert (result.complete, result.lines_left_over) == (True, (3, 4))


def test_a_broken_row_never_passes_as_another(desk: Desk) -> None:
    """With a cell too many before the id, the line still spoils the order that it may mean, not another."""
    result = desk.orders(
        "O1,C1,24.12.2025,5,a,b\nO2,C1,24.12.2025,5,a,b\n", "O1,P1,1,1,,\nO2,P2,1,1,,\nx,O2,P1,1,1,,\n"
    )
    assert [(r.line, r.reason) for r in result.rejected] == [
        (3, "Line 4 of lines.csv: The row has 7 cells, the header has 6.")
    ]


UNUSABLE = [
    (MAP.replace("defaults:", "default:"), "map.yaml: there is no key 'default'; the nearest is 'defaults'."),
    (MAP.replace("customerId:", "customerid:"), "map.yaml: columns: there is no field 'customerid'; the nearest is 'customerId'."),
    (MAP.replace("{name: Name", "{nmae: Name"), "map.yaml: columns: there is no field 'shipTo.nmae'; the nearest is 'shipTo.name'."),
    (MAP.replace("discountRate:", "discountrate:"), "map.yaml: lines: columns: there is no field 'discountrate'; the nearest is 'discountRate'."),
    (MAP.replace("Client", "client"), "orders.csv has no column 'client'; the nearest is 'Client'."),
    (MAP.replace("Qty", "Quantity"), "lines.csv has no column 'Quantity'; the nearest is 'Qty'."),
    (MAP.replace("  customerId: Client\n", ""), "orders.csv: no column is given for customerId. Name it under columns, as customerId: COLUMN."),
    (MAP.replace("%d.%m.%Y", "%d.%m"), "map.yaml: dates: '%d.%m' does not describe a date. Write it like %d/%m/%Y."),
    (MAP.replace("lines:\n", "lines:\n  coluns: {}\n"), "map.yaml: lines: there is no key 'coluns'; the nearest is 'columns'."),
    (MAP.split("lines:", maxsplit=1)[0], "map.yaml does not describe the lines. Add lines: with its columns."),
    (MAP.replace("Freight}", "[Freight]}"), "map.yaml: columns: shipping.amount must be one text."),
    (MAP.replace("shipping: {amount: Freight}", "shipping: Freight"), "map.yaml: columns: there is no field 'shipping'; the nearest is 'shipping.tax'."),
    ("columns: [", "The map map.yaml is no YAML in line 1: expected the node content, but found '<stream end>'."),
    ("- a", "map.yaml must be a mapping of names. Write name: value, one a line."),
    ("null: [x]", "map.yaml has no columns. Write columns: and under it field: column."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), UNUSABLE)
def test_a_map_that_cannot_be_used_stops_everything_first(desk: Desk, text: str, message: str) -> None:
    orders = ORDERS + "O1,C1,24.12.2025,5,a,b\n"
    with pytest.raises(RecordInvalid) as error:
        desk.take("orders", "orders.csv", orders, map_=text, lines=LINES + "O1,P1,1,1,,\n")
    assert str(error.value) == message
    assert desk.shop.events() == []


def test_a_default_that_cannot_be_is_found_first(desk: Desk) -> None:
    with pytest.raises(RecordInvalid, match="unitPrice: 'much' is no amount"):
        desk.take("products", "p.csv", "a,b\nP3,x\n", map_="columns: {id: a, name: b}\ndefaults: {unitPrice: much}\n")


FILES = [
    ("products", "p.csv", "", "p.csv is empty. Its first line must name the columns."),
    ("products", "p.csv", "id;name\n1;2\n", "p.csv is not separated by commas. Save it again with commas between the cells."),
    ("products", "p.csv", "id,nam\n1,2\n", "p.csv: column 'nam' is no field; the nearest is 'name'. Name the columns with --map."),
    ("products", "p.csv", "id,name,name\n1,2,3\n", "p.csv has 2 columns 'name'. Give each its own name."),
    ("products", "p.csv", "id,sku\n1,2\n", "p.csv: no column is given for name. Add a column name."),
    ("products", "p.csv", 'id,"name\n1,2\n', "p.csv: line 1 has a quote that is never closed; nothing after it was read."),
    ("orders", "o.csv", "id\n", "o.csv: orders in CSV have their lines in a second file. Name it with --lines."),
    ("products", "p.json", '[{"id": "P9", "name": "x"},\n {"id": ]', "p.json is no JSON: the record in line 2: Expecting value."),
    ("products", "p.json", '[{"id": "P9", "name": "x"}\n{"id": "1"}]', "p.json is no JSON: the record in line 1: after the record, a comma or ] is missing."),
    ("product", "p.csv", "id,name\n", "'product' cannot be imported; the nearest that can is 'products'."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "text", "message"), FILES)
def test_a_file_that_cannot_be_used_stops_everything_first(
    desk: Desk, kind: str, name: str, text: str, message: str
) -> None:
    with pytest.raises(RecordInvalid) as error:
        desk.take(kind, name, text)
    assert str(error.value) == message
    assert desk.shop.events() == []


def test_other_things_that_stop_it(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(RecordInvalid, match=r"gone.csv cannot be read: No such file or directory"):
        imports.run(desk.shop.db, "acme", "products", tmp_path / "gone.csv")
    with pytest.raises(RecordInvalid, match=r"The map gone.yaml cannot be read: No such file"):
        imports.run(desk.shop.db, "acme", "products", desk.write("p.csv", "id,name\n"), map_file=tmp_path / "gone.yaml")
    with pytest.raises(NotFound, match="erp tenants add nobody"):
        imports.run(desk.shop.db, "nobody", "products", desk.write("p.csv", "id,name\n"))
    for options, message in [({"map_": MAP}, "Leave --map out"), ({"lines": LINES}, "Leave --lines out")]:
        with pytest.raises(RecordInvalid, match=message):
            desk.take("orders", "o.json", "[]", **options)
    with pytest.raises(RecordInvalid, match="Only orders have lines"):
        desk.take("products", "p.csv", "id,name\n", lines=LINES)
    with pytest.raises(RecordInvalid, match=r"lines.csv: line 3 has a quote that is never closed"):
        desk.orders("O1,C1,24.12.2025,5,a,b\n", 'O1,P1,1,1,,\nO1,"P2,1,1,,\nO1,P1,1,1,,\n')
    assert desk.shop.events() == []


def test_broken_quotes_and_bytes_spoil_their_own_row_only(desk: Desk) -> None:
    file = desk.path / "p.csv"
    file.write_bytes(b'id,name\nP3,"Salt"x\nP4,Caf\xe9\nP5,Tea\nP6,"open\nP7,lost\n')
    result = imports.run(desk.shop.db, "acme", "products", file)
    assert result.imported == 1
    assert [(r.line, r.reason) for r in result.rejected] == [
        (2, "The row is broken: ',' expected after '\"'."),
        (3, "The row is not UTF-8 text."),
        (5, "The row has a quote that is never closed; nothing after it was read."),
    ]
    assert b"P4,Caf\xe9" in (desk.path / "p.csv.rejected.csv").read_bytes()


def test_json_arrays_and_lines(desk: Desk) -> None:
    first, second = order().payload(), order(id="O2", number="2").payload()
    first["total"] = 22.5  # a number is as good as a text
    del second["number"]
    array = f"[\n{json.dumps(first)},\n\n{json.dumps(second)} ]\n"
    assert counts(desk.take("orders", "o.json", array)) == (2, 0, [])
    assert desk.shop.order("O2").number == "O2"
    text = '{"id": "P3", "name": "x", "unitPrice": 0.1}\n\n{\n{"id": "P4", "nam": "x"}\n7\n{"id": "P3", "name": "y"}'
    result = desk.take("products", "p.jsonl", text)
    assert counts(result) == (1, 0, [3, 4, 5, 6])
    assert [r.reason for r in result.rejected] == [
        "The line is no JSON: Expecting property name enclosed in double quotes.",
        "Product: name: Field required (1 more).",
        "Product: the record: Input should be a valid dictionary or instance of Product.",
        "The id 'P3' stands in line 1 and again in line 6.",
    ]
    assert desk.rejects("p.jsonl")[2][2] == '{"id": "P4", "nam": "x"}'
    assert counts(desk.take("products", "empty.json", "[ ]")) == (0, 0, [])
    with pytest.raises(RecordInvalid, match="NaN is no number"):
        desk.take("products", "nan.json", '[{"id": "P3", "name": "x", "unitPrice": NaN}]')


def test_a_file_of_many_batches(desk: Desk) -> None:
    rows = [f"X{n:04},Thing {n},{n}.00" + (",extra" if n == 450 else "") for n in range(501)]
    result = desk.take("products", "p.csv", "id,name,unitPrice\n" + "\n".join(rows) + "\n")
    assert counts(result) == (500, 0, [452])
    with desk.shop.db.tenant("acme") as conn:
        assert str(products.get(conn, "acme", "X0500").unit_price) == "500.00"


def test_two_imports_of_one_file_in_opposite_order_do_not_deadlock(desk: Desk) -> None:
    ids = [f"X{n:03}" for n in range(150)]
    texts = {"up": ids, "down": ids[::-1]}
    files = [
        desk.write(f"{name}.csv", "id,name\n" + "".join(f"{i},{name}\n" for i in listed))
        for name, listed in texts.items()
    ]
    start = threading.Barrier(2)

    def take(file: Path) -> int:
        start.wait(10)
        return imports.run(desk.shop.db, "acme", "products", file).imported

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(take, files)) == [150, 150]


def test_where_nothing_may_be_written_beside_the_file(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root could write there all the same, and must not."""
    elsewhere, closed = tmp_path / "work", tmp_path / "closed"
    elsewhere.mkdir()
    closed.mkdir()
    monkeypatch.chdir(elsewhere)
    file = closed / "p.csv"
    file.write_text("id,name\nP3\n")
    closed.chmod(0o555)
    result = imports.run(desk.shop.db, "acme", "products", file)
    closed.chmod(0o755)
    assert result.rejects_files == (elsewhere / "p.csv.rejected.csv",)
    assert result.rejects_files[0].exists()


def test_a_file_of_rejected_rows_that_cannot_be_written(desk: Desk) -> None:
    (desk.path / "p.csv.rejected.csv").mkdir()
    with pytest.raises(PipelineError, match=r"p.csv.rejected.csv cannot be written"):
        desk.take("products", "p.csv", "id,name\nP3\n")


def test_what_an_export_disarmed_is_taken_back(desk: Desk) -> None:
    desk.take("customers", "c.csv", "id,name,phone\nC2,'=Two,'+49 30\nC3,'tis,1\n")
    with desk.shop.db.tenant("acme") as conn:
        found = customers.get(conn, "acme", "C2")
        assert (found.name, found.phone) == ("=Two", "+49 30")
        assert customers.get(conn, "acme", "C3").name == "'tis"
