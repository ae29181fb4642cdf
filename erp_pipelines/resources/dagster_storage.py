"""Dagster's PostgreSQL storage with a pool. The one module that leans on dagster-postgres' private `_engine`.

Stock dagster-postgres opens a connection for every query, which costs more than the query. The public
fallback needs no code: in `dagster.yaml` write `storage: {postgres: {postgres_url: {env: ERP_DAGSTER_DATABASE_URL}}}`
(with the scheme `postgresql+psycopg2`). `VERSION` is what this was tried with; a test holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, get_token_provider_from_config, pg_url_from_config
from sqlalchemy.engine import make_url

from erp_pipelines.storage import keepalive

VERSION = "0.29.27"
KEPT_OPEN, AT_MOST = 1, 11  # connections of one storage in one process; there are three storages
RECYCLE_SECONDS = 300


class PooledPostgresStorage(DagsterPostgresStorage):
    """Behaves as its parent. Connections are tried before use, so a restarted PostgreSQL is no error."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PooledPostgresStorage:
        storage = cls(
            postgres_url=psycopg2_url(pg_url_from_config(config_value)),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )
        storage.use_pools()
        return storage

    def use_pools(self) -> None:
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = create_pg_engine(  # noqa: SLF001
                self.postgres_url,
                part._token_provider,  # noqa: SLF001
                isolation_level="AUTOCOMMIT",
                pool_size=KEPT_OPEN,
                max_overflow=AT_MOST - KEPT_OPEN,
                pool_recycle=RECYCLE_SECONDS,
                pool_pre_ping=True,
                connect_args=keepalive.connect_args(),
            )


def psycopg2_url(url: str) -> str:
    """The url with Dagster's driver spelt out; a bare `postgresql://` would mean psycopg 3, on which Dagster breaks."""
    return make_url(url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
