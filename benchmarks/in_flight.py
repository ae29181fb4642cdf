"""A backlog of sales orders against an account that takes five calls at once: how much of what it takes is used.

Three `erp deliver` processes share the backlog; the connection's lock lets one of them work at a time. The twin holds every
call for a set time and counts how many are under way; a call over the limit is refused there with 429. The share is the time
that calls were under way, of the time that the account's places were there for.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, products
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import Stage, staged

ORDERS, PROCESSES, LATENCY, LIMIT = 1000, 3, 0.2, 5
ACCOUNT = "1234567"


def run() -> dict[str, Any]:
    """Shares first: with the account's limit unknown (four at once, one left to others), and shown by the account."""
    logs.configure(level=40)
    figures: dict[str, Any] = {}
    for name, shown in (("limit not shown, one place left to others", False), ("limit shown, all of it ours", True)):
        figures |= {f"{what} ({name})": value for what, value in _one(shown=shown).items()}
    return dict(sorted(figures.items(), key=lambda figure: not figure[0].startswith("share")))


def _one(*, shown: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, postgres.running(Path(folder)) as server:
        url = server.url("erp")
        database = Database.connect(url)
        migrations.upgrade(database)
        database.dispose()
        with staged(url, provider="netsuite") as stage:
            return _drained(stage, shown=shown)


def _drained(stage: Stage, *, shown: bool) -> dict[str, Any]:
    twin, runtime = stage.twin, stage.runtime()
    twin.add_account(ACCOUNT, concurrency_limit=LIMIT, integration_limit=LIMIT if shown else 0)
    twin.configure(governance_for="everyone" if shown else "administrator")
    stage.connect(runtime)
    own = {**stage.there.settings["providerSettings"], "document": "salesOrder", "concurrency": None}
    connections.change_settings(
        runtime, stage.key, {"documentsWhen": "confirmed", "providerSettings": own}, "benchmark"
    )
    with runtime.db.tenant("acme") as conn:
        customers.save(conn, "acme", make_customer())
        products.save(conn, "acme", make_product())
        for number in range(ORDERS):
            orders.save(conn, "acme", make_order(f"b{number}"))
    runtime.db.dispose()
    twin.calls.clear()
    twin.configure(latency_seconds=LATENCY)
    began = time.monotonic()
    command = stage.command("deliver", "--until-empty")
    workers = [subprocess.Popen(command, env=stage.environment(), stdout=subprocess.DEVNULL) for _ in range(PROCESSES)]
    for worker in workers:
        worker.wait()
    seconds = time.monotonic() - began
    counts, calls = twin.ledger().counts, len([call for call in twin.calls.since() if call.kind != "auth"])
    return {
        f"share of {LIMIT} places used": round(calls * LATENCY / (seconds * LIMIT), 3),
        "most calls under way": twin.governance.highest[ACCOUNT],
        "calls refused": twin.governance.refused[ACCOUNT],
        "sales orders in the account": counts.get("salesOrder", 0),
        "calls": calls,
        "seconds": round(seconds, 1),
    }
