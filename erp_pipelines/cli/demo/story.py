"""The demo: one order's whole life on one machine, told as it happens.

Nothing in it is special: orders are saved over the REST API as a host would, each ERP is connected through
its real flow, Dagster's sensors start the runs. Only the ERPs are twins.
"""

from __future__ import annotations

import re

from erp_pipelines.cli.demo import data
from erp_pipelines.cli.demo.environment import DemoEnvironment
from erp_pipelines.cli.demo.netsuite import NetSuiteScene
from erp_pipelines.cli.demo.quickbooks import QuickBooksScene
from erp_pipelines.cli.demo.scene import Scene, Story, follow_documents
from erp_pipelines.cli.demo.telling import console, done, head, show, step
from erp_pipelines.cli.keys import make_token
from erp_pipelines.cli.services import databases, wait_for_ctrl_c
from erp_pipelines.cli.stack import Stack
from erp_pipelines.cli.web import Web
from erp_pipelines.commerce import tenants
from erp_pipelines.server.supervisor import Supervisor
from erp_pipelines.settings import Settings
from erp_pipelines.storage.engine import Database

TENANT = "demo"
ROLES = ("Admin", "SalesManager", "SalesRep", "Customer")


def run(*, stop_at_the_end: bool) -> int:
    """The whole demo. 0 when all came out as it should."""
    env = DemoEnvironment.load(Settings.from_env())
    env.apply()
    settings = Settings.from_env()
    console.print("[bold]erp demo[/]: an order becomes a document in each ERP, and its payment comes back\n")
    with databases(settings) as (ours, theirs):
        step("database", f"PostgreSQL, {_without_password(ours)}")
        _make_tenant(ours)
        services = [*env.twin_services(settings), *Stack(settings, ours, theirs).services()]
        with Supervisor(services, log_dir=settings.data_dir / "logs", on_event=show) as supervisor:
            supervisor.start()
            story, scenes = _open(settings, env), scenes_of(env)
            _play(story, scenes)
            return _end(story, scenes, supervisor, stop_at_the_end)


def scenes_of(env: DemoEnvironment) -> tuple[Scene, ...]:
    return (QuickBooksScene(env.quickbooks_url), NetSuiteScene(env))


def _open(settings: Settings, env: DemoEnvironment) -> Story:
    admin = make_token(settings, tenant=TENANT, role="Admin", user="demo-admin")
    return Story(
        settings,
        env,
        api=Web(f"http://127.0.0.1:{settings.api_port}", admin),
        dagster=Web(f"http://127.0.0.1:{settings.dagster_port}"),
    )


def _play(story: Story, scenes: tuple[Scene, ...]) -> None:
    for scene in scenes:
        scene.connect(story)
    orders = _save_orders(story)
    for scene in scenes:
        follow_documents(story, scene, orders)
    payer = {scene.provider: scene for scene in scenes}
    for order_id, place in zip(orders, data.PAID_IN, strict=True):
        if place in payer:
            payer[place].pay(story, order_id)
    _show_runs(story)


def _end(story: Story, scenes: tuple[Scene, ...], supervisor: Supervisor, stop_at_the_end: bool) -> int:
    for scene in scenes:
        scene.check_books(story)
    console.print()
    if story.problems:
        console.print(
            f"[red]{len(story.problems)} things are not as they should be[/]; logs: {story.settings.data_dir / 'logs'}"
        )
    else:
        console.print("[green]✓ all is as it should be[/]")
    if stop_at_the_end:
        return 1 if story.problems else 0
    _show_doors(story, scenes)
    wait_for_ctrl_c(supervisor)
    return 0


# --- the steps ----------------------------------------------------------------------------


def _make_tenant(url: str) -> None:
    database = Database.connect(url)
    with database.tenant(TENANT) as conn:
        tenants.add(conn, TENANT, "Demo distributor")
    database.dispose()


def _save_orders(story: Story) -> list[str]:
    """The host's side: customers, products and orders over the REST API."""
    head("The shop saves orders")
    for customer in data.CUSTOMERS:
        story.api.put(f"/api/commerce/customers/{customer['id']}", customer)
    for product in data.PRODUCTS:
        story.api.put(f"/api/commerce/products/{product['id']}", product)
    orders = data.orders(story.env.next_order_number)
    for order in orders:
        story.api.put(f"/api/commerce/orders/{order['id']}", order)
    for order, place in zip(orders, data.PAID_IN, strict=True):
        if place == "shop":
            reference = {"method": "card", "reference": f"ch_{order['id']}"}
            story.api.post(f"/api/commerce/orders/{order['id']}/pay", reference)
        how = "and paid in the shop" if place == "shop" else "to be paid on invoice"
        done(f"order [bold]{order['number']}[/] saved, {how}")
    story.env.saved(len(orders))
    return [str(order["id"]) for order in orders]


RUNS = """query { runsOrError(limit: 5) { __typename ... on Runs { results { runId status jobName creationTime tags { key value } } } } }"""


def _show_runs(story: Story) -> None:
    head("What Dagster shows")
    answer = story.dagster.post("/graphql", {"query": RUNS})["data"]["runsOrError"]
    # One that the end of an earlier demo cut off is reported failed at the start of this one.
    runs = [run for run in answer.get("results", []) if run["creationTime"] >= story.began]
    story.check(bool(runs), "Dagster has runs to show")
    for run in runs:
        key = next((tag["value"] for tag in run["tags"] if tag["key"] == "dagster/partition"), "")
        done(
            f"{run['jobName']} {key} {run['status'].lower()}  http://localhost:{story.settings.dagster_port}/runs/{run['runId']}"
        )
    story.check(all(run["status"] != "FAILURE" for run in runs), "no run failed")


def _show_doors(story: Story, scenes: tuple[Scene, ...]) -> None:
    settings = story.settings
    console.print(f"\n  console    {settings.public_url}/console")
    console.print(f"  web app    {settings.public_url}/openapi.json")
    console.print(f"  Dagster    http://localhost:{settings.dagster_port}")
    for scene in scenes:
        console.print(f"  {scene.name:10} {scene.door}")
    console.print(f"  for the command line on these data:  set -a; . {story.env.path}; set +a")
    for role in ROLES:
        customer_id = data.CUSTOMERS[0]["id"] if role == "Customer" else None
        token = make_token(settings, tenant=TENANT, role=role, user=f"demo-{role.lower()}", customer_id=customer_id)
        console.print(f"  {role:12} {token}", overflow="ignore", crop=False)
    console.print("\n  Ctrl-C stops everything; the data stay for the next time.")


def _without_password(url: str) -> str:
    return re.sub(r"//[^@]*@", "//", url)
