"""Connecting QuickBooks as an admin does it: in a real browser, through the consent page and back."""

from __future__ import annotations

import shutil

import pytest

from erp_pipelines.access import connections, consent
from erp_pipelines.commerce import tenants
from tests.support.ports import free_ports
from tests.support.stage import KEY, staged
from tests.support.webserver import serving
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


@pytest.fixture
def page():
    """A page of a fresh headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield browser.new_page()
        browser.close()


@pytest.fixture
def house(database_url):
    """The web app and the twin on ports, a tenant without a connection."""
    [port] = free_ports(1)
    with staged(database_url, f"http://localhost:{port}") as stage:
        runtime = stage.runtime()
        with runtime.db.tenant("acme") as conn:
            tenants.add(conn, "acme", "Acme")
        with serving(create_app(runtime, AuthConfig(secret=stage.jwt_secret)), port):
            yield runtime
        runtime.db.dispose()


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
