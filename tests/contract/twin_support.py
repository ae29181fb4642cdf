"""What the tests of the QuickBooks twin share: a connected client without sockets, and short ways to say things."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from erp_twins import jsonio
from erp_twins.clock import TwinClock
from erp_twins.quickbooks import QuickBooksTwin
from erp_twins.transport import twin_handler

REALM = "9130350000000001"
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)  # Monday noon in the company's zone
REDIRECT = "http://shop.example.com/callback"


class Books:
    """A twin on a frozen clock, and an app that is connected to its company."""

    def __init__(self, **config: Any) -> None:
        self.clock = TwinClock(NOON)
        self.twin = QuickBooksTwin(clock=self.clock)
        self.twin.configure(**{"throttle": False, "access_token_seconds": 10_000_000, **config})
        self.twin.add_app("app-1", "app-secret", (REDIRECT,))
        self.token = self.twin.connect("app-1")["access_token"]
        self.http = httpx.Client(
            transport=httpx.MockTransport(twin_handler(self.twin)), base_url="https://twin.example"
        )

    @property
    def company(self) -> Any:
        return self.twin.company(REALM)

    def call(self, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
        headers = {
            "authorization": f"Bearer {self.token}",
            "accept": "application/json",
            "content-type": "application/json",
        }
        content = body if isinstance(body, bytes) or body is None else jsonio.dumps(body).encode()
        return self.http.request(method, f"/v3/company/{REALM}/{path}", params=params, content=content, headers=headers)

    def post(self, path: str, body: Any, **params: str) -> Any:
        """The entity of a successful write."""
        answer = self.call("POST", path, body, **params)
        assert answer.status_code == 200, answer.text
        return next(iter(jsonio.loads(answer.content).values()))

    def get(self, path: str, **params: str) -> Any:
        answer = self.call("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return next(iter(jsonio.loads(answer.content).values()))

    def query(self, statement: str) -> Any:
        return self.get("query", query=statement)

    def refused(self, path: str, body: Any, **params: str) -> list[str]:
        """The codes of a refused write."""
        answer = self.call("POST", path, body, **params)
        assert answer.status_code == 400, answer.text
        return [error["code"] for error in answer.json()["Fault"]["Error"]]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_twin/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return jsonio.loads(answer.content)

    # --- things to work with ---

    def customer(self, name: str = "Blue Door Cafe", **more: Any) -> Any:
        return self.post("customer", {"DisplayName": name, **more})

    def item(self, name: str = "Olive oil", **more: Any) -> Any:
        income = {"value": self.company.account("Sales of Product Income")}
        return self.post(
            "item", {"Name": name, "Type": "NonInventory", "IncomeAccountRef": income, "Taxable": True, **more}
        )

    def invoice(self, *lines: Any, **more: Any) -> Any:
        """An invoice for customer 1, by default one taxable line of 100."""
        return self.post("invoice", self.draft(*lines, **more))

    def draft(self, *lines: Any, **more: Any) -> Any:
        if not self.company.customers:
            self.customer()
            self.item()
        return {"CustomerRef": {"value": "1"}, "TxnDate": "2026-03-02", "Line": list(lines) or [sale("100.00")], **more}

    def payment(self, amount: str, *links: tuple[str, str], **more: Any) -> Any:
        lines = [
            {"Amount": Decimal(part), "LinkedTxn": [{"TxnId": ident, "TxnType": "Invoice"}]} for ident, part in links
        ]
        return {"CustomerRef": {"value": "1"}, "TotalAmt": Decimal(amount), "Line": lines, **more}


def sale(
    amount: str | None = None, *, qty: str | None = None, price: str | None = None, item: str = "1", code: str = "TAX"
) -> Any:
    """A sales line."""
    detail: dict[str, Any] = {"ItemRef": {"value": item}, "TaxCodeRef": {"value": code}}
    detail |= {"Qty": Decimal(qty)} if qty else {}
    detail |= {"UnitPrice": Decimal(price)} if price else {}
    line = {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return {**line, "Amount": Decimal(amount)} if amount else line


def handle_of(doc: Any) -> Any:
    return {"Id": doc["Id"], "SyncToken": doc["SyncToken"]}
