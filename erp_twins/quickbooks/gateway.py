"""What stands before the Accounting API: token, company, rate and form checks, and the number of every answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from erp_twins.faults import CallFacts
from erp_twins.http import Request, Response, text_answer
from erp_twins.quickbooks import api, faults
from erp_twins.quickbooks.grants import ACCOUNTING

if TYPE_CHECKING:
    from erp_twins.quickbooks.twin import QuickBooksTwin


def refusal(twin: QuickBooksTwin, request: Request, target: api.Target) -> Response | None:
    """The gateway's checks, in its order: token, company, rate, and then what the answer should look like."""
    now = twin.clock.now()
    scheme, _, token = request.header("authorization").partition(" ")
    grant = twin.grants.bearer(token) if scheme.lower() == "bearer" else "AuthenticationFailed"
    if isinstance(grant, str):
        return faults.unauthorised(grant, now)
    if grant.realm != target.realm or ACCOUNTING not in grant.scopes or target.realm not in twin.companies:
        return faults.forbidden(now)
    if not twin.throttle.admits(twin.config, target.realm, grant.client_id, now, batch=target.operation == "batch"):
        return faults.throttled(twin.config.throttle_body, now)
    if twin.config.strict_accept and not api.wants_json(request):
        return text_answer(
            "The service would answer this request in XML. Ask for JSON with 'Accept: application/json'.", 406
        )
    return None


@dataclass
class TransactionIds:
    """`intuit_tid` values: `1-<8 hex>-<24 hex>`, one per answer."""

    last: int = 0

    def next(self, now: datetime) -> str:
        self.last += 1
        digest = hashlib.sha256(f"tid:{self.last}".encode()).hexdigest()
        return f"1-{int(now.timestamp()):08x}-{digest[:24]}"


def facts(request: Request, target: api.Target | None) -> CallFacts:
    """What the fault dial can match on."""
    if target is None:
        return CallFacts(request.method, request.path)
    return CallFacts(request.method, request.path, target.realm, target.entity, target.operation)


def ident(request: Request) -> str:
    """The Id in a request's body, empty when there is none."""
    try:
        return str(request.document().get("Id", ""))
    except ValueError:
        return ""
