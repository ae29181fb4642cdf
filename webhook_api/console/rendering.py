"""Templates to pages: everything escaped, nothing of other hosts, no script or style within the page."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from webhook_api.console.assets import assets
from webhook_api.console.sessions import Session

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The referrer tells a form's own site from another one's: with none at all a browser calls every origin "null".
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
# What a redirect may announce on the page it leads to; anything else in the address says nothing.
NOTICES = {
    "saved": "The settings are saved.",
    "connected": "The connection stands.",
    "disconnected": "The connection has ended and its tokens are deleted.",
    "on": "It is on. What stands in the shop already is being brought over.",
    "retried": "{n} deliveries are due again.",
    "asked": "An admin will see the request.",
    "declined": "The request is declined.",
    "answers": "The ERP answers, and the access is good.",
    "matched": "{n} records were joined.",
    "decided": "It is decided; the record goes on.",
    "cancelled": "Nothing more of it will begin; {n} records were spared.",
}
# Which colour a word gets; what is not listed is neutral.
TONES = {
    "Connected": "good", "Completed": "good", "approved": "good", "synced": "good",
    "Reconnect needed": "bad", "Abandoned": "bad", "Failed": "warn", "failed": "bad", "declined": "warn",
    "Pending": "calm", "Processing": "calm", "InProgress": "calm", "open": "warn", "in order": "good", "equal": "good", "missing": "bad", "differs": "bad", "gone": "bad",
    "cancelled here only": "warn", "unknown": "warn", "spent": "bad", "in doubt": "warn",
}  # fmt: skip


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """The page for whoever is signed in; `session` is None on those that need nobody."""
    session: Session | None = getattr(request.state, "session", None)
    shown = _environment.get_template(template).render(
        session=session,
        path=request.url.path,
        notice=_notice(request),
        name_of=request.app.state.runtime.display_name,
        **context,
    )
    return HTMLResponse(shown, status, HEADERS)


def _notice(request: Request) -> str:
    number = request.query_params.get("n", "")
    words = NOTICES.get(request.query_params.get("done", ""), "")
    return words.format(n=number if number.isascii() and number.isdigit() and len(number) < 10 else "Some")


def _moment(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "-"


def _span(seconds: float | None) -> str:
    """A time span as people say it, in its largest unit."""
    if seconds is None:
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"


def _tone(word: object) -> str:
    return TONES.get(str(word), "plain")


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _money(amount: Decimal | None) -> str:
    """At least two places, and no more than it has."""
    if amount is None:
        return "-"
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"{amount:,.{places}f}"


def _query(**given: object) -> str:
    return urlencode({name: str(value) for name, value in given.items() if value not in {None, ""}})


def _web(url: str | None) -> str | None:
    """An address outside, if a browser may be sent there: never a script."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else None


_environment = Environment(
    loader=PackageLoader("webhook_api.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "moment": _moment, "span": _span, "tone": _tone, "pretty": _pretty, "web": _web, "money": _money,
}  # fmt: skip
_environment.globals |= {"query": _query, "assets": assets}
