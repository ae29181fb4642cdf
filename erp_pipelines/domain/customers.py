"""The canonical customer."""

from __future__ import annotations

from erp_pipelines.domain.records import Address, Currency, Record, RecordId, Text


class Customer(Record):
    """A business that buys. `terms` are payment terms by name, such as "Net 30"."""

    id: RecordId
    name: RecordId
    email: Text | None = None
    phone: Text | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    currency: Currency = "USD"
    terms: Text | None = None
    tax_exempt: bool = False
    active: bool = True
    notes: Text | None = None
