"""The `requestid` store: a repeated write gets its first answer again (reference section 3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from erp_twins.http import Response
from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.config import TwinConfig

_LONGEST, _LONGEST_BATCH, _LONGEST_ITEM = 50, 36, 10


def key_of(requestid: str, items: list[Doc] | None = None) -> str:
    """The store's key; of a batch it includes the item ids. Fault 2130 for a wrong length."""
    if items is None:
        if len(requestid) > _LONGEST:
            raise faults.bad_request_id(f"A request id has at most {_LONGEST} characters")
        return requestid
    ids = [str(item.get("bId", "")) for item in items]
    if len(requestid) > _LONGEST_BATCH or any(len(ident) > _LONGEST_ITEM for ident in ids):
        raise faults.bad_request_id(
            f"With a batch a request id has at most {_LONGEST_BATCH} characters and a bId {_LONGEST_ITEM}"
        )
    return "|".join([requestid, *ids])


def recall(company: Company, config: TwinConfig, key: str) -> Response | None:
    """The stored answer, byte for byte, unless it has expired."""
    stored = company.answers.get(key) if key and config.honour_requestid else None
    if stored is None:
        return None
    age = company.clock.now() - datetime.fromisoformat(stored["time"])
    if config.requestid_ttl_seconds is not None and age > timedelta(seconds=config.requestid_ttl_seconds):
        del company.answers[key]
        return None
    return Response(stored["status"], stored["body"].encode(), (("content-type", stored["type"]),))


def remember(company: Company, config: TwinConfig, key: str, answer: Response) -> None:
    """Store a first answer: successes, refusals only by switch, server errors never."""
    keep = answer.status < 300 or (config.store_failed_requestids and answer.status < 500)
    if key and keep and config.honour_requestid:
        moment = company.clock.now().isoformat()
        company.answers[key] = {
            "status": answer.status,
            "body": answer.body.decode(),
            "type": answer.header("content-type"),
            "time": moment,
        }


def forget(company: Company, key: str) -> None:
    """As if the answer had never been stored: the switch that models a lost record."""
    company.answers.pop(key, None)
