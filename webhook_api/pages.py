"""The two pages that somebody without a token sees: how a consent ended."""

from __future__ import annotations

import base64
import hashlib
import html

from fastapi.responses import HTMLResponse

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1f2933}"
    "h1{font-size:1.4rem}"
)
CONSOLE = "/console/connections"
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def page(
    title: str, lines: list[str], *, status: int, onwards: tuple[str, str] = (CONSOLE, "to the console")
) -> HTMLResponse:
    """A small page; every text is escaped here. `onwards`: an address of ours where it can be gone on, and its words."""
    address, words = onwards
    way = f'<p>You can close this page, or go <a href="{html.escape(address)}">{html.escape(words)}</a>.</p>'
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{html.escape(title)}</h1>{paragraphs}{way}</main></body></html>"
    )
    return HTMLResponse(body, status, {"Content-Security-Policy": POLICY})
