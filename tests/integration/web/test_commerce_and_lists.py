from __future__ import annotations

import csv
import io
import json
from typing import Any

import sqlalchemy as sa

from tests.integration.access.fakes import connect, scalar
from tests.integration.web.conftest import Api
from tests.integration.web.test_sync_status import GIVEN_UP, ORDER, run


def seed(api: Api) -> None:
    connect(api.runtime)
    api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    api.send("PUT", "/api/commerce/products/p1", {"id": "p1", "name": "Tea"})
    api.send("PUT", "/api/commerce/orders/o1", ORDER)


def pages(api: Api, path: str, size: int) -> list[list[Any]]:
    """Every page of a list, as a caller walks it."""
    found, cursor = [], ""
    while True:
        body = api.get(f"{path}pageSize={size}{cursor}").json()
        found.append(body["items"])
        if body["nextCursor"] is None:
            return found
        cursor = f"&cursor={body['nextCursor']}"


def test_saving_tells_the_erp_in_the_same_transaction(api: Api) -> None:
    connect(api.runtime)
    first = api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    assert first.status_code == 201
    assert first.json()["eventId"] == str(scalar(api.runtime.db, "select id from erp.integration_outbox"))
    again = api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    assert (again.status_code, again.json()) == (200, {"id": "c1", "created": False, "changed": False, "eventId": None})
    changed = api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop & Sons"})
    assert (changed.status_code, changed.json()["changed"]) == (200, True)


def test_an_order_is_paid_once_and_cancelled(api: Api) -> None:
    seed(api)
    paid = api.send("POST", "/api/commerce/orders/o1/pay", {"amount": "10.00", "paymentId": "m1"}).json()
    assert paid == {"orderId": "o1", "paymentStatus": "partiallyPaid", "paymentId": "m1", "changed": True}
    assert (
        api.send("POST", "/api/commerce/orders/o1/pay", {"amount": "10.00", "paymentId": "m1"}).json()["changed"]
        is False
    )
    assert api.send("POST", "/api/commerce/orders/o1/pay").json()["paymentStatus"] == "paid"
    assert api.send("POST", "/api/commerce/orders/o1/pay").json()["changed"] is False
    assert api.send("POST", "/api/commerce/orders/o1/cancel").json()["changed"] is True


def test_an_order_is_refunded_in_parts_and_never_beyond(api: Api) -> None:
    seed(api)
    refund = "/api/commerce/orders/o1/refund"
    total = api.send("POST", "/api/commerce/orders/o1/pay").json()
    assert total["paymentStatus"] == "paid"
    body = {"lines": [{"line": 1, "quantity": "1"}], "reason": "Broken", "refundId": "r1"}
    first = api.send("POST", refund, body).json()
    assert first == {
        "orderId": "o1", "paymentStatus": "paid", "refundId": "r1", "amount": "12.50", "changed": True,
    }  # fmt: skip
    assert api.send("POST", refund, body).json()["changed"] is False
    too_much = api.send("POST", refund, {"amount": "1000"})
    assert (too_much.status_code, "more than is left" in too_much.json()["detail"]) == (422, True)
    assert api.send("POST", refund).json()["paymentStatus"] == "refunded"
    assert api.send("POST", refund).status_code == 409
    assert api.send("POST", "/api/commerce/orders/nobody/refund").status_code == 404
    assert api.get("/api/schemas/refund").json()["title"] == "Refund"


def test_what_cannot_be_saved_is_named(api: Api) -> None:
    seed(api)
    wrong = [
        ({**ORDER, "id": "o2"}, "id"),
        ({**ORDER, "total": "99.00"}, "total"),
        ({**ORDER, "lines": []}, "lines"),
        ({**ORDER, "orderdate": "x"}, "orderdate"),
        ({**ORDER, "currency": "XXX"}, "currency"),
        ({**ORDER, "customerId": "nobody"}, "customerId"),
    ]
    for body, field in wrong:
        answer = api.send("PUT", "/api/commerce/orders/o1", body)
        assert answer.status_code == 422, field
        assert field in json.dumps(answer.json())
    assert api.send("PUT", "/api/commerce/customers/c%00", {"id": "c\x00", "name": "C"}).status_code == 422
    assert api.get("/api/orders/o%00/sync-status").status_code == 422


def test_the_outbox_is_walked_in_pages_without_gaps(api: Api) -> None:
    connect(api.runtime)
    for number in range(7):
        api.send("PUT", f"/api/commerce/customers/c{number}", {"id": f"c{number}", "name": f"C{number}"})
    walked = pages(api, "/api/integrations/outbox?", 3)
    assert [len(page) for page in walked] == [3, 3, 1]
    assert [item["entityId"] for page in walked for item in page] == [f"c{number}" for number in reversed(range(7))]
    assert api.get("/api/integrations/outbox?status=Failed").json()["items"] == []
    assert api.get("/api/integrations/outbox", tenant="beta").json() == {"items": [], "nextCursor": None}


