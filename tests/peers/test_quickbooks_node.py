"""Intuit's own OAuth client and node-quickbooks, written for the real service, drive the QuickBooks twin."""

from __future__ import annotations

import json

import pytest

from erp_twins.quickbooks import QuickBooksTwin
from erp_twins.serve import TwinServer
from tests.contract.twin_support import REALM, REDIRECT
from tests.peers.node import Peer

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def clients() -> Peer:
    return Peer("quickbooks_node").installed()


def test_clients_connect_keep_books_and_understand_refusals(clients: Peer) -> None:
    twin = QuickBooksTwin()
    twin.configure(throttle=False)
    twin.add_app("shop", "shop-secret", (REDIRECT,), "Test shop")
    with TwinServer(twin) as server:
        seen = json.loads(clients.journey(server.url, "shop", "shop-secret", REDIRECT, REALM))
    assert seen == {
        "consent": ["state-1", REALM, 3600],
        "spentCode": "invalid_grant",
        "valid": True,
        "user": True,
        "company": "Harbor Foods Ltd (twin)",
        "invoice": [25, 25, "0", True],  # the same request key: the same invoice
        "found": ["1"],
        "none": [],
        "counted": 1,
        "partly": [15, "1", True],
        "stale": "5010",
        "noted": "x",
        "unpaid": 0,
        "open": 25,
        "twice": "6240",
        "unequal": "6070",
        "nowhere": "610",
        "stranger": "3200",
        "batch": ["Blue Door", "6240"],
        "changed": ["Invoice", "Payment", "Item"],
        "deleted": "610",
        "revoked": "3200",
        "dead": "invalid_grant",
    }
    counts = twin.ledger().counts
    assert {name: counts[name] for name in ("Customer", "Invoice", "Item")} == {"Customer": 2, "Invoice": 1, "Item": 1}
    assert "Payment" not in counts
