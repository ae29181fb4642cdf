"""A made-up distributor's customers, products and baskets."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CUSTOMERS: tuple[dict[str, Any], ...] = (
    {
        "id": "lighthouse", "name": "Lighthouse Bistro", "email": "kitchen@lighthouse.example.com", "phone": "+1 555 0100",
        "billingAddress": {"line1": "1 Pier Road", "city": "Portland", "region": "ME", "postalCode": "04101", "country": "US"},
    },
    {
        "id": "orchard", "name": "Orchard Market", "email": "office@orchard.example.com",
        "billingAddress": {"line1": "22 Mill Lane", "city": "Salem", "region": "OR", "postalCode": "97301", "country": "US"},
    },
)  # fmt: skip
PRODUCTS: tuple[dict[str, Any], ...] = (
    {"id": "coffee", "sku": "COF-1", "name": "Coffee beans, 1 kg", "unitPrice": "18.40", "taxable": False},
    {"id": "oil", "sku": "OIL-5", "name": "Olive oil, 5 l", "unitPrice": "41.95", "taxable": False},
    {"id": "salt", "sku": "SAL-2", "name": "Sea salt, 2 kg", "unitPrice": "6.35", "taxable": False},
)
# Customer, lines (product, quantity, discount rate), shipping.
BASKETS: tuple[tuple[str, tuple[tuple[str, int, str], ...], str], ...] = (
    ("lighthouse", (("coffee", 12, "0"), ("oil", 3, "0.15")), "14.90"),
    ("orchard", (("salt", 40, "0.1"),), "0"),
    ("orchard", (("oil", 2, "0"), ("salt", 9, "0.125")), "8.00"),
    ("lighthouse", (("oil", 7, "0"), ("coffee", 5, "0.05"), ("salt", 2, "0")), "22.50"),
)
CENT = Decimal("0.01")
# Where the customer's payment of each basket is entered: in the shop, or by accounting in one of the ERPs.
PAID_IN = ("shop", "shop", "netsuite", "quickbooks")


def orders(first: int) -> list[dict[str, Any]]:
    """One order for each basket, numbered from `first`."""
    return [_order(f"D-{first + position}", *basket) for position, basket in enumerate(BASKETS)]


def _order(number: str, customer: str, lines: tuple[tuple[str, int, str], ...], shipping: str) -> dict[str, Any]:
    prices = {product["id"]: product["unitPrice"] for product in PRODUCTS}
    return {
        "id": number,
        "number": number,
        "customerId": customer,
        "orderDate": dt.datetime.now(dt.UTC).date().isoformat(),
        "status": "confirmed",
        "lines": [
            {"product": product, "quantity": str(quantity), "unitPrice": prices[product], "discountRate": rate}
            for product, quantity, rate in lines
        ],
        "shipping": {"amount": shipping, "method": "van"},
    }


def totals(made: int, first: int = 1001) -> dict[str, Decimal]:
    """What each of those orders comes to, computed here from the baskets alone."""
    return {f"D-{first + position}": _total(BASKETS[position % len(BASKETS)]) for position in range(made)}


def paid_in(made: int, place: str, first: int = 1001) -> list[str]:
    """The numbers of the orders whose payment is entered there, of all that the demos so far have made."""
    return [f"D-{first + position}" for position in range(made) if PAID_IN[position % len(PAID_IN)] == place]


def _total(basket: tuple[str, tuple[tuple[str, int, str], ...], str]) -> Decimal:
    prices = {str(product["id"]): Decimal(str(product["unitPrice"])) for product in PRODUCTS}
    _, lines, shipping = basket
    amounts = (
        (quantity * prices[product] * (1 - Decimal(rate))).quantize(CENT, ROUND_HALF_UP)
        for product, quantity, rate in lines
    )
    return sum(amounts, Decimal(shipping))
