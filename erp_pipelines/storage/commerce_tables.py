"""The shop's own tables: customers, products, orders, payments and refunds, as the canonical records have them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from erp_pipelines.domain.orders import OrderStatus
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.storage.tables import FALSE, NOW, SCHEMA, TRUE, ZERO, metadata, when


def amount(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Numeric(20, 5), **options)


def rate(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Numeric(12, 8))


def key() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Ids are the host's own, so they are unique within a tenant only."""
    tenant = sa.Column("tenant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.tenants.id"), primary_key=True)
    return tenant, sa.Column("id", sa.String(100), primary_key=True)


def audit() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return when("created_at", nullable=False, server_default=NOW), when(
        "modified_at", nullable=False, server_default=NOW
    )


customers = sa.Table(
    "customers",
    metadata,
    *key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("billing_address", JSONB(none_as_null=True)),
    sa.Column("shipping_address", JSONB(none_as_null=True)),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("terms", sa.Text),
    sa.Column("tax_exempt", sa.Boolean, nullable=False, server_default=FALSE),
    sa.Column("active", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("notes", sa.Text),
    *audit(),
)

products = sa.Table(
    "products",
    metadata,
    *key(),
    sa.Column("sku", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    amount("unit_price"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("taxable", sa.Boolean, nullable=False, server_default=TRUE),
    sa.Column("active", sa.Boolean, nullable=False, server_default=TRUE),
    *audit(),
)


def one_of(column: str, values: type[OrderStatus | PaymentStatus]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=column)


orders = sa.Table(
    "orders",
    metadata,
    *key(),
    sa.Column("number", sa.String(100), nullable=False),
    sa.Column("customer_id", sa.String(100), nullable=False),
    sa.Column("order_date", sa.Date, nullable=False),
    sa.Column("due_date", sa.Date),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("exchange_rate", sa.Numeric(24, 12)),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("payment_status", sa.Text, nullable=False),
    amount("shipping_amount", nullable=False, server_default=ZERO),
    sa.Column("shipping_method", sa.Text),
    amount("shipping_tax"),
    rate("shipping_tax_rate"),
    amount("order_discount", nullable=False, server_default=ZERO),
    sa.Column("prices_include_tax", sa.Boolean),
    amount("tax_total", nullable=False, server_default=ZERO),
    amount("total", nullable=False),
    sa.Column("po_number", sa.Text),
    sa.Column("memo", sa.Text),
    sa.Column("ship_to", JSONB(none_as_null=True)),
    *audit(),
    sa.ForeignKeyConstraint(["tenant_id", "customer_id"], [f"{SCHEMA}.customers.tenant_id", f"{SCHEMA}.customers.id"]),
    one_of("status", OrderStatus),
    one_of("payment_status", PaymentStatus),
    sa.UniqueConstraint("tenant_id", "number"),  # a number names one order, on paper too
    sa.Index(None, "tenant_id", "customer_id"),
    sa.Index(None, "tenant_id", "order_date", "id"),
)

order_lines = sa.Table(
    "order_lines",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("order_id", sa.String(100), primary_key=True),
    sa.Column("line_no", sa.Integer, primary_key=True),
    sa.Column("product_id", sa.String(100), nullable=False),
    sa.Column("description", sa.Text),
    amount("quantity", nullable=False),
    amount("unit_price", nullable=False),
    amount("discount"),
    rate("discount_rate"),
    amount("tax"),
    rate("tax_rate"),
    amount("amount", nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("sales_class", sa.Text),
    sa.ForeignKeyConstraint(
        ["tenant_id", "order_id"], [f"{SCHEMA}.orders.tenant_id", f"{SCHEMA}.orders.id"], ondelete="CASCADE"
    ),
    sa.ForeignKeyConstraint(
        ["tenant_id", "product_id"],
        [f"{SCHEMA}.products.tenant_id", f"{SCHEMA}.products.id"],
        name="fk_order_lines_product",
    ),
)

payments = sa.Table(
    "payments",
    metadata,
    *key(),
    sa.Column("order_id", sa.String(100), nullable=False),
    amount("amount", nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("method", sa.Text),
    sa.Column("reference", sa.Text),
    sa.Column("exchange_rate", sa.Numeric(24, 12)),
    # 'host', or the provider in whose books it was recorded first: such a one is never pushed back there.
    sa.Column("source", sa.Text, nullable=False, server_default="host"),
    *audit(),
    sa.ForeignKeyConstraint(["tenant_id", "order_id"], [f"{SCHEMA}.orders.tenant_id", f"{SCHEMA}.orders.id"]),
    sa.Index(None, "tenant_id", "order_id"),
)

# What of a payment over several orders is for which; a payment for one order has none.
payment_allocations = sa.Table(
    "payment_allocations",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("payment_id", sa.String(100), primary_key=True),
    sa.Column("order_id", sa.String(100), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    amount("amount", nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "payment_id"], [f"{SCHEMA}.payments.tenant_id", f"{SCHEMA}.payments.id"], ondelete="CASCADE"
    ),
    sa.ForeignKeyConstraint(["tenant_id", "order_id"], [f"{SCHEMA}.orders.tenant_id", f"{SCHEMA}.orders.id"]),
    sa.Index(None, "tenant_id", "order_id"),
)

refunds = sa.Table(
    "refunds",
    metadata,
    *key(),
    sa.Column("order_id", sa.String(100), nullable=False),
    amount("amount", nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("record", JSONB(none_as_null=True), nullable=False),  # the canonical record, whole: it never changes
    when("created_at", nullable=False, server_default=NOW),
    sa.ForeignKeyConstraint(["tenant_id", "order_id"], [f"{SCHEMA}.orders.tenant_id", f"{SCHEMA}.orders.id"]),
    sa.Index(None, "tenant_id", "order_id"),
)
