"""One PostgreSQL for the whole run, one migrated template, a clone for each test that asks."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest
import structlog

from erp_pipelines.server.postgres import EmbeddedServer
from erp_pipelines.storage.engine import Database
from tests.support.clock import FakeClock
from tests.support.postgres import a_database, newest_schema, suite_server

# A script that starts the suite in the background has Ctrl-C ignored, and every process started here would inherit that.
with contextlib.suppress(ValueError):  # not the main thread
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As the product logs, without every local variable in colours: one such traceback takes seconds.
structlog.configure(processors=[
    *structlog.get_config()["processors"][:-1],
    structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
])  # fmt: skip


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Whatever a test sets up for the lines of the log ends with it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    with suite_server() as started:
        yield started


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    return newest_schema(server)


@pytest.fixture
def database_url(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a fresh database at the newest schema, dropped afterwards."""
    with a_database(server, template) as url:
        yield url


@pytest.fixture
def empty_database_url(server: EmbeddedServer) -> Iterator[str]:
    """The URL of a database without any schema."""
    with a_database(server, "template1") as url:
        yield url


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
