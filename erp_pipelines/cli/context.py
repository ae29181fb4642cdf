"""What a command works with: the settings, a database at the newest schema, a runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.domain.errors import Conflict
from erp_pipelines.server import postgres
from erp_pipelines.settings import Settings
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """ERP_DATABASE_URL, or the embedded server of the data directory, for as long as the block runs."""
    if settings.database_url:
        yield settings.database_url.get_secret_value()
        return
    with postgres.running(settings.data_dir) as server:
        yield server.url("erp")


@contextmanager
def database(settings: Settings | None = None) -> Iterator[Database]:
    """An open database at the newest schema, or at that of a newer release.

    An embedded one is brought there; somebody else's server is not touched unasked: Conflict says to run
    `erp migrate`. Raises DatabaseDown.
    """
    settings = settings or Settings.from_env()
    with database_url(settings) as url:
        opened = Database.connect(url)
        try:
            _check_schema(opened, ours=settings.database_url is None)
            yield opened
        finally:
            opened.dispose()


def _check_schema(opened: Database, *, ours: bool) -> None:
    at = migrations.current(opened)
    if migrations.serves(at):
        return
    if not ours:
        raise Conflict(
            f"The database is at schema {at or 'none'}, this program needs {migrations.head()}.",
            mend="Run `erp migrate`.",
        )
    migrations.upgrade(opened)


@contextmanager
def runtime() -> Iterator[Runtime]:
    """A runtime on the settings of the environment."""
    settings = Settings.from_env()
    settings.require_encryption_keys()
    with database(settings) as opened:
        parts = build_runtime(settings, database_url=opened.url)
        try:
            yield parts
        finally:
            parts.db.dispose()
