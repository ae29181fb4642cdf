"""What is killed: each flow prepares a state, acts on it in a process that may die, and says what must hold in the end."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from erp_pipelines.access import connections, consent, intake
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import customers, orders, payments, products, refunds
from erp_pipelines.commerce.refunds import Wanted
from erp_pipelines.commerce.returns import Returned
from erp_pipelines.delivery import bulk, worker
from erp_pipelines.domain.errors import Conflict, ConsentRefused
from erp_pipelines.domain.orders import OrderLine
from tests.killpoints.checks import Books, Scene, connected, no_connection, whole
from tests.support.factories import make_customer, make_order, make_product
from tests.support.stage import KEY, approve

DAY = dt.date(2026, 3, 2)
REALM = "9130350000000001"


@dataclass(frozen=True)
class Flow:
    """`prepare` returns what `act` is given. `act` is what a person or the system would do again after a death.

    `config` are the twin's switches and `faults` its trouble from then on; `keyless`: nobody relies on request keys.
    """

    name: str
    act: Callable[[Runtime, Any], None]
    check: Callable[[Scene], None]
    prepare: Callable[[Scene], Any] = lambda _: None
    config: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    keyless: bool = False


def serve(runtime: Runtime, _: Any = None) -> None:
    worker.serve(runtime, KEY)


def save(runtime: Runtime, *records: Any) -> None:
    """Each in a transaction of its own, as a host does."""
    savers = {"Customer": customers.save, "Product": products.save, "Order": orders.save}
    for record in records:
        with runtime.db.tenant(KEY.tenant_id) as conn:
            savers[type(record).__name__](conn, KEY.tenant_id, record)


def pay(runtime: Runtime, order_id: str = "o1") -> None:
    with runtime.db.tenant(KEY.tenant_id) as conn:
        payments.pay(conn, KEY.tenant_id, order_id, date=DAY)


def order(**changes: Any) -> Any:
    lines = [
        OrderLine(product="p1", quantity=Decimal(2), unit_price=Decimal("12.50")),
        OrderLine(product="p2", quantity=Decimal(1), unit_price=Decimal("3.10")),
    ]
    return make_order(lines=lines, **changes)


# --- push ---


def one_paid_order(scene: Scene) -> None:
    with scene.runtime() as runtime:
        save(runtime, make_customer(), make_product(), make_product("p2"), order())
        pay(runtime)


def delivered(scene: Scene) -> None:
    one_paid_order(scene)
    with scene.runtime() as runtime:
        serve(runtime)


def edited(scene: Scene) -> None:
    """An order that stands open, with everything about it changed since."""
    with scene.runtime() as runtime:
        connections.change_settings(runtime, KEY, {"documentsWhen": "confirmed"}, "admin")
        save(runtime, make_customer(), make_product(), make_product("p2"), order())
        serve(runtime)
        save(runtime, make_customer(name="Renamed Ltd"), make_product(name="Renamed"), order(memo="Ring twice."))


ONE_ORDER = Books({"Customer": 1, "Item": 2, "Invoice": 1, "Payment": 1}, balance="0")
OPEN_ORDER = Books({"Customer": 1, "Item": 2, "Invoice": 1}, balance="28.10")


def pushed(scene: Scene) -> None:
    whole(scene, ONE_ORDER)


def edited_there(scene: Scene) -> None:
    whole(scene, OPEN_ORDER)
    _renamed(scene)
    assert "Ring twice." in str(scene.twin.ledger().documents["Invoice"][0])


def _renamed(scene: Scene) -> None:
    documents = scene.twin.ledger().documents
    assert [row["DisplayName"] for row in documents["Customer"]] == ["Renamed Ltd"]
    assert sorted(row["Name"] for row in documents["Item"]) == ["Product p2", "Renamed"]


# --- in doubt ---


def names_in_doubt(scene: Scene) -> None:
    """Customer and products stand in QuickBooks, and nobody heard of it."""
    one_paid_order(scene)
    _lose(scene, "create", "Customer", "Item")


def renamed_in_doubt(scene: Scene) -> None:
    """The same, and the shop has renamed them since: what stands there carries the older names."""
    names_in_doubt(scene)
    with scene.runtime() as runtime:
        save(runtime, make_customer(name="Renamed Ltd"), make_product(name="Renamed"))


def renamed_there(scene: Scene) -> None:
    whole(scene, ONE_ORDER)
    _renamed(scene)


def invoice_in_doubt(scene: Scene) -> None:
    with scene.runtime() as runtime:
        save(runtime, make_customer(), make_product(), make_product("p2"))
        serve(runtime)
        save(runtime, order())
        pay(runtime)
    _lose(scene, "create", "Invoice")


def payment_in_doubt(scene: Scene) -> None:
    one_paid_order(scene)
    _lose(scene, "create", "Payment")


def edits_in_doubt(scene: Scene) -> None:
    edited(scene)
    _lose(scene, "update", "Customer", "Item", "Invoice")


def _lose(scene: Scene, operation: str, *entities: str) -> None:
    """Deliver; the first write of each entity is done, but neither its answer nor one to its repeats arrives."""
    for entity in entities:
        scene.twin.add_fault("drop_after_commit", entity=entity, operation=operation, times=1)
        scene.twin.add_fault("drop_before_commit", entity=entity, times=None)
    for _ in entities:
        with scene.runtime() as runtime:
            serve(runtime)
        # So much silence opens the circuit breaker: the next entity would otherwise wait half a minute for its turn.
        scene.sql("update erp.integration_pacing set failures = 0, open_until = null")
        scene.sql("update erp.integration_connections set paused_until = null")
    scene.twin.clear_faults()
    kinds = {"Item": "Product", "Invoice": "Order"}
    in_doubt = {kind for (kind,) in scene.rows("select entity_type from erp.integration_deliveries where in_doubt")}
    assert in_doubt >= {kinds.get(entity, entity) for entity in entities}, in_doubt
    scene.sql("update erp.integration_deliveries set scheduled_for = now() where status = 'Failed'")


LATE_SECONDS = 0.4


def pushed_late(scene: Scene) -> None:
    """Also when what the dead one had sent was still at work in QuickBooks while its successor looked and found nothing."""
    time.sleep(LATE_SECONDS + 0.1)
    whole(scene, ONE_ORDER)


# --- refunds ---


def refunded_later(scene: Scene) -> None:
    """A paid order that stands in QuickBooks, and of which one line came back since."""
    delivered(scene)
    with scene.runtime() as runtime:
        connections.change_settings(runtime, KEY, {"providerSettings": {"refundAccountId": "1"}}, "admin")
        with runtime.db.tenant(KEY.tenant_id) as conn:
            refunds.refund(conn, KEY.tenant_id, "o1", Wanted(DAY, lines=[Returned(2)]))


def refunded_there(scene: Scene) -> None:
    whole(scene, REFUNDED)
    assert [row["TotalAmt"] for row in scene.twin.ledger().documents["RefundReceipt"]] == [Decimal("3.10")]


REFUNDED = Books({"Customer": 1, "Item": 2, "Invoice": 1, "Payment": 1, "RefundReceipt": 1}, balance="0")


# --- from the ERP ---


def paid_in_the_erp(scene: Scene) -> Any:
    """A part payment and the rest, recorded by a bookkeeper and told by webhooks that are already stored."""
    with scene.runtime() as runtime:
        connections.change_settings(runtime, KEY, {"documentsWhen": "confirmed"}, "admin")
        save(runtime, make_customer(), make_product(), make_product("p2"), order())
        serve(runtime)
        _fetch(scene)
        with scene.twin.person() as person:
            person.pay(doc_number="o1", amount=Decimal("8.10"))
            person.pay(doc_number="o1")
        return [(dict(one.headers), one.body) for one in _fetch(scene)]


def _fetch(scene: Scene) -> list[Any]:
    found = scene.twin.due_webhooks(flush=True)
    for delivery in found:
        scene.twin.settle_webhook(delivery)
    return found


def receive(runtime: Runtime, given: Any) -> None:
    """The ERP's deliveries, told again as long as nobody has acknowledged them, and the work they cause."""
    for headers, body in given:
        intake.receive(runtime, "quickbooks", {name.lower(): value for name, value in headers.items()}, body)
    serve(runtime)


