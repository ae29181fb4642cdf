"""The first run of a connection, in a browser: on a phone without scripts, and by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.delivery import setup, worker
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.browser.console_steps import PHONE, REALM, is_too_wide, shop, sign_in, violations
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import KEY, follow

pytestmark = pytest.mark.browser


def stands(stage, *names: str) -> None:
    """Customers that the bookkeeper has entered years ago."""
    company = stage.twin.companies[REALM]
    with stage.twin.lock:
        for name in names:
            operations.create(company, SCHEMAS["Customer"], {"DisplayName": name})


def go_on(page, words: str) -> None:
    page.get_by_role("button", name=words).click()


def test_quickbooks_is_set_up_on_a_phone_without_scripts(stage, house, browser, shots):
    shop(house)
    with house.db.tenant("acme") as conn:
        customers.save(conn, "acme", make_customer("c3", name="Quay Books"))
    stands(stage, "Corner Shop 1", "Corner Shpo 2")
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, stage)
    page.get_by_role("link", name="Set up").click()
    page.get_by_role("link", name="Connect QuickBooks").click()
    go_on(page, "Go on to QuickBooks")
    page.get_by_role("link", name="Sign in at QuickBooks").click()
    page.get_by_role("button", name="Connect").first.click()
    page.get_by_role("link", name="on with the set-up").click()

    go_on(page, "Read QuickBooks's lists and match")
    expect(page.get_by_role("status")).to_contain_text("Customers: 1 joined, 1 to decide about, 1 new.")
    page.screenshot(path=shots / "console-phone-setup-match.png", full_page=True)
    page.get_by_label("Corner Shpo 2", exact=False).check()
    go_on(page, "Decide about Customer c2")
    go_on(page, "Go on")

    page.get_by_label("Account that payments are deposited to").select_option("Checking")
    page.goto(f"{stage.public_url}/console/connections")  # left before it is saved
    page.get_by_role("link", name="Set up").click()
    page.get_by_label("Account that payments are deposited to").select_option("Checking")
    go_on(page, "Save and go on")
    page.get_by_label("Orders from").fill("2026-01-01")
    go_on(page, "Save and go on")
    go_on(page, "Look")
    expect(page.get_by_text("Nothing stands in the way.")).to_be_visible()
    assert not is_too_wide(page)
    page.screenshot(path=shots / "console-phone-setup-preview.png", full_page=True)
    assert stage.twin.companies[REALM].rows("Invoice") == []
    go_on(page, "Turn it on")
    expect(page.get_by_text("It is on.")).to_be_visible()
    context.close()

    worker.serve(house, KEY)
    company = stage.twin.companies[REALM]
    names = [row["DisplayName"] for row in company.rows("Customer")]
    assert sorted(names) == ["Corner Shop 1", "Corner Shpo 2", "Quay Books"]
    assert len(company.rows("Invoice")) == 3
    settings = connections.status(house, KEY).row.settings
    assert (settings.auto_sync_enabled, settings.deposit_account_id, str(settings.start_date)) == (
        True,
        "1",
        "2026-01-01",
    )
    assert setup.of(house, KEY).following is None


def press(page, words: str) -> None:
    """Tab to what is called so, and press Enter."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent").strip() == words:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{words!r} cannot be reached by Tab on {page.url}")


def test_netsuite_is_set_up_by_keyboard_alone_and_every_step_is_accessible(netsuite, browser):
    there, runtime = netsuite.there, netsuite.runtime()
    with runtime.db.tenant("acme") as conn:
        products.save(conn, "acme", make_product("p1"))
        customers.save(conn, "acme", make_customer("c1"))
        orders.save(conn, "acme", make_order("1001", customer_id="c1"))
        payments.pay(conn, "acme", "1001", date=make_order().order_date)
    context = browser.new_context(bypass_csp=True)  # axe is put into the page
    page = context.new_page()
    sign_in(page, netsuite)
    press(page, "Set up")
    check(page, "Connect")
    press(page, "Connect NetSuite")
    page.wait_for_url("**/connect?setup=1")
    page.locator("[name=accountId]").first.focus()
    for value in there.bring(runtime, "acme", there.company, follow).values():
        page.keyboard.insert_text(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    check(page, "Match existing records")
    press(page, "Go on")
    check(page, "Map accounts and taxes")
    for name, value in (("incomeAccountId", "5"), ("providerSettings.subsidiaryId", "1")):
        page.locator(f"[name='{name}']").select_option(value)
    page.locator("[name='providerSettings.taxScheduleId']").fill("1")
    press(page, "Save and go on")
    check(page, "Start date")
    press(page, "Save and go on")
    check(page, "Preview")
    press(page, "Look")
    expect(page.get_by_text("Nothing stands in the way.")).to_be_visible()
    check(page, "Preview")
    press(page, "Turn it on")
    expect(page.get_by_text("It is on.")).to_be_visible()
    page.goto(f"{netsuite.public_url}/console/setup/netsuite")
    check(page, "On")
    context.close()
    worker.serve(runtime, netsuite.key)
    assert [len(found) for found in there.books().values()][:2] == [1, 1]
    runtime.db.dispose()


def check(page, step: str) -> None:
    """The page of a step, which breaks no rule of axe's and fits."""
    expect(page.get_by_role("heading", name=step, exact=True)).to_be_visible()
    assert violations(page) == [], step
    assert not is_too_wide(page), step
