"""The alerts of all tenants, for the channels that carry them."""

from __future__ import annotations

import datetime as dt

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.storage import alerts
from erp_pipelines.storage.alerts import Alert

__all__ = ["Alert", "since"]


def since(runtime: Runtime, created_after: dt.datetime, limit: int = 100) -> list[Alert]:
    """Alerts raised after a moment, oldest first."""
    with runtime.db.system() as conn:
        return alerts.since(conn, created_after, limit)