def applied(scene: Scene) -> None:
    whole(scene, Books({"Customer": 1, "Item": 2, "Invoice": 1, "Payment": 2}, balance="0", theirs=2))
    assert scene.rows("select payment_status from erp.orders") == [("paid",)]
    assert scene.rows("select amount, source from erp.payments order by 1") == [
        (Decimal("8.10"), "quickbooks"),
        (Decimal("20.00"), "quickbooks"),
    ]
    assert scene.rows("select count(*) from erp.integration_outbox where entity_type = 'Payment'") == [(0,)]


# --- tokens ---


def token_expired(scene: Scene) -> None:
    one_paid_order(scene)
    scene.sql("update erp.integration_connections set access_token_expires_at = now() - interval '1 hour'")
    scene.twin.grants.expire_access()


def renewed(scene: Scene) -> None:
    connected(scene)
    whole(scene, ONE_ORDER)


def renewed_or_parked(scene: Scene) -> None:
    """Only an answer that was lost after QuickBooks had replaced the token may cost the connection; one click mends it."""
    if not _answer_lost(scene.crossed):
        renewed(scene)
        return
    (state, reason), *_ = scene.rows("select state, state_reason from erp.integration_connections")
    assert state == "Reconnect needed"
    assert "was never answered here" in reason
    assert scene.rows("select cause from erp.integration_alerts") == [("reconnect-needed",)]
    scene.sql("delete from erp.integration_alerts")
    with scene.runtime() as runtime:
        _finish(runtime, approve(consent.begin(runtime, KEY.tenant_id, "admin", "quickbooks"), REALM))
        serve(runtime)
    renewed(scene)


