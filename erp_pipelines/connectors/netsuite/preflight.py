"""What NetSuite would refuse of a sync, found by SuiteQL: names that inactive records hold, and what is inactive or gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from erp_pipelines.connectors.base import Candidate, Finding, Ref
from erp_pipelines.connectors.netsuite import mapper_names
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.faults import RULES
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NameTaken, Rejected
from erp_pipelines.domain.products import Product

NAMES_AT_ONCE = 50
INACTIVE = "USER_ERROR/inactive"


@dataclass(frozen=True)
class NameList:
    """Where records of a kind stand in SuiteQL, and the field of a body that holds their unique name."""

    kind: type[Customer | Product]
    table: str
    field: str


CUSTOMERS, ITEMS = NameList(Customer, "customer", "entityId"), NameList(Product, "item", "itemId")


@dataclass(frozen=True)
class Preflight:
    """Looks at one account."""

    client: NetSuiteClient
    books: Books

    def findings(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        numbered = self.books.own.customer_numbering == "auto"  # numbers are never taken
        lists = [ITEMS] if numbered else [CUSTOMERS, ITEMS]
        taken = [found for names in lists for found in self._names(names, candidates)]
        return (*taken, *(found for names in (CUSTOMERS, ITEMS) for found in self._references(names, candidates)))

    def _names(self, names: NameList, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        new = {
            one.ref: str(self._body(one.record)[names.field])
            for one in candidates
            if one.known is None and isinstance(one.record, names.kind) and isinstance(one.record, (Customer, Product))
        }
        refs = list(new)
        for start in range(0, len(refs), NAMES_AT_ONCE):
            yield from self._taken(names, {ref: new[ref] for ref in refs[start : start + NAMES_AT_ONCE]})

    def _body(self, record: Customer | Product) -> dict[str, object]:
        if isinstance(record, Customer):
            return mapper_names.customer(record, self.books)
        return mapper_names.item(record, self.books)

    def _taken(self, names: NameList, wanted: dict[Ref, str]) -> Iterator[Finding]:
        """An active holder is adopted, or leaves another name; an inactive one stops the record."""
        asked = sorted({name.upper() for name in wanted.values()})
        # Table and column are constants, the names are bound.
        statement = (
            f"SELECT id, {names.field} AS name, isinactive FROM {names.table} "  # noqa: S608
            f"WHERE UPPER({names.field}) IN ({', '.join('?' * len(asked))}) ORDER BY id"
        )
        rows = self.client.query(statement, asked)
        active = {row["name"].upper() for row in rows if row.get("isinactive") != "T"}
        holders = {row["name"].upper(): row["id"] for row in rows}
        for ref, name in wanted.items():
            holder = holders.get(name.upper())
            if holder and name.upper() not in active:
                mend = f"{names.table} {holder} has this name and is inactive: make it active again in NetSuite, or rename it."
                yield Finding(NameTaken(f"{names.table} {holder} has the name {name!r}.", mend=mend), ref)

    def _references(self, names: NameList, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        """Customers and items that documents need, and those that are to be changed, must be there and active."""
        wanted = {one.ref: _relied_on(one, names.kind) for one in candidates}
        ids = sorted(set().union(*wanted.values()))
        rows = self.client.by_ids(f"SELECT id, isinactive FROM {names.table} WHERE id IN ({{ids}}) ORDER BY id", ids)  # noqa: S608
        there = {row["id"] for row in rows if row.get("isinactive") != "T"}
        for ref, needed in wanted.items():
            for gone in sorted(needed - there):
                yield Finding(_inactive(f"{names.table} {gone} is gone or inactive in NetSuite."), ref)


def _relied_on(one: Candidate, kind: type[Customer | Product]) -> set[str]:
    """The ids in one of NetSuite's lists that a push of this candidate relies on."""
    match one.record:
        case Customer() | Product() as record:
            known = one.known if isinstance(record, kind) and record.active else None
            return {known.external_id} if known else set()
    return {there for ref, there in one.refs.items() if ref.entity_type == kind.__name__}


def _inactive(text: str) -> Rejected:
    rule = RULES[INACTIVE]
    error = Rejected(text, cause=rule.cause, mend=rule.mend, erp_code=rule.code, definitive=False)
    error.rule = rule
    return error
