"""The suite's PostgreSQL: one server for all processes, a template at the newest schema, and clones of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from erp_pipelines.server.errors import ServerError
from erp_pipelines.server.locks import held
from erp_pipelines.server.postgres import EmbeddedServer, running, wait_stopped
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database

ROOT = Path(__file__).resolve().parents[2]
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 2 * 2**30


def _place() -> Path:
    """In memory where there is enough of it: each test makes a database, which takes a disk half a second."""
    if given := os.environ.get("ERP_TEST_SERVER_DIR"):
        return Path(given)
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES:
        return MEMORY / f"erp-tests-{os.geteuid()}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
    return ROOT / ".pytest_cache" / "postgres"


SERVER_DIR = _place()
# Tests kill workers, not the machine: durability against a power cut would only cost time.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@contextmanager
def suite_server() -> Iterator[EmbeddedServer]:
    """The run's server; all processes share it, the last one to leave stops it, and gives its memory back."""
    with running(SERVER_DIR, databases=("erp",), options=FAST) as started:
        yield started
    if SERVER_DIR.is_relative_to(MEMORY):
        _give_back()


def _give_back() -> None:
    with suppress(ServerError):
        with held(SERVER_DIR / "users.lock", timeout=0):  # nobody else is there
            pass
        if wait_stopped(SERVER_DIR):
            with held(SERVER_DIR / "start.lock", timeout=0):
                shutil.rmtree(SERVER_DIR, ignore_errors=True)


def newest_schema(server: EmbeddedServer) -> str:
    """A database at the newest schema that nobody is connected to; made once for each state of the migrations."""
    scripts = sorted((ROOT / "erp_pipelines/storage/migrations").rglob("*.py"))
    name = "template_" + hashlib.sha256(b"".join(path.read_bytes() for path in scripts)).hexdigest()[:16]
    with held(SERVER_DIR / "template.lock", timeout=60):
        if not _exists(server, name):
            _make_template(server, name)
    return name


@contextmanager
def a_database(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a copy of `template`, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {name} template {template} owner erp").format(**names))
    yield server.url(name)
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {name} with (force)").format(**names))


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
