"""The product's side of a flow: what a shop, an admin and the workers do, whatever the provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from erp_pipelines.access import connections
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import customers, orders, payments, products, receipts, refunds
from erp_pipelines.commerce.refunds import Wanted
from erp_pipelines.commerce.returns import Returned
from erp_pipelines.delivery import bulk, pull, worker
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import Conflict, ConsentRefused
from erp_pipelines.domain.events import EntityType
from tests.support.doorbell import ring
from tests.support.erps import StagedErp
from tests.support.stage import follow

DAY = dt.date(2026, 3, 2)
SAVERS: Mapping[str, Any] = {"Customer": customers.save, "Product": products.save, "Order": orders.save}


@dataclass(frozen=True)
class Host:
    """A process's parts, and the kind of ERP that its one connection leads to."""

    runtime: Runtime
    erp: type[StagedErp]

    @property
    def key(self) -> ConnectionKey:
        return self.erp.key()

    def save(self, *records: Any) -> None:
        """Each in a transaction of its own."""
        for record in records:
            with self.runtime.db.tenant(self.key.tenant_id) as conn:
                SAVERS[type(record).__name__](conn, self.key.tenant_id, record)

    def pay(self, order_id: str = "o1") -> None:
        with self.runtime.db.tenant(self.key.tenant_id) as conn:
            payments.pay(conn, self.key.tenant_id, order_id, date=DAY)

    def pay_together(self, *order_ids: str) -> None:
        """One payment for all that is open of these orders."""
        with self.runtime.db.tenant(self.key.tenant_id) as conn:
            receipts.receive(conn, self.key.tenant_id, [receipts.Share(one) for one in order_ids], date=DAY)

    def refund(self, line: int, order_id: str = "o1") -> None:
        """One line comes back."""
        with self.runtime.db.tenant(self.key.tenant_id) as conn:
            refunds.refund(conn, self.key.tenant_id, order_id, Wanted(DAY, lines=[Returned(line)]))

    def pay_once(self, order_id: str = "o1") -> None:
        with suppress(Conflict):  # paid already: the step was done before the death
            self.pay(order_id)

    def set(self, **settings: Any) -> None:
        connections.change_settings(self.runtime, self.key, settings, "admin")

    def serve(self) -> None:
        worker.serve(self.runtime, self.key)

    def pull(self) -> None:
        pull.pull(self.runtime, self.key)

    def hear(self, told: Sequence[tuple[Mapping[str, str], bytes]]) -> None:
        for headers, body in told:
            ring(self.runtime, self.key.provider, headers, body)

    def bulk_sync(self) -> None:
        kinds = [EntityType.PRODUCT, EntityType.CUSTOMER, EntityType.ORDER]
        bulk.request(self.runtime, self.key, kinds, by="admin", chunk=2)

    def finish_connecting(self, brought: Mapping[str, str]) -> None:
        """Tried again by browser or admin; where what was brought is spent, the admin begins anew."""
        if connections.status(self.runtime, self.key).state is ConnectionState.CONNECTED:
            return
        try:
            self.erp.finish(self.runtime, self.key.tenant_id, brought)
        except ConsentRefused:
            self.connect_again()

    def connect_again(self) -> None:
        brought = self.erp.bring(self.runtime, self.key.tenant_id, self.erp.company, follow)
        self.erp.finish(self.runtime, self.key.tenant_id, brought)

    def disconnect(self) -> None:
        connections.disconnect(self.runtime, self.key, "admin")