def test_an_abandoned_event_is_retried_and_others_are_not(api: Api) -> None:
    seed(api)
    run(api, f"update erp.integration_deliveries set {GIVEN_UP} where entity_type = 'Order'")
    [event] = api.get("/api/integrations/outbox?status=Abandoned").json()["items"]
    path = f"/api/integrations/outbox/{event['id']}/retry"
    assert api.send("POST", path, tenant="beta").status_code == 404
    assert api.send("POST", path).json() == {"retried": 1}
    assert api.send("POST", path).status_code == 409
    assert api.send("POST", "/api/integrations/outbox/not-an-id/retry").status_code == 404


def log_entries(api: Api, count: int) -> None:
    with api.runtime.db.tenant("acme") as conn:
        conn.execute(
            sa.text(
                "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, entity_id, direction, status,"
                " error_message, started_at) select 'acme', 'quickbooks', case n % 2 when 0 then 'Order' else 'Customer'"
                " end, 'e' || n, 'ToExternal', 'Failed', '=HYPERLINK(\"x\")', timestamptz '2026-03-01 00:00+00'"
                " + (n / 3) * interval '1 hour' from generate_series(1, :count) n"
            ),
            {"count": count},
        )


def test_logs_are_walked_filtered_and_exported(api: Api) -> None:
    log_entries(api, 50)  # three start in the same moment: the id decides
    walked = [item for page in pages(api, "/api/integrations/logs?", 7) for item in page]
    assert len({item["id"] for item in walked}) == len(walked) == 50
    assert [item["startedAt"] for item in walked] == sorted((item["startedAt"] for item in walked), reverse=True)
    assert len(api.get("/api/integrations/logs?entityType=Order&pageSize=100").json()["items"]) == 25
    only_day = api.get("/api/integrations/logs?fromDate=2026-03-01&toDate=2026-03-01&pageSize=500").json()["items"]
    assert len(only_day) == 50
    moment = "2026-03-01T02:00:00Z"
    assert len(api.get(f"/api/integrations/logs?toDate={moment}&pageSize=500").json()["items"]) == 5
    one = walked[0]
    detail = api.get(f"/api/integrations/logs/{one['id']}").json()
    assert {name: detail[name] for name in one} == one
    assert api.get(f"/api/integrations/logs/{one['id']}", tenant="beta").status_code == 404
    rows = list(csv.DictReader(io.StringIO(api.get("/api/integrations/logs/export.csv?entityType=Order").text)))
    assert len(rows) == 25
    assert rows[0]["errorMessage"] == '\'=HYPERLINK("x")'


def test_wrong_filters_and_cursors_are_refused(api: Api) -> None:
    for query in (
        "cursor=x", "cursor=WyJhIiwiYiJd", "pageSize=0", "pageSize=501", "status=Odd", "fromDate=soon",
        "toDate=9999-12-31", "cursor=W10", "cursor=bnVsbA",
    ):  # fmt: skip
        assert api.get(f"/api/integrations/logs?{query}").status_code == 422, query
    assert api.get("/api/integrations/outbox?cursor=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ").status_code == 422


def test_mappings_and_inbox_are_listed(api: Api) -> None:
    seed(api)
    run(
        api,
        "insert into erp.integration_entity_mappings (tenant_id, provider, entity_type, prometheus_id, external_id,"
        " external_type) select 'acme', 'quickbooks', 'Customer', 'c' || n, n, 'Customer' from generate_series(1, 5) n",
    )
    walked = pages(api, "/api/integrations/mappings/quickbooks/Customer?", 2)
    assert [item["prometheusId"] for page in walked for item in page] == ["c1", "c2", "c3", "c4", "c5"]
    run(
        api,
        "insert into erp.integration_inbox (tenant_id, provider, external_event_id, external_type, external_id,"
        " operation) values ('acme', 'quickbooks', 'e1', 'Invoice', '130', 'updated')",
    )
    [notice] = api.get("/api/integrations/inbox?status=Pending").json()["items"]
    assert (notice["externalEventId"], notice["externalId"]) == ("e1", "130")


def test_schemas_are_served_in_the_names_of_the_api(api: Api) -> None:
    schema = api.get("/api/schemas/Order", "SalesRep").json()
    assert {"customerId", "orderDate", "lines"} <= set(schema["properties"])
    assert api.get("/api/schemas/Invoice").status_code == 404
