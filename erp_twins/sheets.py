"""HTML that looks like paper: what the pages of all twins are made of."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_STYLE = """
:root { --ink: #1b2a33; --soft: #647684; --line: #dde4e8; --accent: #1d7a46; --paper: #fff; --ground: #f2f5f6 }
* { box-sizing: border-box } body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header { background: #14372a; color: #fff; padding: 14px 28px; display: flex; gap: 24px; align-items: center }
header a { color: #d5efe1; text-decoration: none } header b { margin-right: auto }
main { max-width: 920px; margin: 28px auto; padding: 0 16px } h1 { font-size: 24px; margin: 0 0 4px }
.sheet { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 28px; margin-bottom: 20px }
.soft { color: var(--soft) } .num { text-align: right; font-variant-numeric: tabular-nums } .wide { display: flex; justify-content: space-between; gap: 24px }
table { width: 100%; border-collapse: collapse; margin-top: 16px } th { text-align: left; color: var(--soft); font-weight: 500 }
th, td { padding: 8px 6px; border-bottom: 1px solid var(--line) } th.num { text-align: right } a { color: var(--accent) }
.totals { margin-left: auto; width: 300px } .totals td { border: 0; padding: 3px 6px } .due td { font-weight: 700; font-size: 18px }
button { background: var(--accent); color: #fff; border: 0; border-radius: 7px; padding: 10px 18px; font: inherit; font-weight: 600; cursor: pointer }
button.quiet { background: none; color: var(--soft) } .tag { background: #e3f3ea; color: var(--accent); border-radius: 99px; padding: 2px 10px; font-size: 13px }
"""


def page(brand: str, title: str, body: str, links: str = '<a href="/">Home</a>') -> str:
    """A whole page with the twin's frame around the body; `body` and `links` are HTML already."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<header><b>{escape(brand)}</b>{links}</header><main>{body}</main></body></html>"
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers: frozenset[int]) -> str:
    """Cells are HTML already; `numbers` are the right-aligned columns."""

    def mark(place: int) -> str:
        return ' class="num"' if place in numbers else ""

    head = "".join(f"<th{mark(place)}>{escape(text)}</th>" for place, text in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{mark(place)}>{cell}</td>" for place, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
