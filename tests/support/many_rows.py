"""Tables filled by SQL, as a busy tenant fills them, and how PostgreSQL answers a question about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from erp_pipelines.storage.engine import Connection, Database
from tests.support.toy import KEY, connect

NOW = "timestamptz '2026-11-01'"
OTHERS = 5  # tenants with a hundredth each, so that the tenant is no filter that passes everything
# One of two thousand failed entries is of NetSuite; pulls bring a tenth; a year of them.
LOGS = f"""
insert into erp.integration_sync_logs
  (tenant_id, provider, entity_type, entity_id, external_id, direction, status, outcome, error_message, cause, started_at, completed_at,
   attempt, actor)
select :tenant, case when n % 2000 = 7 then 'netsuite' else 'quickbooks' end,
  (array['Order', 'Order', 'Order', 'Customer', 'Payment'])[1 + n % 5], 'e' || n % 50000, n::text,
  case when n % 10 = 3 then 'FromExternal' else 'ToExternal' end,
  case when n % 100 = 17 then 'Failed' when n % 100 = 18 then 'Skipped' when n % 5000 = 19 then 'Pending' else 'Completed' end,
  'Created', case when n % 100 = 17 then 'The period is closed.' end, case when n % 100 = 17 then 'closed-period' end,
  {NOW} - interval '365 days' * (n::float8 / :count), {NOW} - interval '365 days' * (n::float8 / :count) + interval '1 second', 1, 'worker host:1:2:abcdef'
from generate_series(cast(:first as int), cast(:last as int)) n
"""
QUEUE = f"""
with event as (
  insert into erp.integration_outbox (tenant_id, event_type, entity_type, entity_id, payload, status, created_at, processed_at)
  select :tenant, 'OrderUpdated', 'Order', 'e' || n % 50000, '{{"id": "x"}}',
    case when n % 1000 = 7 then 'Abandoned' when n % 1000 = 8 then 'Failed' else 'Completed' end, {NOW},
    case when n % 1000 <> 8 then {NOW} end
  from generate_series(cast(:first as int), cast(:last as int)) n returning id, seq, tenant_id, entity_id, status
)
insert into erp.integration_deliveries (outbox_id, seq, tenant_id, provider, connection_id, entity_type, entity_id, ordering_key, status,
  outcome, cause, created_at, processed_at)
select e.id, e.seq, e.tenant_id, c.provider, c.id, 'Order', e.entity_id, 'Order:' || e.entity_id, e.status,
  case when e.status = 'Completed' then 'Created' end, case when e.status <> 'Completed' then 'closed-period' end, {NOW},
  case when e.status <> 'Failed' then {NOW} end
from event e join erp.integration_connections c on c.tenant_id = e.tenant_id
"""
INBOX = f"""
insert into erp.integration_inbox (tenant_id, provider, external_event_id, external_type, external_id, operation, status, received_at,
  processed_at)
select :tenant, 'toy', 'n' || n, 'Invoice', 'i' || n % 50000, 'Update',
  case when n % 1000 = 7 then 'Failed' when n % 3 = 0 then 'Skipped' else 'Completed' end, {NOW}, case when n % 1000 <> 7 then {NOW} end
from generate_series(cast(:first as int), cast(:last as int)) n
"""
MAPPINGS = """
insert into erp.integration_entity_mappings (tenant_id, provider, entity_type, prometheus_id, external_id, external_type, external_number)
select :tenant, 'toy', 'Order', 'e' || n, n::text, 'Invoice', 'INV-' || n from generate_series(cast(:first as int), cast(:last as int)) n
"""
FILLED = (LOGS, QUEUE, INBOX, MAPPINGS)
TABLES = ("sync_logs", "outbox", "deliveries", "inbox", "entity_mappings")


AT_ONCE = 500_000
INDEXES = """
select c.relname, pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indrelid = any(cast(:tables as regclass[])) and not i.indisunique
"""


def fill(database: Database, count: int) -> None:
    """So many rows of each list for the tenant `acme`, a hundredth of it for others, vacuumed and analysed."""
    with _indexed_afterwards(database):
        for number in range(OTHERS + 1):
            tenant = KEY.tenant_id if number == 0 else f"other{number}"
            connect(database, KEY if number == 0 else type(KEY)(tenant, "toy"), f"company-{number}")
            _fill(database, tenant, count if number == 0 else max(count // 100, 1))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text("set statement_timeout = 0"))
        conn.execute(sa.text(f"vacuum analyze {', '.join(f'erp.integration_{table}' for table in TABLES)}"))


def _fill(database: Database, tenant: str, count: int) -> None:
    for statement in FILLED:
        for first in range(1, count + 1, AT_ONCE):
            with database.tenant(tenant) as conn:
                conn.execute(sa.text("set local statement_timeout = 0"))
                last = min(first + AT_ONCE - 1, count)
                conn.execute(sa.text(statement), {"tenant": tenant, "count": count, "first": first, "last": last})


@contextmanager
def _indexed_afterwards(database: Database) -> Iterator[None]:
    """An index is made much quicker from all of its rows than row by row."""
    with database.system() as conn:
        tables = [f"erp.integration_{table}" for table in TABLES]
        indexes = [tuple(row) for row in conn.execute(sa.text(INDEXES), {"tables": tables})]
        for name, _ in indexes:
            conn.execute(sa.text(f"drop index erp.{name}"))
    yield
    with database.system() as conn:
        conn.execute(sa.text("set local statement_timeout = 0"))
        for _, definition in indexes:
            conn.exec_driver_sql(definition)


@dataclass(frozen=True)
class Plan:
    """How a statement is executed: kinds of its nodes, and the indexes that it reads; where it was executed, 8 kB pages it read."""

    nodes: tuple[str, ...]
    indexes: tuple[str, ...]
    pages: int = 0

    @property
    def reads_whole_table(self) -> bool:
        return "Seq Scan" in self.nodes


def plans(conn: Connection, ask: Callable[[Connection], Any], *, execute: bool = False) -> list[Plan]:
    """The plans of all that `ask` asks; scopes are set before. `execute` counts pages, and is for statements that only read."""
    with _heard(conn) as statements:
        ask(conn)
    return [_plan(conn, statement, values, execute=execute) for statement, values in statements]


@contextmanager
def _heard(conn: Connection) -> Iterator[list[tuple[str, Any]]]:
    heard: list[tuple[str, Any]] = []

    def hear(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        heard.append((statement, values))

    sa.event.listen(conn, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        sa.event.remove(conn, "before_cursor_execute", hear)


def _plan(conn: Connection, statement: str, values: Any, *, execute: bool) -> Plan:
    how = "analyze, buffers, format json" if execute else "format json"
    [[found]] = conn.exec_driver_sql(f"explain ({how}) {statement}", values).all()
    nodes = list(_nodes(found[0]["Plan"]))
    indexes = {node["Index Name"] for node in nodes if "Index Name" in node}
    pages = sum(nodes[0].get(f"Shared {how} Blocks", 0) for how in ("Hit", "Read"))
    return Plan(tuple(node["Node Type"] for node in nodes), tuple(sorted(indexes)), pages)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)
