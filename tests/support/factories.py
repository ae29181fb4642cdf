"""Records with sensible defaults."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.orders import Order, OrderLine
from erp_pipelines.domain.products import Product


def make_customer(customer_id: str = "c1", **changes: Any) -> Customer:
    return Customer(**{"id": customer_id, "name": f"Customer {customer_id}", **changes})


def make_product(product_id: str = "p1", **changes: Any) -> Product:
    return Product(**{"id": product_id, "name": f"Product {product_id}", "unit_price": Decimal("12.50"), **changes})


def make_order(order_id: str = "o1", *, lines: list[OrderLine] | None = None, **changes: Any) -> Order:
    lines = lines or [OrderLine(product="p1", quantity=Decimal(2), unit_price=Decimal("12.50"))]
    given = {
        "id": order_id,
        "number": order_id,
        "customer_id": "c1",
        "order_date": dt.date(2026, 3, 1),
        "lines": tuple(lines),
    }
    return Order(**{**given, **changes})
