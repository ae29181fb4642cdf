"""The canonical product."""

from __future__ import annotations

from typing import Literal

from erp_pipelines.domain.records import Amount, Record, RecordId, Text

ProductKind = Literal["inventory", "noninventory", "service"]


class Product(Record):
    """A thing or service that is sold. `unit_price` is the list price; an order line may charge another."""

    id: RecordId
    sku: Text | None = None
    name: RecordId
    description: Text | None = None
    unit_price: Amount | None = None
    kind: ProductKind = "noninventory"
    taxable: bool = True
    active: bool = True
