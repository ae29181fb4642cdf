"""The promises, held against the books after every step, and more strictly when all has come to rest."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import Any

from tests.simulation.actions import People
from tests.simulation.world import Tenant, World

KINDS = {"Customer": "Customer", "Item": "Product", "Invoice": "Order", "Payment": "Payment"}
_MARK = re.compile(r"(?<!\S)PrometheusId:(\S+)")
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
            documents = self.world.twin.ledger(tenant.realm).documents
            self._at_most_once(tenant, documents)
            self._only_ours(tenant, documents)
            self._never_older(tenant, documents)
            self._never_overpaid(tenant, documents)

    def _at_most_once(self, tenant: Tenant, documents: Any) -> None:
        """Promise 1. A voided document is nobody's."""
        for kind in KINDS:
            marks = Counter(marked(doc) for doc in documents.get(kind, []) if marked(doc) and not voided(doc))
            doubled = {mark: count for mark, count in marks.items() if count > 1}
            require(not doubled, f"{tenant.key}: {kind} stand more than once: {doubled}")
        names = Counter(doc["Name"] for doc in documents.get("Item", []))
        require(max(names.values(), default=1) == 1, f"{tenant.key}: items stand more than once: {names}")

    def _only_ours(self, tenant: Tenant, documents: Any) -> None:
        """Promises 3 and 6: nothing of a rolled-back transaction, nothing of another tenant."""
        for doc in documents.get("Invoice", []):
            mark = marked(doc) or ""
            require("rolled" not in mark, f"{mark} was rolled back and stands as invoice {doc['Id']}")
            require(mark.startswith(tenant.key.tenant_id[-2:]), f"{mark} stands in the books of {tenant.key}")

    def _never_older(self, tenant: Tenant, documents: Any) -> None:
        """Promise 5: the books never go back to an earlier state of an order."""
        for doc in documents.get("Invoice", []):
            found = _VERSION.search(doc.get("PrivateNote", ""))
            place = (tenant.realm, doc["Id"])
            version, before = int(found.group(1)) if found else 0, self._versions.get(place, 0)
            require(
                voided(doc) or version >= before,
                f"invoice {doc['Id']} of {tenant.key} went back: v{version} after v{before}",
            )
            self._versions[place] = max(version, before)

    def _never_overpaid(self, tenant: Tenant, documents: Any) -> None:
        """Promise 4, its second half."""
        for doc in documents.get("Invoice", []):
            balance = Decimal(str(doc["Balance"]))
            require(
                balance >= 0 and balance <= Decimal(str(doc["TotalAmt"])), f"invoice {doc['Id']}: balance {balance}"
            )

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
        documents = self.world.twin.ledger(tenant.realm).documents
        mapped = set(
            self.world.rows(
                tenant, "select external_type, external_id, prometheus_id from erp.integration_entity_mappings"
            )
        )
        for kind in ("Customer", "Invoice", "Payment"):
            standing = {
                (kind, doc["Id"], marked(doc)) for doc in documents.get(kind, []) if marked(doc) and not voided(doc)
            }
            unknown = standing - mapped
            require(not unknown, f"{tenant.key}: stand there and are not known here: {unknown}")
        known = {(kind, doc["Id"]) for kind in KINDS for doc in self.world.twin.company(tenant.realm).rows(kind)}
        gone = {(kind, ident) for kind, ident, _ in mapped} - known
        require(not gone, f"{tenant.key}: known here and not there: {gone}")

    def _orders_stand(self, tenant: Tenant) -> None:
        """Promises 2 and 4: each order is a document of its total and paid as far as we know, or an open error says why not."""
        documents = {
            marked(doc): doc
            for doc in self.world.twin.ledger(tenant.realm).documents.get("Invoice", [])
            if not voided(doc)
        }
        gone = {marked(doc) for doc in self.world.twin.company(tenant.realm).rows("Invoice") if voided(doc)}
        told = {
            entity
            for (entity,) in self.world.rows(
                tenant, "select entity_id from erp.integration_deliveries where status = 'Abandoned'"
            )
        }
        for order_id, total, paid, status in self._orders(tenant):
            doc = documents.get(order_id)
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

    def _equal(self, tenant: Tenant, order_id: str, total: Decimal, paid: str, doc: Any) -> None:
        there = Decimal(str(doc["TotalAmt"]))
        require(there == total, f"{tenant.key}: order {order_id} comes to {total}, its invoice to {there}")
        blocked = self.world.rows(
            tenant, "select 1 from erp.integration_deliveries d join erp.payments p on p.id = d.entity_id and d.entity_type = 'Payment'"
            " where d.status = 'Abandoned' and p.order_id = :order", order=order_id,
        )  # fmt: skip
        balance = Decimal(str(doc["Balance"]))
        here = {"paid": balance == 0, "unpaid": balance == there, "partiallyPaid": 0 < balance < there}[paid]
        require(
            here or bool(blocked), f"{tenant.key}: order {order_id} is {paid} here, {balance} of {there} is open there"
        )
        [(booked,)] = self.world.rows(tenant, BOOKED, order=order_id)
        require(
            booked == there - balance,
            f"{tenant.key}: {booked} of order {order_id} is booked there by what we hold, {there - balance} by the invoice",
        )


def marked(doc: Any) -> str | None:
    """Our id of a document, by the mark in its note."""
    found = _MARK.search(f"{doc.get('PrivateNote', '')} {doc.get('Notes', '')}")
    return found.group(1) if found else None


def voided(doc: Any) -> bool:
    return str(doc.get("PrivateNote", "")).startswith("Voided")


def require(holds: bool, else_: str) -> None:
    if not holds:
        raise Broken(else_)
