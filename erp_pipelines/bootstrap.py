"""The one place where the parts are put together. Called by the doors: command line, web app, Dagster, tests."""

from __future__ import annotations

import datetime as dt
import time

from erp_pipelines import channels, tracing
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors import registry
from erp_pipelines.connectors.http import Transport
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import SettingsInvalid
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.settings import Settings
from erp_pipelines.storage.engine import Database


class SystemClock:
    """The machine's time."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0))


def build_runtime(
    settings: Settings,
    *,
    database_url: str | None = None,
    transport: Transport | None = None,
    clock: Clock | None = None,
) -> Runtime:
    """A Runtime for these settings; opens no connection yet.

    `database_url` is for callers that have started an embedded server. Raises SettingsInvalid when there
    is neither that nor ERP_DATABASE_URL, or when the encryption keys are missing or malformed,
    or an alert channel's address cannot be used, or traces are wanted and cannot be made.
    """
    url = database_url or (settings.database_url.get_secret_value() if settings.database_url else None)
    if url is None:
        raise SettingsInvalid(
            "ERP_DATABASE_URL is not set.", mend="`erp up` and `erp demo` start a database of their own."
        )
    if settings.otel_endpoint:
        tracing.export_to(settings.otel_endpoint)
    return Runtime(
        db=Database.connect(url),
        cipher=Cipher.from_keys(settings.require_encryption_keys()),
        connectors=registry.connectors(
            quickbooks=settings.quickbooks(), netsuite=settings.netsuite(), transport=transport
        ),
        clock=clock or SystemClock(),
        public_url=settings.public_url.rstrip("/"),
        requests_per_minute={
            "quickbooks": settings.quickbooks_requests_per_minute,
            "netsuite": settings.netsuite_requests_per_minute,
        },
        batches_per_minute={"quickbooks": settings.quickbooks_batches_per_minute},
        pull_seconds={
            "quickbooks": settings.quickbooks_pull_seconds,
            "netsuite": settings.netsuite_pull_seconds,
        },
        dagster_url=settings.dagster_for_people(),
        keep=settings.keep(),
        channels=channels.from_urls(settings.alert_urls.get_secret_value()) if settings.alert_urls else (),
    )
