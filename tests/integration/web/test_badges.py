"""Sync status as a piece of HTML for a shop's own pages."""

from __future__ import annotations

import pytest

from tests.integration.web.conftest import Api
from tests.integration.web.test_sync_status import DONE, ORDER, bind, deliver, run, shop  # noqa: F401  a fixture

PATH = "/api/orders/o1/badges"


@pytest.mark.parametrize(("role", "claims"), [("Customer", {"customer_id": "c1"}), ("SalesRep", {})])
def test_a_badge_says_the_status_and_nothing_else(shop: Api, role: str, claims: dict[str, str]) -> None:  # noqa: F811
    deliver(shop, DONE)
    bind(shop)
    answer = shop.get(PATH, role, **claims)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == (
        '<span class="erp-badge erp-badge-synced" data-provider="quickbooks">Synced to QuickBooks'
        ' <span class="erp-badge-number">INV-7</span></span>'
    )


def test_a_hostile_number_stays_text(shop: Api) -> None:  # noqa: F811
    deliver(shop, DONE)
    bind(shop, number="<script>x</script>")
    assert "<script" not in shop.get(PATH, "SalesRep").text
    assert "&lt;script&gt;" in shop.get(PATH, "SalesRep").text


def test_badges_are_for_those_whose_order_it_is(shop: Api) -> None:  # noqa: F811
    assert shop.get(PATH, "Customer", customer_id="c2").status_code == 404
    assert shop.get(PATH, tenant="beta").status_code == 404
    assert shop.get("/api/customers/c1/badges", "Customer", customer_id="c1").status_code == 403
    assert "Waiting for QuickBooks" in shop.get("/api/customers/c1/badges", "SalesRep").text


def test_an_order_that_nobody_wants_in_an_erp_has_no_badge(api: Api) -> None:
    api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    api.send("PUT", "/api/commerce/products/p1", {"id": "p1", "name": "Tea"})
    api.send("PUT", "/api/commerce/orders/o1", ORDER)
    run(api, "delete from erp.integration_deliveries")
    assert api.get(PATH).text == ""
