"""What the unit tests of the NetSuite connector share: keys, books, a scripted account."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from erp_pipelines.connectors.base import Lent
from erp_pipelines.connectors.calling import bearer
from erp_pipelines.connectors.http import ErpHttp, MockTransport
from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.netsuite.connector import _profile
from erp_pipelines.connectors.netsuite.settings import NetSuiteSettings
from tests.unit.connectors.connector_support import Line, Step, line

CONFIG = NetSuiteConfig()
ACCOUNT = Account.parse("1234567_SB1")
HOST = "https://1234567-sb1.suitetalk.api.netsuite.com"


def pem(key: Any, form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def certificate(key: Any, ends: dt.datetime) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.test")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(ends - dt.timedelta(days=700)).not_valid_after(ends)
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def books(own: dict[str, Any] | None = None, **changes: Any) -> Books:
    given = {"incomeAccountId": "5", "taxCodes": {"8": "1", "default": "9"}, **(own or {})}
    settings = NetSuiteSettings.model_validate({name: value for name, value in given.items() if value is not None})
    return Books(**{"config": CONFIG, "account": ACCOUNT, "own": settings, "home_currency": "USD", **changes})


def client(*steps: Step, **config: Any) -> tuple[NetSuiteClient, Line]:
    """A client of an account that answers by a script."""
    desk, own = line(*steps), NetSuiteConfig(**config)
    http = ErpHttp(_profile(own), transport=MockTransport(desk.provider))
    lent = Lent(desk.tokens, desk.pace, desk.clock, desk.counts, lambda: 0.5)
    return NetSuiteClient(own, http, ACCOUNT, lent, authorise=bearer), desk
