"""Many orders paid one by one: what fails stops none of the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from erp_pipelines.commerce import orders
from erp_pipelines.commerce.saving import require_tenant
from erp_pipelines.domain.errors import PipelineError
from erp_pipelines.storage import commerce_orders
from erp_pipelines.storage.engine import Database

PAGE = 200


@dataclass(frozen=True)
class PaidOrders:
    """`failed` names each order with the reason."""

    paid: int
    unchanged: int
    failed: tuple[tuple[str, str], ...]


def pay_orders(db: Database, tenant_id: str, order_ids: Iterable[str], *, date: dt.date) -> PaidOrders:
    """Pay the open balance of each order, each in a transaction of its own. Raises NotFound for an unknown tenant."""
    with db.tenant(tenant_id) as conn:
        require_tenant(conn, tenant_id)
    changes, failed = [], []
    for order_id in order_ids:
        try:
            with db.tenant(tenant_id) as conn:
                changes.append(orders.pay(conn, tenant_id, order_id, date=date).changed)
        except PipelineError as error:
            failed.append((order_id, str(error)))
    return PaidOrders(sum(changes), len(changes) - sum(changes), tuple(failed))


def open_orders(db: Database, tenant_id: str) -> Iterator[str]:
    """Ids of all confirmed and fulfilled orders that are not fully paid, in order."""
    after: str | None = None
    while True:
        with db.tenant(tenant_id) as conn:
            found = commerce_orders.open_ids(conn, tenant_id, after, PAGE)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1]
