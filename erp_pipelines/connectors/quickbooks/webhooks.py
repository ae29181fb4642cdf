"""Deliveries of webhooks: signature over the raw bytes, and both formats read into notices."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from erp_pipelines.connectors.base import ExternalRef
from erp_pipelines.connectors.provider import Notice
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.idempotency import notice_key
from erp_pipelines.security.signatures import signed_by

SIGNATURE_HEADER = "intuit-signature"
# The newer format writes names in lower case. Names of more than one word, as the API writes them:
_NAMES = {
    name.lower(): name
    for name in """
    BillPayment CreditMemo JournalCode JournalEntry PaymentMethod PurchaseOrder RefundReceipt SalesReceipt TaxAgency
    TimeActivity VendorCredit
    """.split()
}
_OPERATIONS = {
    "created": "Create",
    "updated": "Update",
    "deleted": "Delete",
    "merged": "Merge",
    "voided": "Void",
    "emailed": "Emailed",
}


class QuickBooksWebhooks:
    """Intuit signs with the app's verifier token. There is no time in the signature: repeats are told by `event_id`."""

    def __init__(self, verifier_token: str) -> None:
        self._verifier_token = verifier_token

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        return signed_by(self._verifier_token, body, headers.get(SIGNATURE_HEADER, ""))

    def parse(self, body: bytes) -> tuple[Notice, ...]:
        """Notices in the order of the delivery, possibly of several companies.

        A merge gives two: `Merge` for the record that stays, `Delete` for the one that vanished.
        """
        try:
            return tuple(_notices(json.loads(body)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise RecordInvalid("The delivery has neither of QuickBooks' two webhook formats.") from None


def _notices(delivery: Any) -> Iterator[Notice]:
    if isinstance(delivery, dict) and "eventNotifications" in delivery:
        for notification in delivery["eventNotifications"]:
            for entity in (notification.get("dataChangeEvent") or {}).get("entities") or ():
                yield from _legacy(str(notification["realmId"]), entity)
        return
    for event in delivery if isinstance(delivery, list) else [delivery]:
        yield from _cloud_event(event)


def _legacy(realm: str, entity: dict[str, Any]) -> Iterator[Notice]:
    """The older format has no ids, so one is made from everything that tells two events apart."""
    name, operation, when = str(entity["name"]), str(entity["operation"]), str(entity.get("lastUpdated", ""))
    pairs = [(str(entity["id"]), operation)]
    if entity.get("deletedId"):
        pairs.append((str(entity["deletedId"]), "Delete"))
    for external_id, what in pairs:
        key = notice_key(realm, name, external_id, what, when)
        yield Notice(key, realm, ExternalRef(name, external_id), what, _moment(when))


def _cloud_event(event: dict[str, Any]) -> Iterator[Notice]:
    """CloudEvents: the id is the same on every redelivery. Where a merge names the loser is not documented."""
    _, entity, verb, *_ = [*str(event["type"]).split("."), "", ""]
    name = _NAMES.get(entity.lower(), entity.capitalize())
    operation = _OPERATIONS.get(verb.lower(), verb.capitalize())
    event_id, realm = str(event["id"]), str(event["intuitaccountid"])
    when = _moment(str(event.get("time", "")))
    yield Notice(event_id, realm, ExternalRef(name, str(event["intuitentityid"])), operation, when)
    data = event.get("data")
    loser = data.get("deletedId") if isinstance(data, dict) else None
    loser = loser or event.get("intuitdeletedid") or event.get("deletedId")
    if loser:
        yield Notice(f"{event_id}:deleted", realm, ExternalRef(name, str(loser)), "Delete", when)


def _moment(text: str) -> dt.datetime | None:
    """In UTC; None where there is none that can be read."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
