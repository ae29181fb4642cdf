"""What the console's browser tests share: signing in, a shop, a worker beside the browser, and axe."""

from __future__ import annotations

import datetime as dt
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import jwt
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.delivery import worker
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import KEY

REALM = "9130350000000001"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


def token(stage, role: str) -> str:
    claims = {"sub": f"{role.lower()}@acme", "tenant_id": "acme", "role": role, "exp": time.time() + 3600}
    return jwt.encode(claims, stage.jwt_secret, "HS256")


def sign_in(page, stage, role: str = "Admin") -> None:
    page.goto(f"{stage.public_url}/console")
    page.get_by_label("Token").fill(token(stage, role))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()


def shop(runtime, orders_made: int = 3, day: dt.date | None = None) -> None:
    """Customers, products and paid orders, as a shop saves them."""
    with runtime.db.tenant("acme") as conn:
        products.save(conn, "acme", make_product("p1", name="Green tea"))
        for number in range(1, orders_made + 1):
            customers.save(conn, "acme", make_customer(f"c{number}", name=f"Corner Shop {number}"))
            order = make_order(
                f"{1000 + number}", customer_id=f"c{number}", order_date=day or dt.datetime.now(dt.UTC).date()
            )
            orders.save(conn, "acme", order)
            payments.pay(conn, "acme", order.id, date=order.order_date, amount=Decimal(25))


@contextmanager
def working(runtime):
    """A worker that drains the connection again and again, as a run of Dagster does."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            worker.serve(runtime, KEY, stop=ended.is_set)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def close_books(stage, until: str) -> None:
    company = stage.twin.companies[REALM]
    company.settings = replace(company.settings, book_close_date=until)


def fill(form, values) -> None:
    for name, value in values.items():
        form.locator(f"[name={name}]").fill(value)


def wait_until(page, stage, path: str, words: str) -> None:
    """Load the page anew until it says so."""
    for _ in range(100):
        page.goto(f"{stage.public_url}{path}")
        if words in page.inner_text("main"):
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.inner_text("main"))


def violations(page) -> list[tuple[str, str]]:
    """What axe has to say about the page: the rule, and the first element that breaks it."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found]


def is_too_wide(page) -> bool:
    """Whether the page must be scrolled sideways."""
    return page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