def _answer_lost(crossed: tuple[str, ...]) -> bool:
    """Whether the process died between QuickBooks' work on the refresh and the commit of what it answered."""
    sent = next((at for at, name in enumerate(crossed) if name == "POST bearer sent"), None)
    return sent is not None and "after a commit" not in crossed[sent:]


def consent_given(scene: Scene) -> Any:
    """A person has clicked Connect; the redirect is on its way."""
    scene.sql("delete from erp.integration_connections")
    with scene.runtime() as runtime:
        return approve(consent.begin(runtime, KEY.tenant_id, "admin", "quickbooks"), REALM)


def finish_consent(runtime: Runtime, given: Any) -> None:
    """The redirect, tried again by the browser; where its state is spent, the person clicks Connect once more."""
    if connections.status(runtime, KEY).state == "Connected":
        return
    try:
        _finish(runtime, given)
    except ConsentRefused:
        _finish(runtime, approve(consent.begin(runtime, KEY.tenant_id, "admin", "quickbooks"), REALM))


def _finish(runtime: Runtime, given: Any) -> None:
    consent.finish(
        runtime, "quickbooks", code=given["code"], company_id=given["realmId"], state=given["state"], user_id="admin"
    )


def disconnect(runtime: Runtime, _: Any) -> None:
    connections.disconnect(runtime, KEY, "admin")


# --- the shop and bulk ---


def shop_at_work(runtime: Runtime, _: Any) -> None:
    """A host that repeats a step of which it has not heard the end."""
    save(runtime, make_customer(), make_product(), make_product("p2"), order())
    with suppress(Conflict):  # paid already: the step was done before the death
        pay(runtime)
    serve(runtime)


def before_the_connection(scene: Scene) -> None:
    """Records that are older than the connection, with all events about them closed: only a bulk sync brings them."""
    one_paid_order(scene)
    scene.sql("delete from erp.integration_deliveries")
    scene.sql("delete from erp.integration_outbox")


def bulk_sync(runtime: Runtime, _: Any) -> None:
    bulk.request(runtime, KEY, ["Product", "Customer", "Order"], by="admin", chunk=2)
    serve(runtime)


FLOWS = {
    flow.name: flow
    for flow in (
        Flow("push", serve, pushed, one_paid_order),
        Flow("push-keyless", serve, pushed, one_paid_order, {"honour_requestid": False}, keyless=True),
        Flow("edit", serve, edited_there, edited),
        Flow("edit-keyless", serve, edited_there, edited, {"honour_requestid": False}, keyless=True),
        Flow("names-in-doubt", serve, pushed, names_in_doubt),
        Flow("names-in-doubt-keyless", serve, pushed, names_in_doubt, {"honour_requestid": False}, keyless=True),
        Flow("renamed-in-doubt", serve, renamed_there, renamed_in_doubt),
        Flow(
            "renamed-in-doubt-keyless",
            serve,
            renamed_there,
            renamed_in_doubt,
            {"honour_requestid": False},
            keyless=True,
        ),
        Flow("invoice-in-doubt", serve, pushed, invoice_in_doubt),
        Flow("invoice-in-doubt-keyless", serve, pushed, invoice_in_doubt, {"honour_requestid": False}, keyless=True),
        Flow("payment-in-doubt", serve, pushed, payment_in_doubt),
        Flow("payment-in-doubt-keyless", serve, pushed, payment_in_doubt, {"honour_requestid": False}, keyless=True),
        Flow("edits-in-doubt", serve, edited_there, edits_in_doubt),
        Flow("edits-in-doubt-keyless", serve, edited_there, edits_in_doubt, {"honour_requestid": False}, keyless=True),
        Flow(
            "late-effect",
            serve,
            pushed_late,
            one_paid_order,
            faults=(
                {"fault": "slow", "entity": "Invoice", "operation": "create", "seconds": LATE_SECONDS, "times": 1},
            ),
        ),
        Flow("refund", serve, refunded_there, refunded_later),
        Flow("refund-keyless", serve, refunded_there, refunded_later, {"honour_requestid": False}, keyless=True),
        Flow("inbound", receive, applied, paid_in_the_erp),
        Flow("token-refresh", serve, renewed, token_expired),
        Flow("token-rotated", serve, renewed_or_parked, token_expired, {"rotation": "every_refresh"}),
        Flow("consent", finish_consent, connected, consent_given),
        Flow("disconnect", disconnect, no_connection, delivered),
        Flow("shop", shop_at_work, pushed),
        Flow("bulk", bulk_sync, pushed, before_the_connection),
    )
}
