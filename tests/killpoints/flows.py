"""What is killed: each flow prepares a state, acts on it in a process that may die, and says what must hold in the end."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.orders import OrderLine
from tests.killpoints.checks import TOTAL, Books, Scene, connected, no_connection, same, whole
from tests.killpoints.host import Host
from tests.support.erps import ERPS, Fault, StagedErp
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import follow

CUSTOMER, PRODUCT, ORDER, PAYMENT = EntityType.CUSTOMER, EntityType.PRODUCT, EntityType.ORDER, EntityType.PAYMENT
REFUND = EntityType.REFUND
Act = Callable[[Host, Any], None]


@dataclass(frozen=True)
class Flow:
    """`prepare` returns what `act` is given. `act` is what a person or the system would do again after a death.

    `config` are the twin's switches and `faults` its trouble from then on; `habit` is the account's.
    """

    name: str
    act: Act
    check: Callable[[Scene], None]
    prepare: Callable[[Scene], Any] = lambda _: None
    config: Fault = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    habit: str = ""
    later: dt.timedelta = dt.timedelta()  # how long after the preparation it acts, on everybody's clock


def serve(host: Host, _: Any = None) -> None:
    host.serve()


def order(**changes: Any) -> Any:
    lines = [
        OrderLine(product="p1", quantity=Decimal(2), unit_price=Decimal("12.50")),
        OrderLine(product="p2", quantity=Decimal(1), unit_price=Decimal("3.10")),
    ]
    return make_order(lines=lines, **changes)


def everything() -> tuple[Any, ...]:
    return make_customer(), make_product(), make_product("p2"), order()


# --- push ---


def one_paid_order(scene: Scene) -> None:
    with scene.host() as host:
        host.save(*everything())
        host.pay()


def delivered(scene: Scene) -> None:
    one_paid_order(scene)
    with scene.host() as host:
        host.serve()


def standing_open(scene: Scene) -> None:
    """An order that was brought when it was confirmed, and is not paid."""
    with scene.host() as host:
        host.set(documentsWhen="confirmed")
        host.save(*everything())
        host.serve()


def edited(scene: Scene) -> None:
    """An order that stands open, with everything about it changed since."""
    standing_open(scene)
    with scene.host() as host:
        host.save(make_customer(name="Renamed Ltd"), make_product(name="Renamed"), order(memo="Ring twice."))


ONE_ORDER = Books({CUSTOMER: 1, PRODUCT: 2, ORDER: 1, PAYMENT: 1}, balance=Decimal(0))
OPEN_ORDER = Books({CUSTOMER: 1, PRODUCT: 2, ORDER: 1}, balance=TOTAL)


def pushed(scene: Scene) -> None:
    whole(scene, ONE_ORDER)


def edited_there(scene: Scene) -> None:
    whole(scene, OPEN_ORDER)
    _renamed(scene)
    same(["Ring twice." in document.text for document in scene.there.books()[ORDER]], [True])


def _renamed(scene: Scene) -> None:
    books = scene.there.books()
    same([document.name for document in books[CUSTOMER]], ["Renamed Ltd"])
    same(sorted(document.name for document in books[PRODUCT]), ["Product p2", "Renamed"])


def two_paid_orders(scene: Scene) -> None:
    """Of two customers, so that everything there is two of may go together."""
    with scene.host() as host:
        host.save(*everything(), make_customer("c2"), order(order_id="o2", customer_id="c2"))
        host.pay()
        host.pay("o2")


def orders_paid_together(scene: Scene) -> None:
    with scene.host() as host:
        host.save(*everything(), order(order_id="o2"))
        host.pay_together("o1", "o2")


def paid_together(scene: Scene) -> None:
    whole(scene, Books({CUSTOMER: 1, PRODUCT: 2, ORDER: 2, PAYMENT: 1}, balance=Decimal(0)))
    same([document.total for document in scene.there.books()[PAYMENT]], [2 * TOTAL])


def both_pushed(scene: Scene) -> None:
    whole(scene, Books({CUSTOMER: 2, PRODUCT: 2, ORDER: 2, PAYMENT: 2}, balance=Decimal(0)))


def both_pushed_late(scene: Scene) -> None:
    _wait_for_the_late(scene)
    both_pushed(scene)


# --- in doubt ---


def names_in_doubt(scene: Scene) -> None:
    """Customer and products stand in the ERP, and nobody heard of it."""
    one_paid_order(scene)
    _lose(scene, CUSTOMER, PRODUCT)


def renamed_in_doubt(scene: Scene) -> None:
    """The same, and the shop has renamed them since: what stands there carries the older names."""
    names_in_doubt(scene)
    with scene.host() as host:
        host.save(make_customer(name="Renamed Ltd"), make_product(name="Renamed"))


def renamed_there(scene: Scene) -> None:
    whole(scene, ONE_ORDER)
    _renamed(scene)


def order_in_doubt(scene: Scene) -> None:
    with scene.host() as host:
        host.save(*everything()[:3])
        host.serve()
        host.save(order())
        host.pay()
    _lose(scene, ORDER)


def payment_in_doubt(scene: Scene) -> None:
    one_paid_order(scene)
    _lose(scene, PAYMENT)


def edits_in_doubt(scene: Scene) -> None:
    edited(scene)
    _lose(scene, CUSTOMER, PRODUCT, ORDER, new=False)


def _lose(scene: Scene, *entities: EntityType, new: bool = True) -> None:
    """Deliver; the first write of each entity is done, but neither its answer nor one to its repeats arrives."""
    for entity in entities:
        scene.there.silence(entity, new=new)
    for _ in entities:
        with scene.host() as host:
            host.serve()
        # So much silence opens the circuit breaker: the next entity would otherwise wait half a minute for its turn.
        scene.sql("update erp.integration_pacing set failures = 0, open_until = null")
        scene.sql("update erp.integration_connections set paused_until = null")
    scene.twin.clear_faults()
    in_doubt = {entity for (entity,) in scene.rows("select entity_type from erp.integration_deliveries where in_doubt")}
    assert in_doubt >= set(entities), in_doubt
    scene.sql("update erp.integration_deliveries set scheduled_for = now() where status = 'Failed'")


# Longer than a successor takes to look; a slow machine needs more, else what is late is there in time.
LATE_SECONDS = float(os.environ.get("ERP_TEST_LATE_SECONDS", "0.4"))


def pushed_late(scene: Scene) -> None:
    """Also when what the dead one had sent was still at work in the ERP while its successor looked and found nothing."""
    _wait_for_the_late(scene)
    whole(scene, ONE_ORDER)


def _wait_for_the_late(scene: Scene) -> None:
    if scene.crossed[-1].endswith(" sent"):
        time.sleep(LATE_SECONDS + 0.1)


# --- refunds ---


def refunded_later(scene: Scene) -> None:
    """A paid order that stands in the ERP, and of which one line came back since."""
    delivered(scene)
    with scene.host() as host:
        host.set(**dict(host.erp.refunds or {}))
        host.refund(line=2)


def refunded_there(scene: Scene) -> None:
    whole(scene, Books({**ONE_ORDER.counts, REFUND: 1}, balance=Decimal(0)))
    assert [document.total for document in scene.there.books()[REFUND]] == [Decimal("3.10")]


# --- from the ERP ---


def paid_in_the_erp(scene: Scene) -> Any:
    """A part payment and the rest, recorded by a bookkeeper; what the ERP tells of that, if it tells anything."""
    standing_open(scene)
    scene.there.tidings()
    [invoice] = scene.there.books()[ORDER]
    scene.there.pays(invoice, Decimal("8.10"))
    scene.there.pays(invoice)
    return scene.there.tidings()


def hear(host: Host, told: Any) -> None:
    """The ERP's webhooks, told again as long as nobody has acknowledged them, and the work they cause."""
    host.hear(told)
    host.serve()


