"""The pages of the product that people look at, and the one button they can press."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from erp_twins import sheets
from erp_twins.http import Request, Response, html_answer, redirect, text_answer
from erp_twins.jsonio import Doc
from erp_twins.quickbooks import lines, pages
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.money import ZERO
from erp_twins.quickbooks.people import Person

if TYPE_CHECKING:
    from erp_twins.quickbooks.twin import QuickBooksTwin


@dataclass(frozen=True)
class Site:
    """HTML pages of a twin."""

    twin: QuickBooksTwin

    def answer(self, request: Request) -> Response:
        """The page at a path; 404 when there is none."""
        try:
            return self._route(request)
        except (KeyError, QboFault):
            return html_answer(pages.trouble("Nothing here", "There is no such page or document in this twin."), 404)

    def _route(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        if parts == [""]:
            return html_answer(pages.home(list(self.twin.companies.values())))
        if request.path == "/favicon.ico":
            return Response(204)
        if parts[0] != "app":
            return text_answer(f"Not found: {request.path}", 404)
        if parts[1] in {"invoice", "customerdetail"}:
            return self._one(request, parts[1:])
        return self._listing(self.twin.companies[parts[1]], parts[-1])

    def _listing(self, company: Company, what: str) -> Response:
        if what == "customers":
            return html_answer(pages.customers(company))
        return html_answer(pages.invoices(company, company.invoices, "Invoices"))

    def _one(self, request: Request, parts: list[str]) -> Response:
        company = self.twin.companies[request.param("realmId")]
        if parts[0] == "customerdetail":
            return html_answer(_customer(company, request.param("nameId")))
        doc = company.find("Invoice", request.param("txnId"))
        if request.method == "POST" and parts[-1] == "pay":
            if doc["Balance"] > 0:
                Person(company).pay(invoice_id=doc["Id"])
                self.twin.version += 1
            return redirect(f"/app/invoice?txnId={doc['Id']}&realmId={company.realm}", 303)
        return html_answer(_invoice(company, doc))


def _customer(company: Company, ident: str) -> str:
    customer = company.find("Customer", ident)
    rows = [row for row in company.invoices if row["CustomerRef"]["value"] == customer["Id"]]
    return pages.invoices(company, rows, customer["DisplayName"])


def _invoice(company: Company, doc: Doc) -> str:
    number = escape(str(doc.get("DocNumber") or doc["Id"]))
    head = (
        f'<div class="wide"><div><h1>Invoice {number}</h1><span class="soft">{escape(company.settings.name)}</span></div>'
        f'<div class="num"><span class="tag">{pages.status(doc)}</span><br>Dated {escape(doc["TxnDate"])}<br>Due {escape(doc["DueDate"])}</div></div>'
    )
    rows = [
        _row(line)
        for line in doc["Line"]
        if line["DetailType"] in {"SalesItemLineDetail", "DescriptionOnly"} and not _shipping(line)
    ]
    body = sheets.table(("Item", "Description", "Qty", "Rate", "Amount"), rows, frozenset({2, 3, 4}))
    sheet = f'<div class="sheet">{head}<p>{_address(doc)}</p>{body}{pages.totals(doc, _parts(doc))}{_button(company, doc)}</div>'
    return pages.page(f"Invoice {number}", sheet + _payments(company, doc), company.realm)


def _shipping(line: Doc) -> bool:
    return bool(line.get("SalesItemLineDetail", {}).get("ItemRef", {}).get("value") == lines.SHIPPING)


def _address(doc: Doc) -> str:
    address = doc.get("BillAddr", {})
    parts = [
        doc["CustomerRef"].get("name", ""),
        address.get("Line1"),
        address.get("Line2"),
        address.get("City"),
        address.get("PostalCode"),
        address.get("Country"),
    ]
    return "<br>".join(escape(str(part)) for part in parts if part)


def _row(line: Doc) -> list[str]:
    detail = line.get("SalesItemLineDetail", {})
    item = escape(str(detail.get("ItemRef", {}).get("name", "")))
    price = pages.money(detail["UnitPrice"]) if "UnitPrice" in detail else ""
    return [
        item,
        escape(str(line.get("Description", ""))),
        str(detail.get("Qty", "")),
        price,
        pages.money(line["Amount"]),
    ]


def _parts(doc: Doc) -> list[tuple[str, Decimal]]:
    taken_off = sum((line["Amount"] for line in doc["Line"] if line["DetailType"] == "DiscountLineDetail"), ZERO)
    paid = doc["TotalAmt"] - doc["Balance"]
    return [
        ("Subtotal", lines.subtotal(doc)),
        ("Discount", -taken_off),
        ("Shipping", lines.shipping(doc)),
        ("Tax", doc["TxnTaxDetail"]["TotalTax"]),
        ("Total", doc["TotalAmt"]),
        ("Paid", -paid),
        ("Balance due", doc["Balance"]),
    ]


def _button(company: Company, doc: Doc) -> str:
    if doc["Balance"] <= 0:
        return ""
    action = f"/app/invoice/pay?txnId={escape(doc['Id'])}&amp;realmId={escape(company.realm)}"
    return f'<form method="post" action="{action}"><button>Receive payment</button></form>'


def _payments(company: Company, doc: Doc) -> str:
    linked = [company.get("Payment", link["TxnId"]) for link in doc["LinkedTxn"] if link["TxnType"] == "Payment"]
    rows = [
        [
            escape(row["TxnDate"]),
            escape(str(row.get("PaymentMethodRef", {}).get("name", ""))),
            escape(str(row.get("PaymentRefNum", ""))),
            pages.money(row["TotalAmt"]),
        ]
        for row in linked
        if row
    ]
    return (
        f'<div class="sheet"><h1>Payments</h1>{sheets.table(("Date", "Method", "Reference", "Amount"), rows, frozenset({3}))}</div>'
        if rows
        else ""
    )
