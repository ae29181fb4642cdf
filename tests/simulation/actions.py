"""What may happen next: people in the shop and at the books, webhooks, trouble, time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.delivery import bulk, replay
from erp_pipelines.domain.errors import PipelineError
from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.orders import OrderLine
from tests.simulation.world import WORKERS, Tenant, World
from tests.support.doorbell import ring
from tests.support.erps import Document, Fault
from tests.support.factories import make_customer, make_order, make_product

DAY = dt.date(2040, 1, 2)
PRICES = (Decimal("12.50"), Decimal("3.10"))


class RolledBack(Exception):
    """The host's own trouble in the middle of a transaction."""


class People:
    """What the shop has done so far: enough to choose the next thing."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.rng
        self.orders: dict[str, list[str]] = {tenant.company: [] for tenant in world.tenants}
        self.versions: dict[str, int] = {}
        self.rolled_back: list[str] = []
        self.held: list[tuple[dict[str, str], bytes]] = []  # webhooks on their way
        for tenant in world.tenants:
            with world.host.db.tenant(tenant.key.tenant_id) as conn:
                for number in (1, 2):
                    customers.save(conn, tenant.key.tenant_id, make_customer(f"c{number}"))
                    product = make_product(f"p{number}", unit_price=PRICES[number - 1])
                    products.save(conn, tenant.key.tenant_id, product)

    # --- the shop ---

    def place_order(self, tenant: Tenant) -> str:
        order_id = f"{tenant.key.tenant_id[-2:]}o{len(self.orders[tenant.company]) + 1}"
        self.orders[tenant.company].append(order_id)
        self.versions[order_id] = 1
        self._save(tenant, order_id, quantity=1)
        return f"order {order_id}"

    def _save(self, tenant: Tenant, order_id: str, quantity: int) -> None:
        lines = [
            OrderLine(product="p1", quantity=Decimal(quantity), unit_price=PRICES[0]),
            OrderLine(product="p2", quantity=Decimal(2), unit_price=PRICES[1]),
        ]
        customer = f"c{1 + len(order_id) % 2}"
        with self.world.host.db.tenant(tenant.key.tenant_id) as conn, suppress(PipelineError):
            orders.save(
                conn,
                tenant.key.tenant_id,
                make_order(
                    order_id, customer_id=customer, order_date=DAY, lines=lines, memo=f"v{self.versions[order_id]}"
                ),
            )

    def edit_order(self, tenant: Tenant) -> str:
        order_id = self._an_order(tenant)
        if not order_id:
            return ""
        self.versions[order_id] += 1
        self._save(tenant, order_id, quantity=1 + self.versions[order_id] // 3)
        return f"edit {order_id} to v{self.versions[order_id]}"

    def pay_order(self, tenant: Tenant) -> str:
        return self._pay(tenant, None)

    def pay_a_part(self, tenant: Tenant) -> str:
        return self._pay(tenant, Decimal("5.00"))

    def _pay(self, tenant: Tenant, amount: Decimal | None) -> str:
        order_id = self._an_order(tenant)
        with self.world.host.db.tenant(tenant.key.tenant_id) as conn, suppress(PipelineError):
            payments.pay(conn, tenant.key.tenant_id, order_id or "none", date=DAY, amount=amount)
        return f"pay {amount or 'all'} of {order_id}"

    def cancel_order(self, tenant: Tenant) -> str:
        order_id = self._an_order(tenant)
        with self.world.host.db.tenant(tenant.key.tenant_id) as conn, suppress(PipelineError):
            orders.cancel(conn, tenant.key.tenant_id, order_id or "none")
        return f"cancel {order_id}"

    def rename_customer(self, tenant: Tenant) -> str:
        name = f"Customer c{self.rng.choice((1, 2))} Nr {self.rng.randint(1, 9)}"
        with self.world.host.db.tenant(tenant.key.tenant_id) as conn:
            customers.save(conn, tenant.key.tenant_id, make_customer(name.split()[1], name=name))
        return f"rename {name}"

    def roll_back(self, tenant: Tenant) -> str:
        order_id = f"rolled{len(self.rolled_back)}"
        self.rolled_back.append(order_id)
        with suppress(RolledBack), self.world.host.db.tenant(tenant.key.tenant_id) as conn:
            orders.save(conn, tenant.key.tenant_id, make_order(order_id, order_date=DAY))
            payments.pay(conn, tenant.key.tenant_id, order_id, date=DAY)
            raise RolledBack
        return f"{order_id} is rolled back"

    def sync_all(self, tenant: Tenant) -> str:
        bulk.request(self.world.host, tenant.key, ["Customer", "Product", "Order"], by="admin")
        return "bulk sync"

    def retry_all(self, tenant: Tenant) -> str:
        return f"an admin retries {replay.retry_failed(self.world.host, tenant.key)}"

    def _an_order(self, tenant: Tenant) -> str | None:
        known = self.orders[tenant.company]
        return self.rng.choice(known) if known else None

    # --- the books ---

    def bookkeeper_pays(self, tenant: Tenant) -> str:
        amount = self.rng.choice((None, Decimal("1.00")))
        return self._at(tenant, EntityType.ORDER, lambda doc: self.world.there.pays(doc, amount, tenant.company))

    def bookkeeper_edits(self, tenant: Tenant) -> str:
        remark = f"Seen {self.rng.randint(1, 99)}"
        return self._at(tenant, EntityType.ORDER, lambda doc: self.world.there.notes(doc, remark, tenant.company))

    def bookkeeper_voids(self, tenant: Tenant) -> str:
        return self._at(tenant, EntityType.ORDER, lambda doc: self.world.there.voids(doc, tenant.company))

    def bookkeeper_switches_off(self, tenant: Tenant) -> str:
        return self._at(tenant, EntityType.PRODUCT, lambda doc: self.world.there.switches_off(doc, tenant.company))

    def bookkeeper_switches_on(self, tenant: Tenant) -> str:
        self.world.there.switches_on_all(tenant.company)
        return "all items are active"

    def _at(self, tenant: Tenant, entity: EntityType, act: Callable[[Document], Any]) -> str:
        found = self.world.there.books(tenant.company)[entity]
        ours = [doc for doc in found if doc.mark or entity is EntityType.PRODUCT]
        if not ours:
            return ""
        doc = self.rng.choice(ours)
        with suppress(self.world.there.refusal):
            act(doc)
        return f"at {doc.type} {doc.id}"

    # --- webhooks ---

    def collect_webhooks(self) -> None:
        for told in self.world.there.tidings():
            if self.rng.random() >= 0.2:  # else it is lost
                self.held.append(told)

    def webhook(self, _: Tenant) -> str:
        self.collect_webhooks()
        if not self.held:
            return ""
        told = self.rng.choice(self.held)
        if self.rng.random() < 0.7:  # else it comes once more
            self.held.remove(told)
        return f"webhook {self.receive(*told)}"

    def receive(self, headers: dict[str, str], body: bytes) -> str:
        got = ring(self.world.host, self.world.there.provider, headers, body)
        return f"{got.new} new"

    # --- trouble and time ---

    def trouble(self, tenant: Tenant) -> str:
        there, chance = self.world.there, self.rng
        fault = {"path": there.api, **chance.choice((*FAULTS, *there.hostilities))}
        times = chance.choice((1, 1, 2, 4))
        there.twin.add_fault(**fault, times=times, realm=chance.choice(("", tenant.company)))
        return f"{times} x {fault['fault']}"

    def token_dies(self, tenant: Tenant) -> str:
        self.world.there.ends_access(tenant.company)
        return "the access token dies"

    def time_passes(self, _: Tenant) -> str:
        seconds = self.rng.choice((1, 20, 70, 150, 700, 4000))
        self.world.clock.advance(seconds)
        return f"{seconds} s pass"

    def worker_starts(self, tenant: Tenant) -> str:
        return self._starts("worker", self.world.start_worker, tenant)

    def pull_starts(self, tenant: Tenant) -> str:
        return self._starts("pull", self.world.start_pull, tenant)

    def _starts(self, kind: str, start: Callable[[int, Tenant], None], tenant: Tenant) -> str:
        free = [slot for slot in range(WORKERS) if slot not in self.world.workers]
        if not free:
            return ""
        start(free[0], tenant)
        return f"{kind} {free[0]} starts"

    def worker_dies(self, _: Tenant) -> str:
        if not self.world.workers:
            return ""
        slot = self.rng.choice(sorted(self.world.workers))
        self.world.kill_worker(slot)
        return f"worker {slot} is killed"

    def session_ends(self, _: Tenant) -> str:
        if not self.world.workers:
            return ""
        slot = self.rng.choice(sorted(self.world.workers))
        self.world.end_session(slot)
        return f"the session of worker {slot} ends"


FAULTS: tuple[Fault, ...] = (
    {"fault": "drop_before_commit"},
    {"fault": "drop_after_commit"},
    {"fault": "drop_after_commit"},
    {"fault": "refuse_connection", "path": ""},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 500, "after_commit": True},
    {"fault": "status", "status": 502, "after_commit": True, "html": True},
    {"fault": "status", "status": 504, "html": True},
    {"fault": "status", "status": 429, "retry_after": 1, "path": ""},
    {"fault": "status", "status": 429, "retry_after": 30, "path": ""},
    {"fault": "slow", "seconds": 150.0},
    {"fault": "slow", "seconds": 150.0, "after_commit": True},
    {"fault": "slow", "seconds": 110.0},
    {"fault": "truncated_json"},
    {"fault": "truncated_body"},
    {"fault": "wrong_content_type"},
    {"fault": "redirect"},
)

# How often each thing happens, against one step of a worker.
WEIGHTS: tuple[tuple[str, int], ...] = (
    ("place_order", 8), ("edit_order", 6), ("pay_order", 10), ("pay_a_part", 3), ("cancel_order", 1),
    ("rename_customer", 3), ("roll_back", 1), ("sync_all", 1), ("retry_all", 2),
    ("bookkeeper_pays", 3), ("bookkeeper_edits", 3), ("bookkeeper_voids", 1), ("bookkeeper_switches_off", 1),
    ("bookkeeper_switches_on", 2), ("webhook", 6), ("trouble", 14), ("token_dies", 2), ("time_passes", 10),
    ("worker_starts", 14), ("pull_starts", 3), ("worker_dies", 5), ("session_ends", 2),
)  # fmt: skip
