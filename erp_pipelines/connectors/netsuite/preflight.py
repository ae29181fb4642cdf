"""What NetSuite would refuse of a sync, found by reading: settings that point nowhere, names that are taken, what is inactive or gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from erp_pipelines.connectors.base import Candidate, Finding
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.names import Names
from erp_pipelines.connectors.netsuite.settings_check import check
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid, Rejected
from erp_pipelines.domain.products import Product

# The table of each kind of record that others rely on, and what a person calls it.
LISTS = ((Customer, "Customer", "customer"), (Product, "Product", "item"))


@dataclass(frozen=True)
class Preflight:
    """Looks at one account."""

    client: NetSuiteClient
    books: Books

    def findings(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        return (*self._settings(), *self._references(candidates), *self._names(candidates))

    def _settings(self) -> Iterator[Finding]:
        """Every id among the settings, as if all of them had just been chosen."""
        try:
            check(self.client, ConnectionSettings(), self.books.settings)
        except RecordInvalid as wrong:
            yield Finding(Rejected(wrong.message, cause="settings-invalid", mend=wrong.mend, definitive=False))

    def _references(self, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        """Customers and items that documents need, and those that are to be changed, must be there and active."""
        for kind, entity, table in LISTS:
            wanted = {one.ref: _relied_on(one, kind) for one in candidates}
            active = self._active(table, set().union(*wanted.values()))
            for ref, ids in wanted.items():
                for gone in sorted(ids - active):
                    yield Finding(_gone(entity, gone), ref)

    def _active(self, table: str, ids: set[str]) -> set[str]:
        rows = self.client.by_ids(f"SELECT id, isinactive FROM {table} WHERE id IN ({{ids}}) ORDER BY id", sorted(ids))  # noqa: S608 - constants
        return {row["id"] for row in rows if row.get("isinactive") != "T"}

    def _names(self, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        names = Names(self.client, self.books)
        for kind, _, _ in LISTS:
            new = [(one.ref, one.record) for one in candidates if one.known is None and isinstance(one.record, kind)]
            free = names.unheld([record for _, record in new])
            for ref, record in new:
                taken = None if record.id in free else names.taken(record)
                if taken:
                    yield Finding(taken, ref)


def _relied_on(one: Candidate, kind: type[Customer | Product]) -> set[str]:
    """The ids of one kind that a push of this candidate relies on."""
    match one.record:
        case Customer() | Product() as record:
            known = one.known if isinstance(record, kind) and record.active else None
            return {known.external_id} if known else set()
    return {there for ref, there in one.refs.items() if ref.entity_type == kind.__name__}


def _gone(entity: str, external_id: str) -> Rejected:
    return Rejected(
        f"{entity} {external_id} is gone or inactive in NetSuite.",
        cause="inactive",
        mend="Make it active again in NetSuite, or set the shop's record inactive.",
        definitive=False,
    )
