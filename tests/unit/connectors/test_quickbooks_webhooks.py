from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json

import pytest

from erp_pipelines.connectors.base import ExternalRef
from erp_pipelines.connectors.quickbooks.webhooks import QuickBooksWebhooks
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.security.signatures import hmac_sha256_base64, signed_by

WEBHOOKS = QuickBooksWebhooks("verifier")
LEGACY = {
    "eventNotifications": [
        {
            "realmId": "310687",
            "dataChangeEvent": {
                "entities": [
                    {"name": "Invoice", "id": "130", "operation": "Update", "lastUpdated": "2026-01-08T20:52:31.657Z"},
                    {
                        "name": "Customer",
                        "id": "7",
                        "operation": "Merge",
                        "deletedId": "9",
                        "lastUpdated": "2026-01-08T20:52:31.657Z",
                    },
                ]
            },
        }
    ]
}


def event(**changes: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": "5f0c",
        "source": "intuit.x=",
        "type": "qbo.invoice.updated.v1",
        "time": "2026-09-10T21:31:25.179851517Z",
        "intuitentityid": "130",
        "intuitaccountid": "310687",
        "data": {},
        **changes,
    }


def parsed(delivery: object) -> tuple:
    return WEBHOOKS.parse(json.dumps(delivery).encode())


# --- signature ---


def test_signature_is_over_the_raw_bytes():
    body = '{"a":  "ö"}'.encode()
    signature = base64.b64encode(hmac.new(b"verifier", body, hashlib.sha256).digest()).decode()
    assert hmac_sha256_base64("verifier", body) == signature
    assert WEBHOOKS.verify({"intuit-signature": signature}, body)
    assert not WEBHOOKS.verify({"intuit-signature": signature}, body.replace(b"  ", b" "))


@pytest.mark.parametrize("signature", ["", "x", "ÿ", "=" * 44])
def test_other_signatures_are_refused(signature):
    assert not WEBHOOKS.verify({"intuit-signature": signature}, b"{}")


def test_missing_signature_is_refused():
    assert not WEBHOOKS.verify({}, b"{}")


def test_without_a_secret_nothing_is_signed():
    assert not signed_by("", b"{}", hmac_sha256_base64("", b"{}"))


# --- legacy ---


def test_legacy_delivery_is_read():
    invoice, winner, loser = parsed(LEGACY)
    assert (invoice.company_id, invoice.ref, invoice.operation) == ("310687", ExternalRef("Invoice", "130"), "Update")
    assert invoice.occurred_at == dt.datetime(2026, 1, 8, 20, 52, 31, 657000, tzinfo=dt.UTC)
    assert (winner.ref, winner.operation) == (ExternalRef("Customer", "7"), "Merge")
    assert (loser.ref, loser.operation) == (ExternalRef("Customer", "9"), "Delete")


def test_legacy_ids_are_the_same_on_redelivery_and_differ_otherwise():
    assert parsed(LEGACY) == parsed(LEGACY)
    assert len({notice.event_id for notice in parsed(LEGACY)}) == 3
    later = json.loads(json.dumps(LEGACY).replace("31.657Z", "32.000Z"))
    assert not {one.event_id for one in parsed(later)} & {one.event_id for one in parsed(LEGACY)}


# --- CloudEvents ---


def test_cloud_event_is_read():
    (notice,) = parsed([event()])
    assert (notice.event_id, notice.company_id) == ("5f0c", "310687")
    assert (notice.ref, notice.operation) == (ExternalRef("Invoice", "130"), "Update")
    assert notice.occurred_at == dt.datetime(2026, 9, 10, 21, 31, 25, 179851, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "entity", "operation"),
    [
        ("qbo.payment.created.v1", "Payment", "Create"),
        ("QBO.CreditMemo.Voided.V1", "CreditMemo", "Void"),
        ("qbo.salesreceipt.emailed.v1", "SalesReceipt", "Emailed"),
        ("qbo.spaceship.launched.v2", "Spaceship", "Launched"),
        ("qbo.spaceship", "Spaceship", ""),
    ],
)
def test_kinds_are_read_in_any_case_and_unknown_ones_too(kind, entity, operation):
    (notice,) = parsed([event(type=kind)])
    assert (notice.ref.external_type, notice.operation) == (entity, operation)


def test_merge_tells_of_both_records():
    both = parsed([event(type="qbo.customer.merged.v1", data={"deletedId": "9"})])
    assert [(one.event_id, one.ref.external_id, one.operation) for one in both] == [
        ("5f0c", "130", "Merge"),
        ("5f0c:deleted", "9", "Delete"),
    ]


def test_one_delivery_may_tell_of_several_companies():
    assert [one.company_id for one in parsed([event(), event(intuitaccountid="2")])] == ["310687", "2"]


def test_unreadable_moment_is_no_moment():
    assert parsed([event(time="yesterday")])[0].occurred_at is None


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'"text"', b"[{}]", b"\xff", b'{"eventNotifications": [1]}', b"null"]
)
def test_other_shapes_are_refused(body):
    with pytest.raises(RecordInvalid):
        WEBHOOKS.parse(body)


def test_empty_deliveries_are_fine():
    assert parsed([]) == ()
    assert parsed({"eventNotifications": [{"realmId": "1"}]}) == ()