def look(host: Host, _: Any) -> None:
    """Nobody has told anything."""
    host.pull()


def applied(scene: Scene) -> None:
    whole(scene, Books({CUSTOMER: 1, PRODUCT: 2, ORDER: 1, PAYMENT: 2}, balance=Decimal(0), theirs=2))
    same(scene.rows("select payment_status from erp.orders"), [("paid",)])
    provider = scene.key.provider
    paid = scene.rows("select amount, source from erp.payments order by 1")
    same(paid, [(Decimal("8.10"), provider), (Decimal("20.00"), provider)])
    same(scene.rows("select count(*) from erp.integration_outbox where entity_type = 'Payment'"), [(0,)])


# --- tokens ---


def token_expired(scene: Scene) -> None:
    one_paid_order(scene)
    scene.sql("update erp.integration_connections set access_token_expires_at = now() - interval '1 hour'")
    scene.there.ends_access()


def renewed(scene: Scene) -> None:
    connected(scene)
    whole(scene, ONE_ORDER)


def renewed_or_parked(scene: Scene) -> None:
    """Only an answer that was lost after the token had been replaced may cost the connection; one click mends it."""
    if not _answer_lost(scene):
        renewed(scene)
        return
    (state, reason), *_ = scene.rows("select state, state_reason from erp.integration_connections")
    assert state == "Reconnect needed"
    assert "was never answered here" in reason
    assert scene.rows("select cause from erp.integration_alerts") == [("reconnect-needed",)]
    scene.sql("delete from erp.integration_alerts")
    with scene.host() as host:
        host.connect_again()
        host.serve()
    renewed(scene)


