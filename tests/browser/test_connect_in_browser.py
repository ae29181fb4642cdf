"""Connecting QuickBooks as an admin does it: in a real browser, through the consent page and back."""

from __future__ import annotations

import pytest

from erp_pipelines.access import connections, consent
from tests.support.stage import KEY

pytestmark = pytest.mark.browser


def test_an_admin_connects_through_the_consent_page(house, page, tmp_path):
    page.goto(consent.begin(house, "acme", "ann", "quickbooks"))
    page.screenshot(path=tmp_path / "consent.png")
    page.get_by_role("button", name="Connect").first.click()
    page.wait_for_url("**/callback**")
    page.screenshot(path=tmp_path / "connected.png")
    assert "Harbor Foods Ltd (twin)" in page.inner_text("body")
    status = connections.status(house, KEY)
    assert (status.row.state, status.row.company_name) == ("Connected", "Harbor Foods Ltd (twin)")
    back = page.url
    page.goto(back)
    assert "Start the connection again" in page.inner_text("body")
    assert connections.status(house, KEY).row.state == "Connected"


def test_a_refused_consent_says_so_and_connects_nothing(house, page):
    page.goto(consent.begin(house, "acme", "ann", "quickbooks") + "&twin_deny=1")
    page.wait_for_url("**/callback**")
    assert "The connection to QuickBooks was not authorised." in page.inner_text("body")
    assert connections.status(house, KEY).row is None
