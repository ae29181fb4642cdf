"""The demo: one order's whole life on one machine, told as it happens.

Nothing in it is special: orders are saved over the REST API as a host would, the ERP is connected through
its consent page, Dagster's sensors start the runs. Only the ERP is a twin.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rich.console import Console

from erp_pipelines.cli import demo_data
from erp_pipelines.cli.demo_env import DemoEnvironment
from erp_pipelines.cli.keys import make_token
from erp_pipelines.cli.services import databases, wait_for_ctrl_c
from erp_pipelines.cli.stack import Stack
from erp_pipelines.cli.web import Web, follow
from erp_pipelines.commerce import tenants
from erp_pipelines.server.supervisor import Event, Supervisor
from erp_pipelines.settings import Settings
from erp_pipelines.storage.engine import Database

TENANT = "demo"
REALM = "9130350000000001"
PATIENCE_SECONDS = 180.0
ROLES = ("Admin", "SalesManager", "SalesRep", "Customer")

console = Console(highlight=False, soft_wrap=True)


@dataclass
class Story:
    """What the demo holds in its hands, and what it has seen go wrong."""

    settings: Settings
    env: DemoEnvironment
    api: Web
    twin: Web
    dagster: Web
    began: float = field(default_factory=time.time)
    problems: list[str] = field(default_factory=list)

    def check(self, holds: bool, what: str) -> None:
        """Note what does not hold; it decides the exit code."""
        if not holds:
            self.problems.append(what)
            console.print(f"  [red]✗ {what}[/]")


def run(*, stop_at_the_end: bool) -> int:
    """The whole demo. 0 when all came out as it should."""
    env = DemoEnvironment.load(Settings.from_env())
    env.apply()
    settings = Settings.from_env()
    console.print("[bold]erp demo[/]: an order becomes an invoice in QuickBooks, and its payment comes back\n")
    with databases(settings) as (ours, theirs):
        _step("database", f"PostgreSQL, {_without_password(ours)}")
        _make_tenant(ours)
        services = [env.twin_service(settings), *Stack(settings, ours, theirs).services()]
        with Supervisor(services, log_dir=settings.data_dir / "logs", on_event=_show) as supervisor:
            supervisor.start()
            story = _open(settings, env)
            _play(story)
            return _end(story, supervisor, stop_at_the_end)


def _open(settings: Settings, env: DemoEnvironment) -> Story:
    base = f"http://127.0.0.1:{settings.api_port}"
    return Story(
        settings,
        env,
        api=Web(base, make_token(settings, tenant=TENANT, role="Admin", user="demo-admin")),
        twin=Web(env.twin_url),
        dagster=Web(f"http://127.0.0.1:{settings.dagster_port}"),
    )


def _play(story: Story) -> None:
    _connect(story)
    orders = _save_orders(story)
    _follow_documents(story, orders)
    _pay_in_quickbooks(story, orders[-1])
    _show_runs(story)


def _end(story: Story, supervisor: Supervisor, stop_at_the_end: bool) -> int:
    _check_books(story)
    console.print()
    if story.problems:
        console.print(
            f"[red]{len(story.problems)} things are not as they should be[/]; logs: {story.settings.data_dir / 'logs'}"
        )
    else:
        console.print("[green]✓ all is as it should be[/]")
    if stop_at_the_end:
        return 1 if story.problems else 0
    _show_doors(story)
    wait_for_ctrl_c(supervisor)
    return 0


# --- the steps ----------------------------------------------------------------------------


def _make_tenant(url: str) -> None:
    database = Database.connect(url)
    with database.tenant(TENANT) as conn:
        tenants.add(conn, TENANT, "Demo distributor")
    database.dispose()


def _connect(story: Story) -> None:
    """Through the consent page, as an admin would; a second demo finds the connection standing."""
    _head("Connect QuickBooks")
    if not _connected(story):
        url = story.api.get("/api/integrations/quickbooks/authorize")["url"]
        follow(f"{url}&twin_approve={REALM}")
    connection = story.api.get("/api/integrations/connections/quickbooks")
    story.check(bool(connection["isConnected"]), "QuickBooks is connected")
    # Invoices for confirmed orders: so one can stand open and be paid in QuickBooks.
    story.api.put("/api/integrations/connections/quickbooks/settings", {"documentsWhen": "confirmed"})
    _done(f"connected to [bold]{connection['companyName']}[/]")


def _connected(story: Story) -> bool:
    found = story.api.get("/api/integrations/connections")["items"]
    return any(item["provider"] == "quickbooks" and item["isConnected"] for item in found)


def _save_orders(story: Story) -> list[str]:
    """The host's side: customers, products and orders over the REST API; all but the last order are paid in the shop."""
    _head("The shop saves orders")
    for customer in demo_data.CUSTOMERS:
        story.api.put(f"/api/commerce/customers/{customer['id']}", customer)
    for product in demo_data.PRODUCTS:
        story.api.put(f"/api/commerce/products/{product['id']}", product)
    orders = demo_data.orders(story.env.next_order_number)
    for order in orders:
        story.api.put(f"/api/commerce/orders/{order['id']}", order)
    for order in orders[:-1]:
        story.api.post(f"/api/commerce/orders/{order['id']}/pay", {"method": "card", "reference": f"ch_{order['id']}"})
        _done(f"order [bold]{order['number']}[/] saved and paid in the shop")
    _done(f"order [bold]{orders[-1]['number']}[/] saved, to be paid on invoice")
    story.env.saved(len(orders))
    return [str(order["id"]) for order in orders]


