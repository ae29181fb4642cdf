"""HTML for people: the consent page, lists, and documents that look like paper."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import Any

from erp_twins import sheets
from erp_twins.http import Pairs
from erp_twins.jsonio import Doc
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.money import ZERO, cents


def page(title: str, body: str, realm: str = "") -> str:
    """A whole page with the twin's frame around the body."""
    links = (
        f'<a href="/">Companies</a><a href="/app/{escape(realm)}/invoices">Invoices</a><a href="/app/{escape(realm)}/customers">Customers</a>'
        if realm
        else '<a href="/">Companies</a>'
    )
    return sheets.page("QuickBooks twin", title, body, links)


def trouble(title: str, text: str) -> str:
    return page(title, f'<div class="sheet"><h1>{escape(title)}</h1><p class="soft">{escape(text)}</p></div>')


def consent(app: str, companies: list[Company], query: Pairs) -> str:
    """Lets a person choose the company that an app may work with."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in query
        if not name.startswith("twin_")
    )
    rows = "".join(_choice(company) for company in companies)
    body = (
        f'<div class="sheet"><h1>Connect {escape(app)} to your books</h1>'
        f'<p class="soft">It will read and write customers, items, invoices and payments of the company you choose.</p>'
        f'<form method="get" action="/connect/oauth2">{hidden}<table>{rows}</table>'
        f'<p><button class="quiet" name="twin_deny" value="1">No, thanks</button></p></form></div>'
    )
    return page(f"Connect {app}", body)


def _choice(company: Company) -> str:
    button = f'<button name="twin_approve" value="{escape(company.realm)}">Connect</button>'
    name = f'{escape(company.settings.name)}<br><span class="soft">Company {escape(company.realm)}</span>'
    return f'<tr><td>{name}</td><td class="num">{button}</td></tr>'


def money(value: Any) -> str:
    return f"{cents(Decimal(value)):,}"


def home(companies: list[Company]) -> str:
    rows = [
        [
            f'<a href="/app/{company.realm}/invoices">{escape(company.settings.name)}</a>',
            escape(company.realm),
            str(len(company.invoices)),
        ]
        for company in companies
    ]
    return page(
        "QuickBooks twin",
        f'<div class="sheet"><h1>Companies</h1>{sheets.table(("Name", "Realm", "Invoices"), rows, frozenset({2}))}</div>',
    )


def invoice_link(realm: str, doc: Doc) -> str:
    label = escape(str(doc.get("DocNumber") or f"no. {doc['Id']}"))
    return f'<a href="/app/invoice?txnId={escape(doc["Id"])}&amp;realmId={escape(realm)}">{label}</a>'


def status(doc: Doc) -> str:
    if str(doc.get("PrivateNote", "")).startswith("Voided"):
        return "Voided"
    if doc["Balance"] == 0:
        return "Paid"
    return "Partly paid" if doc["Balance"] < doc["TotalAmt"] else "Open"


def invoices(company: Company, rows: list[Doc], title: str) -> str:
    """A list of invoices, newest first."""
    cells = [
        [
            invoice_link(company.realm, row),
            escape(row["TxnDate"]),
            escape(_named(row)),
            money(row["TotalAmt"]),
            money(row["Balance"]),
            f'<span class="tag">{status(row)}</span>',
        ]
        for row in reversed(rows)
    ]
    heads = ("Number", "Date", "Customer", "Total", "Balance", "Status")
    body = f'<div class="sheet"><h1>{escape(title)}</h1><span class="soft">{escape(company.settings.name)}</span>{sheets.table(heads, cells, frozenset({3, 4}))}</div>'
    return page(title, body, company.realm)


def customers(company: Company) -> str:
    cells = [
        [
            f'<a href="/app/customerdetail?nameId={escape(row["Id"])}&amp;realmId={escape(company.realm)}">{escape(row["DisplayName"])}</a>',
            money(row["Balance"]),
        ]
        for row in company.customers
    ]
    return page(
        "Customers",
        f'<div class="sheet"><h1>Customers</h1>{sheets.table(("Name", "Balance"), cells, frozenset({1}))}</div>',
        company.realm,
    )


def _named(row: Doc) -> str:
    return str(row.get("CustomerRef", {}).get("name", ""))


def totals(doc: Doc, parts: list[tuple[str, Decimal]]) -> str:
    """The block of sums under a document; parts that are zero are left out."""
    shown = [(label, value) for label, value in parts if value != ZERO or label in {"Subtotal", "Total", "Balance due"}]
    due = "Balance due"
    rows = (
        f'<tr{" class=due" if label == due else ""}><td>{label}</td><td class="num">{money(value)}</td></tr>'
        for label, value in shown
    )
    return f'<table class="totals"><caption class="soft num">{escape(doc["CurrencyRef"]["value"])}</caption>{"".join(rows)}</table>'
