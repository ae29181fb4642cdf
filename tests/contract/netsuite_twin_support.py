"""What the tests of the NetSuite twin share: a connected client without sockets, and short ways to say things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from erp_twins import jsonio
from erp_twins.clock import TwinClock
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.transport import twin_handler

ACCOUNT = "1234567"
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)  # Monday noon in the account's zone
BASE = "https://twin.example"
RECORD = "/services/rest/record/v1"
TOKEN = "/services/rest/auth/oauth2/v1/token"


class Shop:
    """A twin on a frozen clock, with an access token for its account, a customer and an item when asked for."""

    def __init__(self, config: dict[str, Any] | None = None, **settings: Any) -> None:
        self.clock = TwinClock(NOON)
        self.twin = NetSuiteTwin(clock=self.clock)
        self.twin.configure(access_token_seconds=10_000_000, **(config or {}))
        self.twin.add_account(ACCOUNT, **settings) if not settings else self._fresh(settings)
        self.token = self.twin.connect()
        self.http = httpx.Client(transport=httpx.MockTransport(twin_handler(self.twin)), base_url=BASE)

    def _fresh(self, settings: dict[str, Any]) -> None:
        """The account anew: its lists depend on its features."""
        del self.twin.accounts[ACCOUNT]
        self.twin.add_account(ACCOUNT, **settings)

    @property
    def account(self) -> Any:
        return self.twin.account()

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **(headers or {})}
        content = body if isinstance(body, bytes) or body is None else jsonio.dumps(body).encode()
        return self.http.request(
            method,
            path if path.startswith("/") else f"{RECORD}/{path}",
            params=params or None,
            content=content,
            headers=sent,
        )

    def get(self, path: str, **params: Any) -> Any:
        answer = self.call("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return jsonio.loads(answer.content)

    def whole(self, path: str) -> Any:
        return self.get(path, expandSubResources="true")

    def write(self, method: str, path: str, body: Any = None, **params: Any) -> str:
        """A successful write; gives the id that stands in its Location."""
        answer = self.call(method, path, body, **params)
        assert (answer.status_code, answer.content) == (204, b""), answer.text
        return answer.headers["location"].rpartition("/")[2] if "location" in answer.headers else ""

    def post(self, path: str, body: Any = None, **params: Any) -> str:
        return self.write("POST", path, body, **params)

    def patch(self, path: str, body: Any, **params: Any) -> str:
        return self.write("PATCH", path, body, **params)

    def refused(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, str, str]:
        """Status, code and detail of a refusal."""
        return refusal(self.call(method, path, body, **params))

    def query(self, q: str, *params: str, **paging: Any) -> Any:
        answer = self.suiteql({"q": q, **({"params": list(params)} if params else {})}, **paging)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["items"]
        return [{name: value for name, value in row.items() if name != "links"} for row in rows]

    def suiteql(self, body: Any, prefer: str = "transient", **paging: Any) -> httpx.Response:
        return self.call("POST", "/services/rest/query/v1/suiteql", body, {"prefer": prefer}, **paging)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_twin/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return jsonio.loads(answer.content)

    # --- things to work with ---

    def customer(self, name: str = "Blue Door Cafe", **more: Any) -> str:
        subsidiary = {"subsidiary": {"id": "1"}} if self.account.settings.one_world else {}
        return self.post("customer", {"companyName": name, **subsidiary, **more})

    def item(self, name: str = "Olive oil", kind: str = "nonInventorySaleItem", **more: Any) -> str:
        body = {"itemId": name, "incomeAccount": {"id": "5"}, "taxSchedule": {"id": "1"}, **more}
        return self.post(
            kind, {**({"subsidiary": {"items": [{"id": "1"}]}} if self.account.settings.one_world else {}), **body}
        )

    def stocked(self) -> tuple[str, str]:
        """A customer and an item."""
        return self.customer(), self.item()

    def order(self, *lines: Any, **more: Any) -> str:
        """A sales order of external id `so-1` unless told otherwise: by default 4 at 25.00."""
        customer, item = self._ready()
        rows = [
            {"item": {"id": item}, **line}
            for line in lines or ({"quantity": 4, "rate": "25.00", "price": {"id": "-1"}},)
        ]
        return self.post("salesOrder", {"entity": {"id": customer}, "item": {"items": rows}, **more})

    def _ready(self) -> tuple[str, str]:
        customers, items = self.account.rows("customer"), self.account.rows("nonInventorySaleItem")
        return (customers[0]["id"] if customers else self.customer()), (items[0]["id"] if items else self.item())

    def invoice(self, **more: Any) -> str:
        """An invoice of a fresh order: 100.00 and the account's tax on it."""
        return self.post(f"salesOrder/{self.order()}/!transform/invoice", more)


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/vnd.oracle.resource+json; type=error", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    error = body["o:errorDetails"][0]
    return answer.status_code, error["o:errorCode"], error["detail"]


# --- certificates and assertions ---


def key_of(kind: str = "ec") -> Any:
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 3072)


def private_pem(key: Any) -> str:
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(kind, form, serialization.NoEncryption()).decode()


def certificate(key: Any, days: int = 700) -> str:
    """A self-signed certificate, valid for so many days from the twin's present."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = (
        built.serial_number(1).not_valid_before(NOON - timedelta(days=1)).not_valid_after(NOON + timedelta(days=days))
    )
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def claims(**more: Any) -> dict[str, Any]:
    now = int(NOON.timestamp())
    usual = {"iss": "shop", "scope": "rest_webservices", "aud": BASE + TOKEN, "iat": now, "exp": now + 3600}
    return {**usual, **more}


def form(assertion: str, **more: str) -> dict[str, str]:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": assertion, **more}


def assertion(key: Any, kid: str, algorithm: str = "ES256", **more: Any) -> str:
    return jwt.encode(claims(**more), key, algorithm=algorithm, headers={"kid": kid})