def _follow_documents(story: Story, orders: list[str]) -> None:
    _head("Dagster brings them to QuickBooks")
    began = time.monotonic()
    for order_id in orders:
        state = _until(partial(_synced, story, order_id))
        if state is None:
            story.check(False, f"order {order_id} stands in QuickBooks")
            continue
        url = state.get("documentUrl") or ""
        _done(
            f"order {order_id} → [bold]invoice {state['documentNumber']}[/]  {url}  ({time.monotonic() - began:.1f} s)"
        )


def _synced(story: Story, order_id: str) -> dict[str, Any] | None:
    status = story.api.get(f"/api/orders/{order_id}/sync-status")
    found = next((state for state in status["providers"] if state["provider"] == "quickbooks"), None)
    return found if found and found["state"] == "synced" else None


def _pay_in_quickbooks(story: Story, order_id: str) -> None:
    """Somebody in accounting receives the customer's transfer and enters it in QuickBooks."""
    _head("Accounting receives a payment in QuickBooks")
    before = story.api.get(f"/api/orders/{order_id}/sync-status")["paymentStatus"]
    story.check(before == "unpaid", f"order {order_id} is unpaid before (it is {before})")
    story.twin.post(f"/_twin/companies/{REALM}/payments", {"docNumber": order_id})
    _done(f"payment of invoice {order_id} entered there; the webhook is on its way")
    began = time.monotonic()
    paid = _until(lambda: story.api.get(f"/api/orders/{order_id}/sync-status")["paymentStatus"] == "paid")
    story.check(bool(paid), f"order {order_id} turns paid")
    if paid:
        _done(f"order [bold]{order_id}[/] is paid in the shop too  ({time.monotonic() - began:.1f} s)")


RUNS = """query { runsOrError(limit: 5) { __typename ... on Runs { results { runId status jobName creationTime tags { key value } } } } }"""


def _show_runs(story: Story) -> None:
    _head("What Dagster shows")
    answer = story.dagster.post("/graphql", {"query": RUNS})["data"]["runsOrError"]
    # One that the end of an earlier demo cut off is reported failed at the start of this one.
    runs = [run for run in answer.get("results", []) if run["creationTime"] >= story.began]
    story.check(bool(runs), "Dagster has runs to show")
    for run in runs:
        key = next((tag["value"] for tag in run["tags"] if tag["key"] == "dagster/partition"), "")
        _done(
            f"{run['jobName']} {key} {run['status'].lower()}  http://localhost:{story.settings.dagster_port}/runs/{run['runId']}"
        )
    story.check(all(run["status"] != "FAILURE" for run in runs), "no run failed")


def _check_books(story: Story) -> None:
    """The twin's ledger against the shop's orders: every one once, to the cent, closed by its payment."""
    ledger = story.twin.get("/_twin/ledger", realm=REALM)["documents"]
    mine = [invoice for invoice in ledger.get("Invoice", []) if str(invoice.get("DocNumber", "")).startswith("D-")]
    numbers = [invoice["DocNumber"] for invoice in mine]
    story.check(len(numbers) == len(set(numbers)), "no invoice stands there twice")
    story.check(sorted(numbers) == demo_data.numbers(story.env.orders_made), "every order has its invoice")
    expected = demo_data.totals(story.env.orders_made)
    wrong = [i["DocNumber"] for i in mine if f"{i['TotalAmt']:.2f}" != f"{expected.get(i['DocNumber'], -1):.2f}"]
    story.check(
        not wrong, f"invoices equal their orders to the cent (not {', '.join(wrong)})" if wrong else "totals agree"
    )
    open_ones = [invoice["DocNumber"] for invoice in mine if invoice.get("Balance")]
    story.check(not open_ones, f"every invoice is closed by its payment (open: {', '.join(open_ones)})")


def _show_doors(story: Story) -> None:
    settings = story.settings
    console.print(f"\n  console    {settings.public_url}/console")
    console.print(f"  web app    {settings.public_url}/openapi.json")
    console.print(f"  Dagster    http://localhost:{settings.dagster_port}")
    console.print(f"  QuickBooks {story.env.twin_url}/")
    console.print(f"  for the command line on these data:  set -a; . {story.env.path}; set +a")
    for role in ROLES:
        customer_id = demo_data.CUSTOMERS[0]["id"] if role == "Customer" else None
        token = make_token(settings, tenant=TENANT, role=role, user=f"demo-{role.lower()}", customer_id=customer_id)
        console.print(f"  {role:12} {token}", overflow="ignore", crop=False)
    console.print("\n  Ctrl-C stops everything; the data stay for the next time.")


# --- telling ------------------------------------------------------------------------------


def _until(seen: Callable[[], Any]) -> Any:
    """What `seen` gives as soon as it gives something; None when patience ends."""
    ends = time.monotonic() + PATIENCE_SECONDS
    with console.status("waiting ...") if console.is_terminal else _silence():
        while time.monotonic() < ends:
            found = seen()
            if found:
                return found
            time.sleep(0.2)
    return None


@contextmanager
def _silence() -> Iterator[None]:
    yield


def _head(text: str) -> None:
    console.print(f"\n[bold cyan]{text}[/]")


def _done(text: str) -> None:
    console.print(f"  [green]✓[/] {text}")


def _step(name: str, text: str) -> None:
    console.print(f"  [green]✓[/] {name:15} {text}")


def _show(event: Event) -> None:
    if event.kind == "ready":
        _step(event.service, f"ready after {event.seconds:.1f} s")
    elif event.kind == "failed":
        console.print(f"  [red]✗ {event.service}[/] {event.detail}")


def _without_password(url: str) -> str:
    return re.sub(r"//[^@]*@", "//", url)
