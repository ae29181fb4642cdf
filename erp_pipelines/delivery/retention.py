"""The end of what has been kept long enough, tenant by tenant, in short transactions: it runs beside everything."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.storage import retention
from erp_pipelines.storage.engine import Connection

CALLS, PAYLOADS, EVENTS, NOTICES, LOGS = (
    "calls scrubbed", "event payloads scrubbed", "events deleted", "notices deleted", "log entries deleted",
)  # fmt: skip


def retain(runtime: Runtime) -> Counter[str]:
    """Scrub and delete what `runtime.keep` no longer keeps, of every tenant; how many of each. Can be repeated."""
    with runtime.db.system() as conn:
        tenants = retention.tenants(conn)
    done: Counter[str] = Counter(dict.fromkeys((CALLS, PAYLOADS, EVENTS, NOTICES, LOGS), 0))
    for tenant_id in tenants:
        done.update(_retain(runtime, tenant_id))
    return done


def _retain(runtime: Runtime, tenant_id: str) -> Counter[str]:
    keep, now = runtime.keep, runtime.clock.now()

    def before(days: int) -> dt.datetime:
        return now - dt.timedelta(days=days)

    done = _Events(runtime, tenant_id, before(keep.payload_days), before(keep.event_days)).walk()
    done[LOGS] = _pages(runtime, tenant_id, retention.delete_logs, before(keep.log_days))
    done[CALLS] = _pages(runtime, tenant_id, retention.scrub_calls, before(keep.payload_days))
    done[NOTICES] = _pages(runtime, tenant_id, retention.delete_notices, before(keep.notice_days))
    return done


def _pages(
    runtime: Runtime, tenant_id: str, one_page: Callable[[Connection, str, dt.datetime], int], before: dt.datetime
) -> int:
    count, page = 0, retention.PAGE
    while page == retention.PAGE:
        with runtime.db.tenant(tenant_id) as conn:
            page = one_page(conn, tenant_id, before)
        count += page
    return count


class _Events:
    """A walk along a tenant's finished events, oldest first, up to those that are too young for anything."""

    def __init__(self, runtime: Runtime, tenant_id: str, scrub_before: dt.datetime, delete_before: dt.datetime) -> None:
        self._runtime, self._tenant_id = runtime, tenant_id
        self._scrub_before, self._delete_before = scrub_before, delete_before

    def walk(self) -> Counter[str]:
        done: Counter[str] = Counter()
        after: int | None = 0
        while after is not None:
            with self._runtime.db.tenant(self._tenant_id) as conn:
                after = self._page(conn, after, done)
        return done

    def _page(self, conn: Connection, after: int, done: Counter[str]) -> int | None:
        """The last event of the page; None when no later one can be due."""
        page = retention.finished(conn, self._tenant_id, after=after)
        old = [event for event in page if event.done_with and event.ended_at < self._delete_before]
        due = [event for event in page if event.done_with and event.ended_at < self._scrub_before]
        done[EVENTS] += retention.delete_events(conn, [event.id for event in old])
        done[PAYLOADS] += retention.scrub_events(
            conn, [event.id for event in due if event.has_payload and event not in old]
        )
        youngest = max(self._scrub_before, self._delete_before)
        return page[-1].seq if len(page) == retention.PAGE and page[-1].created_at < youngest else None
