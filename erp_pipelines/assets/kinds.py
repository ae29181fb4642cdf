"""Which asset tells of which kind of record. Names and nothing else."""

from __future__ import annotations

import dagster as dg

from erp_pipelines.delivery.reports import NOTICES, PULLED
from erp_pipelines.domain.events import EntityType

PRODUCTS = dg.AssetKey("products_in_erp")
CUSTOMERS = dg.AssetKey("customers_in_erp")
ORDERS = dg.AssetKey("orders_in_erp")
PAYMENTS = dg.AssetKey("payments_from_erp")
CHANGES = dg.AssetKey("changes_from_erp")

# The host's own payments and refunds stand on or beside the order's document, so they belong to the orders.
ASSET_OF = {
    EntityType.PRODUCT.value: PRODUCTS,
    EntityType.CUSTOMER.value: CUSTOMERS,
    EntityType.ORDER.value: ORDERS,
    EntityType.PAYMENT.value: ORDERS,
    EntityType.REFUND.value: ORDERS,
    NOTICES: PAYMENTS,
    PULLED: CHANGES,
}
# What somebody may ask a bulk sync for, by the words of the command line.
ENTITIES = {
    "products": EntityType.PRODUCT.value,
    "customers": EntityType.CUSTOMER.value,
    "orders": EntityType.ORDER.value,
}


def entity_types_of(asset: dg.AssetKey) -> frozenset[str]:
    return frozenset(name for name, key in ASSET_OF.items() if key == asset)
