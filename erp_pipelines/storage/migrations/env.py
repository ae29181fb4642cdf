"""Alembic's entry: runs on the connection and in the transaction that `migrations._migrate` holds."""

from alembic import context

from erp_pipelines.storage import commerce_tables, console_tables  # noqa: F401  register their tables
from erp_pipelines.storage.tables import SCHEMA, metadata


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Only the product's schema is compared; a host may keep its own tables beside it."""
    return name == SCHEMA if kind == "schema" else True


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=ours,
    compare_server_default=True,
)
context.run_migrations()
