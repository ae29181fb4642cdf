"""Run by one release on PYTHONPATH: `connect TENANT COMPANY ...`, `save FIRST LAST TENANT ...`, or `serve` until SIGTERM.

Uses what every release has had under the same name. `serve` is what a run of Dagster does, without Dagster; like a run it ends
after the event in hand.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.commerce import customers, orders, payments, products, tenants
from erp_pipelines.delivery import due, worker
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.settings import Settings
from tests.support.erps import ERPS
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import follow

IDLE_SECONDS = 0.1


def connect(runtime: Runtime, names: Sequence[str]) -> None:
    there = ERPS["quickbooks"]
    for tenant, company in zip(names[::2], names[1::2], strict=True):
        with runtime.db.tenant(tenant) as conn:
            tenants.add(conn, tenant, tenant.title())
            products.save(conn, tenant, make_product())
        there.finish(runtime, tenant, there.bring(runtime, tenant, company, follow))


def save(runtime: Runtime, first: int, last: int, names: Sequence[str]) -> None:
    """Paid orders, three events each, of one customer who is renamed every time."""
    for tenant in names:
        with runtime.db.tenant(tenant) as conn:
            customers.save(conn, tenant, make_customer("c1", name=f"Customer c1, {last}"))
            for number in range(first, last + 1):
                order = make_order(f"o{number}")
                orders.save(conn, tenant, order)
                payments.pay(conn, tenant, order.id, date=order.order_date)


def serve(runtime: Runtime) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.wait(IDLE_SECONDS):
        for key in due.connections(runtime):
            try:
                worker.serve(runtime, key, stop=stop.is_set)
            except (
                LockLost,
                DatabaseDown,
            ) as error:  # a migration had the row for too long: a run would end, and another begin
                print(error, file=sys.stderr)


def main(what: str, *names: str) -> None:
    runtime = build_runtime(Settings.from_env())
    if what == "connect":
        connect(runtime, names)
    elif what == "save":
        save(runtime, int(names[0]), int(names[1]), names[2:])
    else:
        serve(runtime)


if __name__ == "__main__":
    main(*sys.argv[1:])
