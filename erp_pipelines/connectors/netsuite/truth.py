"""The truth about documents and payments, by SuiteQL: what locks a record against being opened does not hide it there.

The links between transactions lead from an order to its invoices, and from those to what settles them. There is a link for
each line, and one for each settlement with the amount that was applied.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.connectors.base import DocumentState, ExternalRef, PaymentState, Truth
from erp_pipelines.connectors.netsuite.client import NetSuiteClient, Row
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.keys import payment_column, payment_of
from erp_pipelines.connectors.netsuite.pushing import version
from erp_pipelines.connectors.netsuite.statuses import VOIDED, letter
from erp_pipelines.connectors.netsuite.wire import ZERO
from erp_pipelines.connectors.netsuite.zones import SQL_FORMAT, parse

TYPE_CODES = {
    "salesOrder": "SalesOrd",
    "invoice": "CustInvc",
    "customerPayment": "CustPymt",
    "creditMemo": "CustCred",
    "customerDeposit": "CustDep",
    "customerRefund": "CustRfnd",
    "depositApplication": "DepAppl",
}
RECORD_TYPES = {code: name for name, code in TYPE_CODES.items()}
# What settles an invoice, and how people call it where that is no plain payment.
SETTLING: dict[str, str | None] = {
    "CustPymt": None,
    "CustCred": "Credit memo",
    "DepAppl": "Deposit",
    "Journal": "Journal entry",
}
DEPOSIT, APPLICATION, REFUND, INVOICE = "CustDep", "DepAppl", "CustRfnd", "CustInvc"
_SHOWN = f"TO_CHAR(lastmodifieddate, '{SQL_FORMAT}')"
# Two steps up: from a payment to its invoice, and to the order of that.
_UP = (
    "SELECT DISTINCT l.nextdoc AS asked, l.previousdoc AS first, l.previoustype AS firsttype, "
    "u.previousdoc AS second, u.previoustype AS secondtype "
    "FROM nexttransactionlinelink l LEFT JOIN nexttransactionlinelink u ON u.nextdoc = l.previousdoc "
    "WHERE l.nextdoc IN ({ids}) ORDER BY asked, first, second"
)
# Two steps down, each link by its lines: several may join the same two documents.
_DOWN = (
    "SELECT DISTINCT d.previousdoc, d.previousline, d.nextdoc, d.nextline, d.nexttype, d.linktype, d.foreignamount, "
    "s.previousline AS line2, s.nextdoc AS nextdoc2, s.nextline AS nextline2, s.nexttype AS nexttype2, "
    "s.linktype AS linktype2, s.foreignamount AS amount2 "
    "FROM nexttransactionlinelink d LEFT JOIN nexttransactionlinelink s ON s.previousdoc = d.nextdoc "
    "WHERE d.previousdoc IN ({ids}) "
    "ORDER BY d.previousdoc, d.previousline, d.nextdoc, d.nextline, line2, nextdoc2, nextline2"
)
_STATES = (
    "SELECT id, type, status, foreigntotal, tranid, otherrefnum, TO_CHAR(trandate, 'YYYY-MM-DD') AS day, externalid, "  # noqa: S608
    f"{_SHOWN} AS at{{column}} FROM transaction WHERE id IN ({{{{ids}}}}) ORDER BY id"
)


@dataclass(frozen=True)
class Link:
    """One line of a document leads to one of the next."""

    before: str
    before_line: str
    after: str
    after_line: str
    after_type: str
    kind: str
    amount: Decimal

    @property
    def is_deposit(self) -> bool:
        return self.after_type == DEPOSIT

    @property
    def settles(self) -> bool:
        """A credit memo is linked to its invoice twice where it was made from it: only one of the links settles."""
        return self.after_type in SETTLING and self.kind in {"", "Payment"}


def read_truth(client: NetSuiteClient, books: Books, refs: Sequence[ExternalRef], now: dt.datetime) -> Truth:
    """Two queries for each thousand documents, one more where others than documents are asked for."""
    asked = [ref for ref in refs if ref.external_type in TYPE_CODES]
    if not asked:
        return Truth((), ())
    behind = _behind(client, books, [ref for ref in asked if ref.external_type != books.document])
    own = {ref.external_id for ref in asked if ref.external_type == books.document}
    documents = own | {one.external_id for found in behind.values() for one in found}
    links = _Links(client.by_ids(_DOWN, sorted(documents)))
    wanted = documents | {ref.external_id for ref in asked} | links.after
    rows = {row["id"]: row for row in _states(client, books, sorted(wanted))}
    return _Reading(books, rows, links, now).truth(asked, documents, behind)


def _behind(
    client: NetSuiteClient, books: Books, refs: Sequence[ExternalRef]
) -> dict[ExternalRef, frozenset[ExternalRef]]:
    """The documents that others than documents tell of."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in client.by_ids(_UP, [ref.external_id for ref in refs]) if refs else ():
        for place in ("first", "second"):
            if row.get(f"{place}type") == TYPE_CODES[books.document]:
                found[row["asked"]].add(row[place])
    return {
        ref: frozenset(ExternalRef(books.document, one) for one in found[ref.external_id])
        for ref in refs
        if ref.external_id in found
    }


def _in_order(ids: Iterable[str]) -> list[str]:
    return sorted(ids, key=lambda one: (len(one), one))


def _states(client: NetSuiteClient, books: Books, ids: Sequence[str]) -> Iterable[Row]:
    column = payment_column(books)
    more = "" if column in {"externalid", "tranid", "otherrefnum"} else f", {column}"
    return client.by_ids(_STATES.format(column=more), ids)


