"""One PostgreSQL for the whole run, one migrated template, a clone for each test that asks."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from erp_pipelines.server.locks import held
from erp_pipelines.server.postgres import EmbeddedServer, running
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.support.clock import FakeClock

ROOT = Path(__file__).resolve().parents[1]
SERVER_DIR = ROOT / ".pytest_cache" / "postgres"
# Tests kill workers, not the machine: durability against a power cut would only cost time.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


# A script that starts the suite in the background has Ctrl-C ignored, and every process started here would inherit that.
with contextlib.suppress(ValueError):  # not the main thread
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The run's server; all workers share it, the last one to leave stops it."""
    with running(SERVER_DIR, databases=("erp",), options=FAST) as started:
        yield started


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """A database at the newest schema that nobody is connected to; made once for each state of the migrations."""
    scripts = sorted((ROOT / "erp_pipelines/storage/migrations").rglob("*.py"))
    name = "template_" + hashlib.sha256(b"".join(path.read_bytes() for path in scripts)).hexdigest()[:16]
    with held(SERVER_DIR / "template.lock", timeout=60):
        if not _exists(server, name):
            _make_template(server, name)
    return name


def _exists(server: EmbeddedServer, name: str) -> bool:
    with psycopg.connect(server.admin_url()) as admin:
        return admin.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None


def _make_template(server: EmbeddedServer, name: str) -> None:
    """Migrated under another name first: a template of this name is always whole."""
    draft = f"draft_{uuid.uuid4().hex}"
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} owner erp").format(sql.Identifier(draft)))
        database = Database.connect(server.url(draft))
        migrations.upgrade(database)
        database.dispose()
        admin.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(draft), sql.Identifier(name)))


@pytest.fixture
def database_url(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a fresh database at the newest schema, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {name} template {template} owner erp").format(**names))
    yield server.url(name)
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {name} with (force)").format(**names))


@pytest.fixture
def empty_database_url(server: EmbeddedServer) -> Iterator[str]:
    """The URL of a database without any schema."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} owner erp").format(sql.Identifier(name)))
    yield server.url(name)
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database at the newest schema."""
    opened = Database.connect(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only the test moves; sleeping moves it too."""
    return FakeClock()
