"""Examples of the API's bodies, by the name of their schema. Each is checked against it by a test."""

from __future__ import annotations

from typing import Any

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
AT, LATER = "2026-03-02T09:00:00Z", "2026-03-02T09:00:02Z"
ADDRESS = {
    "name": "Corner Shop", "line1": "12 Quay Street", "line2": None, "city": "Portland", "region": "OR",
    "postalCode": "97201", "country": "US",
}  # fmt: skip
WHY = {
    "cause": "inactive", "mend": "Make the item active again in the ERP, then retry.", "owner": "bookkeeper",
    "retriable": False,
}  # fmt: skip
SETTINGS = {
    "autoSyncEnabled": True, "syncCustomers": True, "syncProducts": True, "syncInvoices": True, "syncPayments": True,
    "documentsWhen": "paid", "startDate": "2026-01-01", "incomeAccountId": "79", "depositAccountId": None, "discountAccountId": None,
    "shippingItemId": None, "taxCodeId": None, "exemptTaxCodeId": None, "providerSettings": None,
}  # fmt: skip
LOG = {
    "id": ID, "provider": "quickbooks", "entityType": "Order", "entityId": "1001", "externalId": None,
    "direction": "ToExternal", "status": "Failed", "outcome": "Abandon", "errorMessage": "The item is inactive.",
    **WHY, "erpCode": "610", "catalogue": "2026-11-23", "inDoubt": False, "startedAt": AT, "completedAt": LATER,
    "retryCount": 0, "attempt": 1, "erpRequestId": "1-65f0a1b2-3c4d", "actor": "worker host:17", "correlationId": None, "settingsVersion": 3,
}  # fmt: skip
PROVIDER_SYNC = {
    "provider": "quickbooks", "displayName": "QuickBooks", "state": "synced", "badge": "Synced to QuickBooks",
    "documentNumber": "1001", "documentUrl": "https://qbo.intuit.com/app/invoice?txnId=130", "lastSyncedAt": LATER,
    "inDoubt": False, "nextAttemptAt": None, "error": None, "cause": None, "mend": None, "owner": None,
    "retriable": None,
}  # fmt: skip
FAULT = {
    "code": "610", "title": "Made inactive in the ERP", "meaning": "Object not found or inactive",
    "treatment": "rejected", "source": "https://developer.intuit.com/", **WHY,
}  # fmt: skip
CAUSE = {"title": "Made inactive in the ERP", **WHY}
UNKNOWN_FAULT = {
    "provider": "quickbooks", "code": "7777", "count": 3, "firstSeen": AT, "lastSeen": LATER, "message": "Something odd.",
}  # fmt: skip
GROUP = {
    "provider": "quickbooks", "title": "Made inactive in the ERP", "erpCode": "610", "count": 2, "inDoubt": 0, "oldest": AT,
    "message": "The item is inactive.", "records": [{"entityType": "Order", "entityId": "1001"}], **WHY,
}  # fmt: skip

