"""Pages of the product that a person opens: lists and documents (the document URLs that a shop links to)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from erp_twins import sheets
from erp_twins.http import Request, Response, html_answer, text_answer
from erp_twins.jsonio import Doc
from erp_twins.netsuite import enums, values
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.schema import RecordType
from erp_twins.netsuite.settlements import payer

if TYPE_CHECKING:
    from erp_twins.netsuite.twin import NetSuiteTwin

PAGES = {
    "/app/common/entity/custjob.nl": "customer",
    "/app/accounting/transactions/salesord.nl": "salesOrder",
    "/app/accounting/transactions/custinvc.nl": "invoice",
    "/app/accounting/transactions/custpymt.nl": "customerPayment",
    "/app/accounting/transactions/custcred.nl": "creditMemo",
    "/app/accounting/transactions/custdep.nl": "customerDeposit",
}
_BRAND = "NetSuite twin"


@dataclass(frozen=True)
class Site:
    """HTML pages of a twin. `compid` names the account, as in the product; without it the first one is meant."""

    twin: NetSuiteTwin

    def answer(self, request: Request) -> Response:
        if request.path in {"", "/"}:
            return html_answer(_home(list(self.twin.accounts.values())))
        if request.path == "/favicon.ico":
            return Response(204)
        name, account = PAGES.get(request.path), self._account(request)
        if name is None or account is None:
            return text_answer(f"Not found: {request.path}", 404)
        return _page(account, TYPES[name], request.param("id"))

    def _account(self, request: Request) -> Account | None:
        wanted = request.param("compid").replace("-", "_").upper()
        first = next(iter(self.twin.accounts), "")
        return self.twin.accounts.get(wanted or first)


def _home(accounts: list[Account]) -> str:
    rows = [
        [f'<a href="{path}?compid={one.ident}">{escape(one.settings.name)}: {escape(TYPES[name].title)}</a>', one.ident, str(len(one.rows(name)))]
        for one in accounts
        for path, name in PAGES.items()
    ]  # fmt: skip
    table = sheets.table(("Records", "Account", "Number"), rows, frozenset({2}))
    return sheets.page(_BRAND, "Accounts", f'<div class="sheet"><h1>Accounts</h1>{table}</div>')


def _page(account: Account, kind: RecordType, ident: str) -> Response:
    if not ident:
        return html_answer(_listing(account, kind))
    doc = account.get(kind.name, ident)
    if doc is None:
        trouble = '<div class="sheet"><h1>Notice</h1><p class="soft">That record does not exist.</p></div>'
        return html_answer(sheets.page(_BRAND, "Notice", trouble), 404)
    return html_answer(_document(account, kind, doc))


def _path(kind: RecordType) -> str:
    return next(path for path, name in PAGES.items() if name == kind.name)


def _listing(account: Account, kind: RecordType) -> str:
    rows = [
        [
            f'<a href="{_path(kind)}?id={escape(doc["id"])}&amp;compid={account.ident}">{escape(values.name_of(doc))}</a>',
            escape(str(doc.get("tranDate", doc.get("dateCreated", "")))),
            _status(kind, doc),
            _money(values.amount_of(doc)),
        ]
        for doc in reversed(account.rows(kind.name))
    ]
    table = sheets.table(("Number", "Date", "Status", "Amount"), rows, frozenset({3}))
    return sheets.page(_BRAND, kind.title, f'<div class="sheet"><h1>{escape(kind.title)}</h1>{table}</div>')


def _document(account: Account, kind: RecordType, doc: Doc) -> str:
    title = f"{kind.title} {values.name_of(doc)}"
    head = f'<div class="wide"><h1>{escape(title)}</h1><span class="tag">{_status(kind, doc)}</span></div>'
    customer = account.get("customer", payer(doc)) if kind.group == "transaction" else doc
    address = (customer or {}).get("entityId", "")
    sheet = f'<div class="sheet">{head}<p>{escape(address)}</p>{_lines(account, doc)}{_sums(doc)}</div>'
    return sheets.page(_BRAND, title, sheet)


def _lines(account: Account, doc: Doc) -> str:
    if "item" not in doc:
        return ""
    rows = [
        [
            escape(values.name_of((values.target_of(account, "item", line["item"]) or ("", {}))[1])),
            escape(str(line.get("description", ""))),
            str(line.get("quantity", "")),
            _money(Decimal(line["amount"])),
        ]
        for line in doc["item"]
    ]
    return sheets.table(("Item", "Description", "Qty", "Amount"), rows, frozenset({2, 3}))


def _sums(doc: Doc) -> str:
    parts = (
        ("Subtotal", "subtotal"),
        ("Discount", "discountTotal"),
        ("Shipping", "shippingCost"),
        ("Tax", "taxTotal"),
        ("Total", "total"),
        ("Amount", "payment"),
        ("Amount remaining", "amountRemaining"),
    )
    rows = [[label, _money(Decimal(doc[name]))] for label, name in parts if doc.get(name)]
    return sheets.table(("", ""), rows, frozenset({1})) if rows else ""


def _status(kind: RecordType, doc: Doc) -> str:
    return escape(enums.shown(kind.name, doc.get("status", ""))) if kind.group == "transaction" else ""


def _money(value: Decimal) -> str:
    return f"{values.cents(value):,}"
