"""What is kept of the calls of one try: masked, cut to size, and only where somebody will want to see it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from erp_pipelines.connectors.exchanges import Exchange
from erp_pipelines.connectors.http import decode, encode
from erp_pipelines.security.personal import hide, hide_in_text, personal_words

# Characters of one body's JSON. An order of a hundred lines fits.
LARGEST_BODY = 16_000


@dataclass(frozen=True)
class Payloads:
    """For the sync log: `{"calls": [...]}` of requests and of responses, in the order in which they were made."""

    request: dict[str, Any]
    response: dict[str, Any]


def kept(exchanges: Sequence[Exchange]) -> Payloads | None:
    """The calls without secrets and personal data; None where there were none."""
    if not exchanges:
        return None
    return Payloads(
        {"calls": [_request(exchange) for exchange in exchanges]},
        {"calls": [_response(exchange) for exchange in exchanges]},
    )


def _request(exchange: Exchange) -> dict[str, Any]:
    call = exchange.call
    shown = {
        "kind": call.kind,
        "method": call.method,
        "url": hide_in_text(call.url),
        "query": hide(dict(call.params)),
    }
    return shown | _body(call.body.decode("utf-8", "replace"))


def _response(exchange: Exchange) -> dict[str, Any]:
    answer = exchange.answer
    if answer is None:
        return {"kind": exchange.call.kind, "failure": hide_in_text(exchange.failure)}
    shown = {"kind": exchange.call.kind, "status": answer.status, "requestId": answer.request_id}
    return shown | _body(answer.text, personal_words(decode(exchange.call.body.decode("utf-8", "replace"))))


def _body(text: str, words: Collection[str] = ()) -> dict[str, Any]:
    """The masked body: a value, or the beginning of its text where it is no JSON or too long."""
    if not text:
        return {}
    value = decode(text)
    masked = hide_in_text(text, words) if value is None else encode(hide(value, words)).decode()
    if len(masked) > LARGEST_BODY:
        return {"bodyBeginning": masked[:LARGEST_BODY], "bodyLength": len(masked)}
    return {"body": masked if value is None else json.loads(masked)}
