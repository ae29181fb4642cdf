from __future__ import annotations

import pytest

from erp_pipelines.connectors.base import ConnectionFacts, ExternalRef
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.connectors.registry import PROVIDERS, connectors, display_name
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.errors import NotFound
from tests.unit.connectors.connector_support import CONFIG

FACTS = ConnectionFacts("1", ConnectionKey("acme", "quickbooks"), "42", {}, ConnectionSettings())


def test_only_configured_providers_are_there():
    assert connectors() == {}
    found: Connector = connectors(quickbooks=CONFIG)["quickbooks"]
    assert (found.provider, found.display_name) == ("quickbooks", "QuickBooks")
    assert found.oauth
    assert found.webhooks


def test_netsuite_takes_credentials_and_has_no_sign_in_page():
    found: Connector = connectors(netsuite=NetSuiteConfig())["netsuite"]
    assert (found.provider, found.display_name, found.documents_when) == ("netsuite", "NetSuite", "confirmed")
    assert (found.oauth, found.webhooks) == (None, None)
    assert found.credentials
    assert found.settings_model


def test_names():
    assert {name: display_name(name) for name in PROVIDERS} == PROVIDERS
    with pytest.raises(NotFound, match="quickbooks, netsuite"):
        display_name("xero")


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("Invoice", "https://app.sandbox.qbo.intuit.com/app/invoice?txnId=1%2F2"),
        ("Payment", "https://app.sandbox.qbo.intuit.com/app/recvpayment?txnId=1%2F2"),
        ("Customer", "https://app.sandbox.qbo.intuit.com/app/customerdetail?nameId=1%2F2"),
        ("Item", None),
    ],
)
def test_documents_have_pages(kind, page):
    assert connectors(quickbooks=CONFIG)["quickbooks"].document_url(FACTS, ExternalRef(kind, "1/2")) == page
