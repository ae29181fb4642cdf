"""The rate at which orders become invoices before and after PostgreSQL was in trouble, and how soon they go on.

Each fault meets a real `erp deliver` in the midst of a backlog, on a server of its own; what is compared are two windows of the
same process, and the two of an undisturbed one tell how much of the ratio is the machine's.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from erp_pipelines.access import connections
from erp_pipelines.commerce import customers, orders, products
from erp_pipelines.security import logs
from tests.support.factories import make_customer, make_order, make_product
from tests.support.outages import FAULTS, OwnServer, own_server
from tests.support.stage import KEY, Stage, staged

ORDERS, WARM, WINDOW_SECONDS, TURNS = 800, 40, 4.0, 3
PATIENCE_SECONDS = 120.0
UNDISTURBED = "none, the machine alone"


def run() -> dict[str, Any]:
    """Ratios first (1: the earlier rate is reached again); seconds from the end of the fault to the next invoice."""
    logs.configure(level=50)
    faults = {UNDISTURBED: lambda _: None, **FAULTS}
    measured = {name: [_measured(fault) for _ in range(TURNS)] for name, fault in faults.items()}
    ratios = {f"rate after / before: {name}": _median([after / before for before, _, after in turns]) for name, turns in measured.items()}  # fmt: skip
    waits = {f"seconds to the next invoice: {name}": _median([wait for _, wait, _ in turns]) for name, turns in measured.items()}  # fmt: skip
    before = [turn[0] for turns in measured.values() for turn in turns]
    return {**ratios, **waits, "invoices a second before, median": _median(before)}


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 2)


def _measured(fault: Any) -> tuple[float, float, float]:
    """Invoices a second before, seconds until the next one after the fault, and invoices a second from then on."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        own_server(Path(folder) / "pg") as own,
        staged(own.url) as stage,
    ):
        stage.extra = {"ERP_QUICKBOOKS_REQUESTS_PER_MINUTE": "600000"}
        _backlog(stage)
        process = subprocess.Popen(stage.command("deliver", "--until-empty"), env=stage.environment())
        try:
            return _rates(stage, own, fault)
        finally:
            process.kill()
            process.wait()


def _rates(stage: Stage, own: OwnServer, fault: Any) -> tuple[float, float, float]:
    _until(stage, WARM)
    before = _rate(stage)
    fault(own)
    ended = time.monotonic()
    _until(stage, _invoices(stage) + 1)
    wait = time.monotonic() - ended
    _until(stage, _invoices(stage) + WARM // 2)  # pools and caches fill again
    return before, wait, _rate(stage)


def _backlog(stage: Stage) -> None:
    runtime = stage.runtime()
    try:
        stage.connect(runtime)
        connections.change_settings(runtime, KEY, {"documentsWhen": "confirmed"}, "admin")
        with runtime.db.tenant(KEY.tenant_id) as conn:
            customers.save(conn, KEY.tenant_id, make_customer())
            products.save(conn, KEY.tenant_id, make_product())
            for number in range(ORDERS):
                orders.save(conn, KEY.tenant_id, make_order(f"o{number}"))
    finally:
        runtime.db.dispose()


def _rate(stage: Stage) -> float:
    count, since = _invoices(stage), time.monotonic()
    time.sleep(WINDOW_SECONDS)
    done = _invoices(stage) - count
    assert _invoices(stage) < ORDERS, "the backlog is too small for this machine"
    return done / (time.monotonic() - since)


def _until(stage: Stage, count: int) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while _invoices(stage) < count:
        assert time.monotonic() < ends, f"{_invoices(stage)} invoices, and no more"
        time.sleep(0.01)


def _invoices(stage: Stage) -> int:
    return stage.twin.ledger().counts.get("Invoice", 0)