def _answer_lost(scene: Scene) -> bool:
    """Whether the process died between the provider's work on the refresh and the commit of what it answered."""
    crossed, wire = scene.crossed, f"{scene.there.token_call} sent"
    sent = crossed.index(wire) if wire in crossed else None
    return sent is not None and "after a commit" not in crossed[sent:]


def about_to_connect(scene: Scene) -> Any:
    """A person has clicked Connect, and the redirect is on its way; or has entered credentials."""
    scene.sql("delete from erp.integration_connections")
    with scene.host() as host:
        return scene.there.bring(host.runtime, scene.key.tenant_id, scene.there.company, follow)


def finish_connecting(host: Host, brought: Any) -> None:
    host.finish_connecting(brought)


def disconnect(host: Host, _: Any) -> None:
    host.disconnect()


# --- the shop and bulk ---


def shop_at_work(host: Host, _: Any) -> None:
    """A host that repeats a step of which it has not heard the end."""
    host.save(*everything())
    host.pay_once()
    host.serve()


def before_the_connection(scene: Scene) -> None:
    """Records that are older than the connection, with all events about them closed: only a bulk sync brings them."""
    one_paid_order(scene)
    scene.sql("delete from erp.integration_deliveries")
    scene.sql("delete from erp.integration_outbox")


def bulk_sync(host: Host, _: Any) -> None:
    host.bulk_sync()
    host.serve()


# --- all of them ---

# What makes a difference for an account of another habit.
PUSHES: dict[str, tuple[Callable[[Scene], Any], Callable[[Scene], None]]] = {
    "push": (one_paid_order, pushed),
    "edit": (edited, edited_there),
    "names-in-doubt": (names_in_doubt, pushed),
    "renamed-in-doubt": (renamed_in_doubt, renamed_there),
    "order-in-doubt": (order_in_doubt, pushed),
    "payment-in-doubt": (payment_in_doubt, pushed),
    "edits-in-doubt": (edits_in_doubt, edited_there),
}


def flows_of(erp: type[StagedErp]) -> Iterator[Flow]:
    """Those that this provider can have."""
    for habit in ("", *erp.habits):
        for name, (prepare, check) in PUSHES.items():
            yield Flow(f"{name}-{habit}" if habit else name, serve, check, prepare, habit=habit)
        if erp.refunds is not None:
            name = f"refund-{habit}" if habit else "refund"
            yield Flow(name, serve, refunded_there, refunded_later, habit=habit)
    yield Flow("one-payment", serve, paid_together, orders_paid_together)
    late = {"fault": "slow", **erp.writes(ORDER, new=True), "seconds": LATE_SECONDS, "times": 1}
    yield Flow("late-effect", serve, pushed_late, one_paid_order, faults=(late,))
    if erp.batching:
        slow = {"fault": "slow", "operation": "batch", "seconds": LATE_SECONDS, "times": 1}
        yield Flow("together", serve, both_pushed, two_paid_orders, habit=erp.batching)
        yield Flow("together-late", serve, both_pushed_late, two_paid_orders, habit=erp.batching, faults=(slow,))
    if erp.tells:
        yield Flow("inbound", hear, applied, paid_in_the_erp)
    yield Flow("pull", look, applied, paid_in_the_erp, later=dt.timedelta(minutes=5))
    yield Flow("token-refresh", serve, renewed, token_expired)
    if erp.replacing is not None:
        yield Flow("token-replaced", serve, renewed_or_parked, token_expired, erp.replacing)
    yield Flow("connect", finish_connecting, connected, about_to_connect)
    yield Flow("disconnect", disconnect, no_connection, delivered)
    yield Flow("shop", shop_at_work, pushed)
    yield Flow("bulk", bulk_sync, pushed, before_the_connection)


FLOWS = {(provider, flow.name): flow for provider, erp in ERPS.items() for flow in flows_of(erp)}
