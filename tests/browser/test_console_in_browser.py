"""The console as an admin and a sales manager use it: in a real browser, against the twin, with the real engine."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, payments
from erp_pipelines.delivery import alerts, worker
from erp_pipelines.domain.alerts import Message
from erp_pipelines.storage import open_errors
from tests.browser.console_steps import (
    DESKTOP,
    PHONE,
    REALM,
    close_books,
    fill,
    is_too_wide,
    shop,
    sign_in,
    token,
    violations,
    working,
)
from tests.support.clock import FakeClock
from tests.support.factories import make_customer, make_order
from tests.support.stage import KEY, follow

pytestmark = pytest.mark.browser
RECORDS = 500
SHOWN = ("connections", "errors", "logs", "health", "reconciliation")
PAGES = (
    "connections",
    "errors",
    "logs",
    "syncs",
    "mappings",
    "matching",
    "health",
    "differences",
    "reconciliation",
    "requests",
    "outbox",
    "inbox",
    "causes",
)


def test_connecting_through_the_console(stage, house, page, shots):
    page.set_viewport_size(DESKTOP)
    page.goto(f"{stage.public_url}/console")
    page.screenshot(path=shots / "console-sign-in.png")
    sign_in(page, stage)
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_role("button", name="Go on to QuickBooks").click()
    page.get_by_role("link", name="Sign in at QuickBooks").click()
    page.get_by_role("button", name="Connect").first.click()
    page.wait_for_url("**/callback**")
    page.get_by_role("link", name="to the console").click()
    expect(page.get_by_text("Harbor Foods Ltd (twin)")).to_be_visible()
    assert connections.status(house, KEY).row.connected_by == "admin@acme"


def test_credentials_are_entered_wrong_and_then_right(netsuite, page, shots):
    there, runtime = netsuite.there, netsuite.runtime()
    brought = there.bring(runtime, "acme", there.company, follow)
    page.set_viewport_size(DESKTOP)
    sign_in(page, netsuite)
    page.get_by_role("link", name="Connect", exact=True).click()
    form = page.locator("form", has=page.get_by_role("heading", name="OAuth 2.0 with a certificate"))
    page.screenshot(path=shots / "console-credentials.png", full_page=True)
    fill(form, brought | {"clientId": "nobody"})
    form.get_by_role("button", name="Try and connect").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert "PRIVATE KEY" not in page.content()
    expect(form.locator("[name=accountId]")).to_have_value(there.company)
    fill(form, brought)
    form.get_by_role("button", name="Try and connect").click()
    expect(page.get_by_text("Harbor Foods Inc (twin)")).to_be_visible()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The ERP answers, and the access is good.")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Department", exact=False).select_option("Sales")
    page.get_by_label("Tax codes, name 1").fill("8")
    page.get_by_label("Tax codes, value 1").fill("no id")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("taxCodes")
    expect(page.locator(".field-error")).to_contain_text("taxCodes.8")
    expect(page.get_by_label("Tax codes, value 1")).to_have_value("no id")
    page.get_by_role("group", name="NetSuite's own").screenshot(path=shots / "console-settings.png")
    page.get_by_label("Tax codes, value 1").fill("1")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    own = connections.status(runtime, netsuite.key).row.settings.provider_settings
    assert (own["taxCodes"], "departmentId" in own) == ({"8": "1"}, True)
    runtime.db.dispose()


@dataclass
class Inbox:
    """A channel, as somebody's mail."""

    name: str = "inbox"
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> bool:
        self.messages.append(message)
        return True


def alerted(house) -> str:
    """The address that the first alert ends in."""
    inbox = Inbox()
    clock = FakeClock(dt.datetime.now(dt.UTC))
    there = replace(house, channels=(inbox,), clock=clock)
    alerts.tell(there)
    clock.advance(seconds=90)
    alerts.tell(there)
    return inbox.messages[0].body.rpartition(" ")[2]


def test_from_the_alert_to_healed_in_three_clicks(stage, house, page):
    """The link in the message, retry all of the cause, and a look that nothing waits. The mend itself is made in the books."""
    stage.there.reconnect(house, browse=follow)
    close_books(stage, "2099-12-31")
    shop(house)
    worker.serve(house, KEY)
    page.set_viewport_size(DESKTOP)
    sign_in(page, stage)
    clicks = []
    page.expose_function("noteClick", lambda: clicks.append(page.url))
    page.add_init_script("addEventListener('click', event => event.isTrusted && noteClick(), true)")
    page.goto(f'data:text/html,<a href="{alerted(house)}">the link in the message</a>')  # some other site
    close_books(stage, "")
    page.get_by_role("link", name="the link in the message").click()
    expect(page.get_by_role("heading", name="The books are closed for the date")).to_be_visible()
    with working(house):
        page.get_by_role("button", name="Retry all of this cause").click()
        expect(page.get_by_text(re.compile(r"\d+ deliveries are due again"))).to_be_visible()
        wait_until_healed(house, page)
        page.get_by_role("link", name="All errors").click()
        expect(page.get_by_text("Nothing waits for anybody.")).to_be_visible()
    assert len(clicks) == 3
    assert len(stage.twin.companies[REALM].rows("Invoice")) == 3


def wait_until_healed(house, page) -> None:
    for _ in range(100):
        with house.db.tenant("acme") as conn:
            if not open_errors.groups(conn, "acme"):
                return
        page.wait_for_timeout(100)
    raise AssertionError("Something waits still.")


