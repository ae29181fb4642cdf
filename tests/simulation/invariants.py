"""The promises, held against the books after every step, and more strictly when all has come to rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp_pipelines.domain.events import EntityType
from tests.simulation.actions import People
from tests.simulation.world import Tenant, World
from tests.support.erps import Document

Books = Mapping[EntityType, list[Document]]
_VERSION = re.compile(r"(?<!\S)v(\d+)(?!\S)")

# What the payments of an order that stand in the ERP come to, by our own tables.
BOOKED = """
select coalesce(sum(p.amount), 0) from erp.payments p
where p.order_id = :order and (p.source <> 'host' or exists (
  select 1 from erp.integration_entity_mappings m where m.entity_type = 'Payment' and m.prometheus_id = p.id))
"""


class Broken(AssertionError):
    """A promise that was not kept."""


class Auditor:
    """Looks at the books from outside, with no code of the product."""

    def __init__(self, world: World, people: People) -> None:
        self.world, self.people = world, people
        self._versions: dict[tuple[str, str], int] = {}

    def after_a_step(self) -> None:
        for tenant in self.world.tenants:
            books = self.world.there.books(tenant.company)
            self._at_most_once(tenant, books)
            self._only_ours(tenant, books)
            self._never_older(tenant, books)
            self._never_overpaid(books)

    def _at_most_once(self, tenant: Tenant, books: Books) -> None:
        """Promise 1. A voided document is nobody's."""
        for entity, documents in books.items():
            marks = Counter(doc.mark for doc in documents if doc.mark and not doc.void)
            doubled = {mark: count for mark, count in marks.items() if count > 1}
            require(not doubled, f"{tenant.key}: {entity} stand more than once: {doubled}")
        names = Counter(doc.name for doc in books[EntityType.PRODUCT])
        require(max(names.values(), default=1) == 1, f"{tenant.key}: items stand more than once: {names}")

    def _only_ours(self, tenant: Tenant, books: Books) -> None:
        """Promises 3 and 6: nothing of a rolled-back transaction, nothing of another tenant."""
        for doc in books[EntityType.ORDER]:
            mark = doc.mark or ""
            require("rolled" not in mark, f"{mark} was rolled back and stands as {doc.type} {doc.id}")
            require(mark.startswith(tenant.key.tenant_id[-2:]), f"{mark} stands in the books of {tenant.key}")

    def _never_older(self, tenant: Tenant, books: Books) -> None:
        """Promise 5: the books never go back to an earlier state of an order."""
        for doc in books[EntityType.ORDER]:
            found, place = _VERSION.search(doc.text), (tenant.company, doc.id)
            version, before = int(found.group(1)) if found else 0, self._versions.get(place, 0)
            require(
                doc.void or version >= before,
                f"{doc.type} {doc.id} of {tenant.key} went back: v{version} after v{before}",
            )
            self._versions[place] = max(version, before)

    def _never_overpaid(self, books: Books) -> None:
        """Promise 4, its second half."""
        for doc in books[EntityType.ORDER]:
            require(0 <= doc.balance <= doc.total, f"{doc.type} {doc.id}: balance {doc.balance}")

    # --- at rest ---

    def at_rest(self) -> int:
        """Everything settled, explained and equal; how many events wait for a person."""
        return sum(self._tenant_at_rest(tenant) for tenant in self.world.tenants)

    def _tenant_at_rest(self, tenant: Tenant) -> int:
        self._settled(tenant)
        self._explained(tenant)
        self._mapped(tenant)
        self._orders_stand(tenant)
        open_errors = self.world.rows(
            tenant, "select count(*) from erp.integration_deliveries where status = 'Abandoned'"
        )
        return int(open_errors[0][0])

    def _settled(self, tenant: Tenant) -> None:
        """Promise 2: every event is final; what failed says why and what to do; nothing is left in doubt."""
        odd = self.world.rows(
            tenant,
            """select entity_type, entity_id, seq, status, in_doubt, cause, mend, last_error from erp.integration_deliveries
            where status not in ('Completed', 'Abandoned') or in_doubt
              or (status = 'Abandoned' and (cause is null or coalesce(mend, '') = ''))""",
        )
        require(not odd, f"{tenant.key}: not settled or not explained: {odd}")
        waiting = self.world.rows(
            tenant,
            "select external_type, external_id, status, last_error from erp.integration_inbox where status not in ('Completed', 'Skipped')",
        )
        require(not waiting, f"{tenant.key}: notices wait: {waiting}")

    def _explained(self, tenant: Tenant) -> None:
        """Promise 7: the last entry of the log says what each event came to, and completed ones end once."""
        odd = self.world.rows(
            tenant,
            """select d.entity_type, d.entity_id, d.seq, d.status, d.outcome, count(l.id) filter (where l.outcome = d.outcome
                and l.status in ('Completed', 'Skipped')), count(l.id) filter (where l.status = 'Failed')
            from erp.integration_deliveries d left join erp.integration_sync_logs l on l.delivery_id = d.id
            group by d.id
            having (d.status = 'Completed' and count(l.id) filter (where l.status in ('Completed', 'Skipped')) <> 1)
              or (d.status = 'Abandoned' and count(l.id) filter (where l.status = 'Failed') = 0)""",
        )
        require(not odd, f"{tenant.key}: the log does not explain: {odd}")

    def _mapped(self, tenant: Tenant) -> None:
        """What stands there with our mark is known here under the same id, and the other way round."""
        there, books = self.world.there, self.world.there.books(tenant.company)
        mapped = set(
            self.world.rows(
                tenant, "select external_type, external_id, prometheus_id from erp.integration_entity_mappings"
            )
        )
        for documents in books.values():
            unknown = {(doc.type, doc.id, doc.mark) for doc in documents if doc.mark and not doc.void} - mapped
            require(not unknown, f"{tenant.key}: stand there and are not known here: {unknown}")
        known = {(doc.type, doc.id) for entity in books for doc in there.ever(entity, tenant.company)}
        gone = {(kind, ident) for kind, ident, _ in mapped} - known
        require(not gone, f"{tenant.key}: known here and not there: {gone}")

    def _orders_stand(self, tenant: Tenant) -> None:
        """Promises 2 and 4: each order is a document of its total and paid as far as we know, or an open error says why not."""
        there = self.world.there
        standing = {doc.mark: doc for doc in there.books(tenant.company)[EntityType.ORDER] if not doc.void}
        gone = {doc.mark for doc in there.ever(EntityType.ORDER, tenant.company) if doc.void}
        told = {
            entity
            for (entity,) in self.world.rows(
                tenant, "select entity_id from erp.integration_deliveries where status = 'Abandoned'"
            )
        }
        for order_id, total, paid, status in self._orders(tenant):
            doc = standing.get(order_id)
            if order_id in told or order_id in gone or status == "cancelled":
                continue
            wanted = paid == "paid" or tenant is self.world.tenants[1]
            require(
                doc is not None or not wanted,
                f"{tenant.key}: order {order_id} ({paid}) is no document and no open error",
            )
            if doc is not None:
                self._equal(tenant, order_id, total, paid, doc)

    def _orders(self, tenant: Tenant) -> list[tuple[Any, ...]]:
        return self.world.rows(
            tenant, "select o.id, o.total, o.payment_status, o.status from erp.orders o order by o.id"
        )

    def _equal(self, tenant: Tenant, order_id: str, total: Decimal, paid: str, doc: Document) -> None:
        require(doc.total == total, f"{tenant.key}: order {order_id} comes to {total}, its {doc.type} to {doc.total}")
        blocked = self.world.rows(
            tenant, "select 1 from erp.integration_deliveries d join erp.payments p on p.id = d.entity_id and d.entity_type = 'Payment'"
            " where d.status = 'Abandoned' and p.order_id = :order", order=order_id,
        )  # fmt: skip
        here = {"paid": doc.balance == 0, "unpaid": doc.balance == total, "partiallyPaid": 0 < doc.balance < total}[
            paid
        ]
        require(
            here or bool(blocked),
            f"{tenant.key}: order {order_id} is {paid} here, {doc.balance} of {total} is open there",
        )
        [(booked,)] = self.world.rows(tenant, BOOKED, order=order_id)
        require(
            booked == total - doc.balance,
            f"{tenant.key}: {booked} of order {order_id} is booked there by what we hold, {total - doc.balance} by the {doc.type}",
        )


def require(holds: bool, else_: str) -> None:
    if not holds:
        raise Broken(else_)
