"""What QuickBooks would refuse of a sync, found by reading: closed books, names that are taken, what is inactive or gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from erp_pipelines.connectors.base import Candidate, Finding, Ref
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.faults import rule_of
from erp_pipelines.connectors.quickbooks.names import NameList, name_list, name_of, taken_for_good
from erp_pipelines.connectors.quickbooks.wire import AccountDoc, CustomerDoc, ItemDoc
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund

CLOSED, GONE = "6200", "2500"
NAMES_AT_ONCE = 50
Lists = tuple[type[Customer | Product], str, type[CustomerDoc | ItemDoc]]
LISTS: tuple[Lists, ...] = ((Customer, "Customer", CustomerDoc), (Product, "Item", ItemDoc))


@dataclass
class Preflight:
    """Looks at one company; what holds for all of its records is read once."""

    client: QuickBooksClient
    books: Books

    def findings(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        return (
            *self._accounts(candidates),
            *self._closed(candidates),
            *self._names(candidates),
            *self._references(candidates),
        )

    # --- the books as a whole ---

    def _accounts(self, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        for account in self._lost_accounts if any(isinstance(one.record, Product) for one in candidates) else ():
            text = f"The income account {account} is gone or inactive in QuickBooks."
            yield Finding(
                _refused(GONE, text, "Make it active again, or choose another one in the connection's settings.")
            )

    @cached_property
    def _lost_accounts(self) -> list[str]:
        wanted = {self.books.income_account_id, *self.books.own.income_accounts.values()} - {""}
        found = self.client.by_ids(AccountDoc, "Account", wanted)
        return sorted(wanted - {one.id for one in found if one.active})

    def _closed(self, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        for one in candidates:
            day = _day(one)
            if day and self._closed_until and day <= self._closed_until:
                yield Finding(
                    _refused(CLOSED, f"It is dated {day}, and the books are closed until {self._closed_until}."),
                    one.ref,
                )

    @cached_property
    def _closed_until(self) -> dt.date | None:
        day = self.client.preferences().accounting_info_prefs.book_close_date
        return dt.date.fromisoformat(day[:10]) if day else None

    # --- names ---

    def _names(self, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        for kind, _, _ in LISTS:
            new = [
                (one.ref, name_list(self.books, one.record))
                for one in candidates
                if one.known is None and isinstance(one.record, kind)
            ]
            for start in range(0, len(new), NAMES_AT_ONCE):
                yield from self._taken(new[start : start + NAMES_AT_ONCE])

    def _taken(self, new: Sequence[tuple[Ref, NameList[Any]]]) -> Iterator[Finding]:
        first = new[0][1]
        names = {ref: str(one.body("")[one.name_field]) for ref, one in new}
        quoted = ", ".join(self.client.quoted(name) for name in dict.fromkeys(names.values()))
        rows = self.client.query(
            first.model, first.entity, f"{first.name_field} in ({quoted}) and Active in (true, false)"
        )
        holders = {name_of(row).casefold(): row for row in sorted(rows, key=lambda row: bool(row.active))}
        for ref, one in new:
            error = taken_for_good(one, holders.get(names[ref].casefold()))
            if error:
                yield Finding(error, ref)

    # --- references ---

    def _references(self, candidates: Sequence[Candidate]) -> Iterator[Finding]:
        """Customers and products that documents need, and those that are to be changed, must be there and active."""
        for kind, entity, model in LISTS:
            wanted = {one.ref: _relied_on(one, kind) for one in candidates}
            rows = self.client.by_ids(model, entity, set().union(*wanted.values()))
            there = {row.id for row in rows if row.active}
            for ref, ids in wanted.items():
                for gone in sorted(ids - there):
                    yield Finding(_refused(GONE, f"{entity} {gone} is gone or inactive in QuickBooks."), ref)


def _day(one: Candidate) -> dt.date | None:
    match one.record:
        case Order() as order:
            return order.order_date
        case Payment() | Refund() as money:
            return money.date
    return None


def _relied_on(one: Candidate, kind: type[Customer | Product]) -> set[str]:
    """The ids in one of QuickBooks' lists that a push of this candidate relies on."""
    match one.record:
        case Customer() | Product() as record:
            known = one.known if isinstance(record, kind) and record.active else None
            return {known.external_id} if known else set()
    return {there for ref, there in one.refs.items() if ref.entity_type == kind.__name__}


def _refused(code: str, text: str, mend: str = "") -> Rejected:
    """What QuickBooks would answer with this code."""
    rule = rule_of(code)
    error = Rejected(text, cause=rule.cause, mend=mend or rule.mend, erp_code=code, definitive=False)
    error.rule = rule
    return error