def test_a_bulk_sync_is_watched_to_the_end(stage, house, page, shots):
    stage.there.reconnect(house, browse=follow)
    with house.db.tenant("acme") as conn:
        for number in range(RECORDS):
            customers.save(conn, "acme", make_customer(f"c{number}"))
        conn.exec_driver_sql(
            "update erp.integration_deliveries set status = 'Completed', outcome = 'NotWanted', processed_at = now()"
        )
    page.set_viewport_size(DESKTOP)
    sign_in(page, stage)
    page.get_by_role("link", name="Bulk sync").first.click()
    for kind in ("Products", "Orders"):
        page.get_by_label(kind).uncheck()
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_text("Nothing stands in the way.")).to_be_visible()
    page.get_by_role("button", name="Start it").click()
    progress = page.locator("#progress")
    expect(progress).to_contain_text("0.0 %")
    with working(house):
        expect(progress).to_contain_text(re.compile(r"\b[1-9]\d?\.\d %"), timeout=60_000)
        page.screenshot(path=shots / "console-bulk-sync.png", full_page=True)
        expect(progress).to_contain_text("100.0 %", timeout=120_000)
    expect(progress).to_contain_text("done")
    assert len(stage.twin.companies[REALM].rows("Customer")) >= RECORDS


def test_the_audit_is_exported_and_a_manager_asks_for_a_retry(stage, house, page):
    stage.there.reconnect(house, browse=follow)
    close_books(stage, "2099-12-31")
    shop(house, 1)
    worker.serve(house, KEY)
    sign_in(page, stage, "SalesManager")
    page.get_by_role("link", name="Sync log").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Audit export (CSV)").click()
    assert "closed-period" in download.value.path().read_text()
    page.get_by_role("link", name="Errors", exact=True).click()
    expect(page.get_by_role("button", name="Retry all of this cause")).to_have_count(0)
    page.get_by_role("button", name="Ask for a retry").first.click()
    expect(page.get_by_text("An admin will see the request.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, stage)
    page.get_by_role("link", name="Retry requests").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("by admin@acme")).to_be_visible()


def test_every_page_is_accessible_and_breaks_no_rule_of_its_policy(stage, house, browser, shots):
    stage.there.reconnect(house, browse=follow)
    shop(house)
    worker.serve(house, KEY)
    close_books(stage, "2099-12-31")
    with house.db.tenant("acme") as conn:
        today = dt.datetime.now(dt.UTC).date()
        orders.save(conn, "acme", make_order("1009", customer_id="c1", order_date=today))
        payments.pay(conn, "acme", "1009", date=today, amount=Decimal(25))
    worker.serve(house, KEY)
    context = browser.new_context(viewport=DESKTOP, bypass_csp=True)  # axe is put into the page
    plain = browser.new_context(viewport=PHONE)
    page, phone = context.new_page(), plain.new_page()
    complaints: list[str] = []
    phone.on("console", lambda message: complaints.append(f"{phone.url}: {message.text}"))
    page.goto(f"{stage.public_url}/console/login")
    assert violations(page) == []
    sign_in(page, stage)
    sign_in(phone, stage)
    page.goto(f"{stage.public_url}/console/logs?status=Failed")
    entry = page.locator("tbody a").first.get_attribute("href")
    progress = checked_and_started(page, stage)
    for path in (*(f"/console/{name}" for name in PAGES), entry, "/console/connections/quickbooks/settings",
                 "/console/connections/quickbooks/connect", "/console/connections/quickbooks/disconnect",
                 "/console/setup/quickbooks/map", "/console/setup/quickbooks/preview", progress,
                 "/console/errors/quickbooks/closed-period"):  # fmt: skip
        name = path.removeprefix("/console/")
        page.goto(f"{stage.public_url}{path}")
        if name in SHOWN:
            page.screenshot(path=shots / f"console-{name}.png", full_page=True)
        assert violations(page) == [], path
        phone.goto(f"{stage.public_url}{path}")
        assert not is_too_wide(phone), path
        if name in {"connections", "errors"}:
            phone.screenshot(path=shots / f"console-phone-{name}.png")
    page.goto(f"{stage.public_url}/console/nowhere")
    assert violations(page) == []
    assert complaints == []
    context.close()
    plain.close()


def checked_and_started(page, stage) -> str:
    """A bulk sync that is looked at before it is started; where its progress is shown."""
    page.goto(f"{stage.public_url}/console/syncs")
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_role("heading", name="What a bulk sync to QuickBooks would do")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Start it").click()
    page.wait_for_url("**/console/syncs/quickbooks/*")
    return page.url.removeprefix(stage.public_url)


def test_the_console_is_used_by_keyboard_alone(stage, page):
    page.goto(f"{stage.public_url}/console")
    page.keyboard.type(token(stage, "Admin"))  # the field has the focus
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "Connect":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connect QuickBooks")).to_be_visible()


def test_the_console_works_without_scripts(stage, house, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, stage)
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_role("button", name="Go on to QuickBooks").click()
    page.get_by_role("link", name="Sign in at QuickBooks").click()
    page.get_by_role("button", name="Connect").first.click()
    page.get_by_role("link", name="to the console").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("checkbox", name="Payments").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    assert connections.status(house, KEY).row.settings.sync_payments is False
    context.close()
