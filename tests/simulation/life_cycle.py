"""An order's life as a state machine: the shop, the books and a slow wire between them, and a model that knows better."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from erp_pipelines.access import connections
from erp_pipelines.commerce import orders, payments
from erp_pipelines.delivery import pull, worker
from erp_pipelines.domain.errors import Conflict, PipelineError, RecordInvalid
from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.orders import OrderLine
from erp_pipelines.domain.payments import status_for
from erp_pipelines.storage.engine import Database
from tests.simulation.actions import DAY, People
from tests.simulation.invariants import Auditor, require
from tests.simulation.world import World
from tests.support.erps import ERPS, Document
from tests.support.factories import make_order

PRICE = Decimal("12.50")
CENTS = st.integers(1, 4000).map(lambda cents: Decimal(cents) / 100)
MOST_ORDERS, MOST_ROUNDS = 3, 25


@dataclass
class Life:
    """What the model knows of one order. `told`: what the shop has heard of the money recorded in the books."""

    total: Decimal
    host: Decimal = Decimal(0)
    there: dict[str, Decimal] = field(default_factory=dict)
    told: Decimal = Decimal(0)
    cancelled: bool = False
    void: bool = False
    contested: bool = False  # shop and bookkeeper took the same money, each without knowing of the other

    @property
    def received(self) -> Decimal:
        return self.host + sum(self.there.values(), Decimal(0))

    @property
    def known(self) -> Decimal:
        return self.host + self.told


class OrderLifeCycle(RuleBasedStateMachine):
    """Create, edit, pay a part, pay, cancel, void, and payments recorded in the ERP, with answers lost in between."""

    databases: ClassVar[list[Database]] = []
    seeds: ClassVar[Any] = itertools.count(500_000)
    provider: ClassVar[str]

    @initialize(when=st.sampled_from(["paid", "confirmed"]), data=st.data())
    def begin(self, when: str, data: Any) -> None:
        habit = data.draw(st.sampled_from(("", *ERPS[self.provider].habits)))
        luck = data.draw(st.integers(0, 999))
        self.world = World(self.databases, next(self.seeds), self.provider, habit, luck=luck)
        self.people = People(self.world)
        self.auditor = Auditor(self.world, self.people)
        self.tenant, self.when = self.world.tenants[0], when
        connections.change_settings(self.world.host, self.tenant.key, {"documentsWhen": when}, "admin")
        self.lives: dict[str, Life] = {}

    # --- the shop ---

    @precondition(lambda self: len(self.lives) < MOST_ORDERS)
    @rule(quantity=st.integers(1, 6))
    def place(self, quantity: int) -> None:
        order_id = f"t1o{len(self.lives) + 1}"
        assert self._save(order_id, quantity) is None
        self.lives[order_id] = Life(quantity * PRICE)

    @precondition(lambda self: self.lives)
    @rule(data=st.data(), quantity=st.integers(1, 6))
    def edit(self, data: Any, quantity: int) -> None:
        order_id, life = self._choose(data)
        refused = self._save(order_id, quantity)
        total = quantity * PRICE
        assert refused == (Conflict if life.cancelled or total < life.known else None)
        if refused is None:
            life.contested |= total < life.received
            life.total = total

    @precondition(lambda self: self.lives)
    @rule(data=st.data(), amount=st.one_of(st.none(), CENTS))
    def pay(self, data: Any, amount: Decimal | None) -> None:
        order_id, life = self._choose(data)
        rest = life.total - life.known
        refused = self._pay(order_id, amount)
        if life.cancelled:
            assert refused == Conflict
        elif rest <= 0:
            assert refused is None, "it is paid already"
        elif amount is not None and amount > rest:
            assert refused == RecordInvalid
        else:
            assert refused is None
            life.host += rest if amount is None else amount
            life.contested |= life.received > life.total

    @precondition(lambda self: self.lives)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        order_id, life = self._choose(data)
        with self.world.host.db.tenant(self.tenant.key.tenant_id) as conn:
            orders.cancel(conn, self.tenant.key.tenant_id, order_id)
        life.cancelled = True

    # --- the books ---

    @precondition(lambda self: self._invoices())
    @rule(data=st.data(), amount=CENTS)
    def bookkeeper_records_a_payment(self, data: Any, amount: Decimal) -> None:
        order_id, doc = self._an_invoice(data)
        amount = min(amount, doc.balance)
        if amount <= 0:
            return
        with suppress(self.world.there.refusal):  # what came to an order is billed when the shop's change arrives
            life = self.lives[order_id]
            life.there[self.world.there.pays(doc, amount, self.tenant.company)] = amount
            life.contested |= life.received > life.total

    @precondition(lambda self: any(life.there and not life.void for life in self.lives.values()))
    @rule(data=st.data())
    def bookkeeper_deletes_a_payment(self, data: Any) -> None:
        paid = sorted(key for key, life in self.lives.items() if life.there and not life.void)
        life = self.lives[data.draw(st.sampled_from(paid))]
        ident = data.draw(st.sampled_from(sorted(life.there)))
        with suppress(self.world.there.refusal):
            self.world.there.deletes_payment(ident, self.tenant.company)
            del life.there[ident]

    @precondition(lambda self: self._invoices())
    @rule(data=st.data())
    def bookkeeper_voids(self, data: Any) -> None:
        order_id, doc = self._an_invoice(data)
        with suppress(self.world.there.refusal):
            self.world.there.voids(doc, self.tenant.company)
            self.lives[order_id].void = True

    # --- the wire ---

    @rule(fault=st.sampled_from(["drop_after_commit", "drop_before_commit", "truncated_json"]), data=st.data())
    def an_answer_is_lost(self, fault: str, data: Any) -> None:
        there = self.world.there
        entity, new = data.draw(st.sampled_from(sorted(there.types))), data.draw(st.booleans())
        there.twin.add_fault(
            fault, **there.writes(entity, new=new, habit=there.habit), times=1, realm=self.tenant.company
        )

    @rule(seconds=st.sampled_from([1, 70, 700]))
    def deliver(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        for tenant in self.world.tenants:
            worker.serve(self.world.host, tenant.key)

    @rule()
    def notices_arrive(self) -> None:
        """By webhook, those that are not lost; the rest is pulled."""
        self.people.collect_webhooks()
        for told in self.people.held:
            self.people.receive(*told)
        self.people.held = []
        pull.pull(self.world.host, self.tenant.key)

    @rule()
    def settle(self) -> None:
        self.world.there.twin.clear_faults()
        for _ in range(MOST_ROUNDS):
            self.deliver(700)
            self.notices_arrive()  # last: what was recorded just now is pulled only when some time has passed
            self.deliver(1)
            if not self._waiting():
                break
        self.auditor.at_rest()
        for order_id, life in self.lives.items():
            life.told = Decimal(0) if life.void else sum(life.there.values(), Decimal(0))
            self._check(order_id, life)

    def teardown(self) -> None:
        if hasattr(self, "lives"):
            self.settle()
        if hasattr(self, "world"):
            self.world.close()

    @invariant()
    def no_promise_is_broken(self) -> None:
        if hasattr(self, "auditor"):
            self.auditor.after_a_step()

    # --- what must be true at rest ---

    def _check(self, order_id: str, life: Life) -> None:
        [(total, paid)] = self.world.rows(
            self.tenant, "select total, payment_status from erp.orders where id = :order", order=order_id
        )
        require(total == life.total, f"{order_id} comes to {total} here and to {life.total} in truth")
        doc = self._invoices().get(order_id)
        if life.void:
            require(doc is None, f"{order_id} was voided there and stands again")
        if life.void or life.contested or life.cancelled:
            return
        status = status_for(life.total, life.received)
        require(paid == status, f"{order_id} is {paid} here and {status} in truth")
        if doc is None:
            require(self.when == "paid" and paid != "paid", f"{order_id} is {paid} and no invoice")
            return
        require(doc.total == life.total, f"{order_id} comes to {doc.total} there and to {life.total} in truth")
        require(doc.balance == life.total - life.received, f"{order_id}: {doc.balance} open, {life.received} received")

    # --- by hand ---

    def _choose(self, data: Any) -> tuple[str, Life]:
        order_id = data.draw(st.sampled_from(sorted(self.lives)))
        return order_id, self.lives[order_id]

    def _save(self, order_id: str, quantity: int) -> type[PipelineError] | None:
        line = OrderLine(product="p1", quantity=Decimal(quantity), unit_price=PRICE)
        try:
            with self.world.host.db.tenant(self.tenant.key.tenant_id) as conn:
                orders.save(conn, self.tenant.key.tenant_id, make_order(order_id, order_date=DAY, lines=[line]))
        except PipelineError as refused:
            return type(refused)
        return None

    def _pay(self, order_id: str, amount: Decimal | None) -> type[PipelineError] | None:
        try:
            with self.world.host.db.tenant(self.tenant.key.tenant_id) as conn:
                payments.pay(conn, self.tenant.key.tenant_id, order_id, date=DAY, amount=amount)
        except PipelineError as refused:
            return type(refused)
        return None

    def _invoices(self) -> dict[str, Document]:
        """The standing ones, by our order."""
        found = self.world.there.books(self.tenant.company)[EntityType.ORDER]
        return {doc.mark or "": doc for doc in found if not doc.void}

    def _an_invoice(self, data: Any) -> tuple[str, Document]:
        order_id = data.draw(st.sampled_from(sorted(self._invoices())))
        return order_id, self._invoices()[order_id]

    def _waiting(self) -> bool:
        return self.world.rows(
            self.tenant,
            """select exists (select 1 from erp.integration_deliveries where status not in ('Completed', 'Abandoned'))
            or exists (select 1 from erp.integration_inbox where status not in ('Completed', 'Skipped'))""",
        ) == [(True,)]