EXAMPLES: dict[str, Any] = {
    "BudgetOut": {
        "provider": "quickbooks", "month": "2026-03-01", "reads": 1200, "writes": 400, "forecastReads": 36000,
        "readsPerMonth": 40000, "spent": False,
    },
    "CheckOut": {
        "total": 200, "toSend": 120, "unchanged": 78, "skipped": 2, "failing": 1,
        "problems": [{
            "cause": "inactive", "owner": "bookkeeper", "message": "The item is inactive.", "mend": "Activate it.",
            "erpCode": "610", "entityType": "Product", "count": 1, "entityIds": ["p1"],
        }],
    },
    "DecisionIn": {"entityType": "Customer", "entityId": "c1", "externalId": None},
    "DriftOut": {
        "entityType": "Customer", "entityId": "c1", "externalId": "77", "field": "email", "ours": "books@corner.example",
        "theirs": "owner@corner.example", "seenAt": AT,
    },
    "InboundOut": {
        "provider": "quickbooks", "lastPullAt": AT, "lastPullError": None, "missedNotices": 0, "driftingRecords": 1,
    },
    "ValidatedOut": {"valid": True, "companyName": "Harbor Foods Ltd", "said": "It answers.", "reasons": []},
    "AuthorizeUrl": {"url": "https://appcenter.intuit.com/connect/oauth2?client_id=...&state=..."},
    "CatalogueOut": {
        "version": "2026-11-23",
        "causes": [CAUSE],
        "providers": [
            {"provider": "quickbooks", "version": "2026-11-23", "unknown": FAULT, "faults": [FAULT], "refresh": [],
             "consent": []}
        ],
    },
    "ConnectionOut": {
        "provider": "quickbooks", "displayName": "QuickBooks", "isConnected": True, "state": "Connected",
        "stateReason": None, "companyId": "9130350000000001", "companyName": "Harbor Foods Ltd", "environment": "sandbox",
        "lastSyncAt": LATER, "lastSyncError": None, "pausedUntil": None, "connectedBy": "ann",
        "reconnectBefore": "2026-06-10T09:00:00Z", "refreshTokenExpiresAt": "2026-06-10T09:00:00Z",
        "credentialEndsAt": None, "warnings": [], "autoSyncEnabled": True, "settings": SETTINGS,
    },
    "Customer": {
        "id": "c1", "name": "Corner Shop", "email": "books@corner.example", "phone": "+1 503 555 0100",
        "billingAddress": ADDRESS, "shippingAddress": ADDRESS, "currency": "USD", "taxExempt": False, "active": True,
    },
    "CustomerSync": {"customerId": "c1", "providers": [PROVIDER_SYNC | {"documentNumber": None, "documentUrl": None}]},
    "DisconnectedOut": {"provider": "quickbooks", "state": "Not Connected", "revokedAtProvider": True, "note": ""},
    "ErrorsOut": {"groups": [GROUP], "count": 2, "inDoubt": 0, "unknownFaults": [UNKNOWN_FAULT]},
    "InboxOut": {
        "id": ID, "provider": "quickbooks", "externalEventId": "88cd52aa-33b6-4351-9aa4-47572edbd068",
        "externalType": "Payment", "externalId": "141", "operation": "created", "status": "Completed",
        "occurredAt": AT, "receivedAt": AT, "processedAt": LATER, "attempts": 1, "lastError": None,
    },
    "LogDetailOut": LOG | {
        "documentUrl": None, "deliveryId": ID, "deliveryStatus": "Abandoned", "outboxId": ID, "eventType": "OrderPaid",
        "payload": {"id": "1001", "number": "1001"}, "requestPayload": None, "responsePayload": None,
        "runId": ID, "runUrl": f"http://localhost:3000/runs/{ID}",
    },
    "LogOut": LOG,
    "MappingOut": {
        "id": ID, "provider": "quickbooks", "entityType": "Order", "prometheusId": "1001", "externalId": "130",
        "externalType": "Invoice", "externalNumber": "1001",
        "documentUrl": "https://qbo.intuit.com/app/invoice?txnId=130", "lastSyncAt": LATER,
    },
    "Order": {
        "id": "1001", "number": "1001", "customerId": "c1", "orderDate": "2026-03-02", "currency": "USD",
        "lines": [
            {"product": "p1", "description": "Green tea", "quantity": "2", "unitPrice": "12.50", "amount": "25.00"}
        ],
        "shipping": {"amount": "5.00", "method": "Courier"}, "total": "30.00", "shipTo": ADDRESS,
    },
    "OrderSync": {"orderId": "1001", "paymentStatus": "paid", "providers": [PROVIDER_SYNC]},
    "OutboxOut": {
        "id": ID, "eventType": "OrderPaid", "entityType": "Order", "entityId": "1001", "status": "Abandoned",
        "targetSystem": None, "createdAt": AT, "processedAt": LATER, "scheduledFor": None, "retryCount": 0,
        "maxRetries": 5, "lastError": "The item is inactive.", "inDoubt": False, **WHY,
    },
    "PaidOut": {"orderId": "1001", "paymentStatus": "paid", "paymentId": "1001-1", "changed": True},
    "PayIn": {"amount": "30.00", "date": "2026-03-02", "method": "card", "reference": "ch_1001", "paymentId": "m1"},
    "AllocationIn": {"orderId": "1001", "amount": "30.00"},
    "OrderPaid": {"orderId": "1001", "amount": "30.00", "paymentStatus": "paid"},
    "PaymentIn": {
        "allocations": [{"orderId": "1001", "amount": "30.00"}, {"orderId": "1002"}], "amount": "75.00",
        "date": "2026-03-02", "method": "transfer", "reference": "statement 9", "paymentId": "m2",
    },
    "PaymentOut": {
        "paymentId": "m2", "amount": "75.00", "unallocated": "0.00", "changed": True,
        "orders": [
            {"orderId": "1001", "amount": "30.00", "paymentStatus": "paid"},
            {"orderId": "1002", "amount": "45.00", "paymentStatus": "paid"},
        ],
    },
    "Problem": {
        "type": "urn:erp-pipelines:problem:not-found", "title": "Not Found", "status": 404,
        "detail": "There is no order '1001'.", "code": "not-found", "instance": "/api/orders/1001/sync-status",
        "requestId": "9c1f0d9c8c2e4c6f9a2d6f0b7e3a1c55",
    },
    "Product": {
        "id": "p1", "sku": "TEA-1", "name": "Green tea", "unitPrice": "12.50", "kind": "noninventory", "taxable": True,
        "active": True,
    },
    "QuestionOut": {
        "entityType": "Customer", "entityId": "c1", "name": "Corner Books",
        "candidates": [{"id": "77", "name": "Corner Books Ltd", "reason": "similar", "likeness": 0.9}],
        "askedAt": AT, "decidedAt": LATER, "decidedBy": "ann", "externalId": "77",
    },
    "ReceivedOut": {"new": 1, "duplicates": 0, "unknown": 0},
    "RefundIn": {
        "amount": "12.50", "lines": [{"line": 1, "quantity": "1"}], "shipping": False, "date": "2026-03-05",
        "method": "card", "reference": "re_1001", "reason": "damaged", "refundId": "r1",
    },
    "RefundedOut": {
        "orderId": "1001", "paymentStatus": "partiallyPaid", "refundId": "r1", "amount": "12.50", "changed": True,
    },
    "Retried": {"retried": 2},
    "RunOut": {
        "customers": {"bound": 200, "asked": 60, "new": 40}, "products": {"bound": 80, "asked": 2, "new": 0},
    },
    "RetryIn": {"cause": "inactive", "note": "The items are active again."},
    "RetryRequestOut": {
        "id": ID, "provider": "quickbooks", "cause": "inactive", "entityType": None, "entityId": None,
        "note": "The items are active again.", "state": "open", "requestedBy": "max", "createdAt": AT, "decidedBy": None,
        "decidedAt": None, "retried": None,
    },
    "SavedOut": {"id": "1001", "created": True, "changed": True, "eventId": ID},
    "SettingsChange": {"documentsWhen": "confirmed", "incomeAccountId": "79"},
    "SyncIn": {"entityType": "Order", "entityIds": ["1001", "1002"]},
    "SyncOut": {
        "syncId": ID, "total": 200, "totalProcessed": 100, "successful": 90, "failed": 2, "skipped": 8, "percent": 50.0,
        "errors": ["Order 1001: The item is inactive."], "finished": False, "cancelled": False,
    },
}  # fmt: skip