def _links(rows: Iterable[Row]) -> set[Link]:
    found: set[Link] = set()
    for row in rows:
        found.add(_link(row["previousdoc"], row.get("previousline", ""), row, "", "foreignamount"))
        if row.get("nextdoc2"):
            found.add(_link(row["nextdoc"], row.get("line2", ""), row, "2", "amount2"))
    return found


def _link(before: str, line: str, row: Row, step: str, amount: str) -> Link:
    return Link(
        before,
        line,
        row[f"nextdoc{step}"],
        row.get(f"nextline{step}", ""),
        row.get(f"nexttype{step}", ""),
        row.get(f"linktype{step}", ""),
        abs(Decimal(row.get(amount, "0"))),
    )


class _Links:
    """Links by the documents at their ends."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.from_: defaultdict[str, set[Link]] = defaultdict(set)
        self.to: defaultdict[str, set[Link]] = defaultdict(set)
        for link in _links(rows):
            self.from_[link.before].add(link)
            self.to[link.after].add(link)

    @property
    def after(self) -> set[str]:
        return set(self.to)

    @property
    def settling(self) -> set[str]:
        """Ids of what settles or is put down."""
        return {ident for ident, links in self.to.items() if any(one.settles or one.is_deposit for one in links)}


@dataclass(frozen=True)
class _Reading:
    """The rows of transactions by id, and the links between them."""

    books: Books
    rows: Mapping[str, Row]
    links: _Links
    now: dt.datetime

    def truth(
        self,
        asked: Sequence[ExternalRef],
        documents: set[str],
        behind: Mapping[ExternalRef, frozenset[ExternalRef]],
    ) -> Truth:
        applied = {payment: self._applied(payment, documents) for payment in self._payments(asked)}
        paid: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for payment, parts in applied.items():
            for document, amount in parts.items():
                paid[document] += ZERO if self._gone(payment) else amount
        return Truth(
            documents=tuple(self._document(one, paid[one]) for one in _in_order(documents)),
            payments=tuple(self._payment(one, parts) for one, parts in applied.items()),
            behind=behind,
        )

    def _payments(self, asked: Sequence[ExternalRef]) -> list[str]:
        """What settles, by links or because it was asked for."""
        kinds = {RECORD_TYPES[code] for code in SETTLING if code in RECORD_TYPES} | {"customerDeposit"}
        named = {ref.external_id for ref in asked if ref.external_type in kinds}
        return _in_order(named | self.links.settling)

    def _applied(self, payment: str, documents: set[str]) -> dict[str, Decimal]:
        """How much of a payment went to which document; a deposit counts for its order before there is an invoice."""
        parts: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for link in self.links.to.get(payment, ()):
            if link.settles or link.is_deposit:
                for document in self._documents_of(link, documents):
                    parts[document] += link.amount - self._refunded(link)
        return dict(parts)

    def _documents_of(self, link: Link, documents: set[str]) -> set[str]:
        if link.before in documents:
            return {link.before}
        if link.after_type == APPLICATION or self._gone(link.before):
            return set()  # the deposit itself is counted for the order
        return {up.before for up in self.links.to.get(link.before, ()) if up.before in documents}

    def _refunded(self, link: Link) -> Decimal:
        """What of a deposit was given back."""
        if not link.is_deposit:
            return ZERO
        backs = [one for one in self.links.from_.get(link.after, ()) if one.after_type == REFUND]
        return sum((one.amount for one in backs if not self._gone(one.after)), ZERO)

    def _gone(self, ident: str) -> bool:
        row = self.rows.get(ident)
        return row is None or letter(row.get("status", "")) in VOIDED.get(row.get("type", ""), frozenset())

    def _document(self, ident: str, paid: Decimal) -> DocumentState:
        ref, row = ExternalRef(self.books.document, ident), self.rows.get(ident)
        if row is None:
            return DocumentState(ref, ZERO, ZERO, True, None, None)
        total, at = abs(Decimal(row.get("foreigntotal", "0"))), self._at(row)
        stamp = at.isoformat(timespec="seconds")
        return DocumentState(ref, total, total - paid, self._is_over(ident), at, version(ref.external_type, stamp))

    def _is_over(self, ident: str) -> bool:
        """Cancelled or voided; or closed with nothing billed of it, which is how an order is given up."""
        closed = letter(self.rows[ident].get("status", "")) == "H" and self.books.document == "salesOrder"
        billed = any(link.after_type == INVOICE for link in self.links.from_.get(ident, ()))
        return self._gone(ident) or (closed and not billed)

    def _payment(self, ident: str, parts: Mapping[str, Decimal]) -> PaymentState:
        row = self.rows.get(ident, {})
        code = row.get("type", "CustPymt")
        ref = ExternalRef(RECORD_TYPES.get(code, code), ident)
        return PaymentState(
            ref=ref,
            date=dt.date.fromisoformat(row["day"]) if row.get("day") else None,
            method="Deposit" if code == DEPOSIT else SETTLING.get(code),
            reference=row.get("otherrefnum") or row.get("tranid"),
            gone=self._gone(ident),
            applied={ExternalRef(self.books.document, one): amount for one, amount in parts.items()},
            updated_at=self._at(row) if row else None,
            record_id=payment_of(row.get(payment_column(self.books), ""), self.books),
        )

    def _at(self, row: Row) -> dt.datetime:
        return self.books.zone.moment(parse(row["at"]), self.now)
