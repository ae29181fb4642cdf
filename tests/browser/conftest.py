"""A headless browser, and the web app with the QuickBooks twin on ports of their own."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from erp_pipelines.commerce import tenants
from tests.support.ports import free_ports
from tests.support.stage import ROOT, staged
from tests.support.webserver import serving
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    """One headless browser for a module's tests; each makes pages of its own."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def page(browser):
    """A page of a fresh profile."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@contextmanager
def on_ports(database_url, provider="quickbooks"):
    """A twin, and the web app on a port: `public_url` says where. A tenant `acme` without a connection."""
    [port] = free_ports(1)
    with staged(database_url, f"http://localhost:{port}", provider=provider) as stage:
        runtime = stage.runtime()
        with runtime.db.tenant("acme") as conn:
            tenants.add(conn, "acme", "Acme Distribution")
        with serving(create_app(runtime, AuthConfig(secret=stage.jwt_secret)), port):
            yield stage
        runtime.db.dispose()


@pytest.fixture
def stage(database_url):
    with on_ports(database_url) as opened:
        yield opened


@pytest.fixture
def netsuite(database_url):
    with on_ports(database_url, "netsuite") as opened:
        yield opened


@pytest.fixture
def house(stage):
    """What the web app works with."""
    runtime = stage.runtime()
    yield runtime
    runtime.db.dispose()


@pytest.fixture(scope="session")
def shots(tmp_path_factory) -> Path:
    """Where screenshots go: into the docs when DOCS_SCREENSHOTS is set, else nowhere that lasts."""
    return ROOT / "docs" / "images" if os.environ.get("DOCS_SCREENSHOTS") else tmp_path_factory.mktemp("shots")
