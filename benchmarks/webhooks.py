"""Webhook intake beside its floor: the same server, driver and PostgreSQL with durable defaults, and one insert instead of all the rest.

Ours reads the body within bounds, checks the signature, routes by company, stores each notice once and tells the waiting
workers. The floor is a FastAPI route that inserts the body. One uvicorn process each; the sides take turns under the same
number of clients, each of which waits for its answer before it sends the next delivery. One delivery in ten is a repeat.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.security import logs
from erp_pipelines.server import postgres
from erp_pipelines.settings import Settings
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database
from tests.support.ports import free_ports
from tests.support.toy import connect
from webhook_api.auth import AuthConfig
from webhook_api.limits import Pace
from webhook_api.main import create_app

TURNS, REQUESTS, CLIENTS, COMPANIES, REPEATED = 5, 4000, 24, 20, 10
VERIFIER = "verifier"
OURS, FLOOR = "ours", "floor"
PATHS = {OURS: "/api/integrations/quickbooks/webhook", FLOOR: "/"}
PLAIN = "create table plain (id bigint generated always as identity primary key, body text not null)"
START_SECONDS = 60


def run(turns: int = TURNS, requests: int = REQUESTS) -> dict[str, Any]:
    """Ratios first; medians of the turns, latencies in milliseconds."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder), databases=("erp",)) as server,
    ):
        url = server.url("erp")
        _prepare(url)
        ports = dict(zip((OURS, FLOOR), free_ports(2), strict=True))
        with _served(url, ports):
            taken = [_turn(ports, turn, requests) for turn in range(turns + 1)]
        stored = _stored(url)
    _check(stored, (turns + 1) * requests)
    return _figures(taken[1:], turns, requests)  # the first one warms up


def _check(stored: int, sent: int) -> None:
    """Every notice once: the repeats are in no table."""
    wanted = sent - sent // REPEATED
    if stored != wanted:
        raise RuntimeError(f"{stored} notices are stored, {wanted} were sent.")


def _figures(taken: list[dict[str, Turn]], turns: int, requests: int) -> dict[str, Any]:
    middle = {
        side: (
            statistics.median(turn[side].rate for turn in taken),
            statistics.median(turn[side].at(0.5) for turn in taken),
            statistics.median(turn[side].at(0.99) for turn in taken),
        )
        for side in (OURS, FLOOR)
    }
    found: dict[str, Any] = {
        "deliveries a second, ours / floor": round(middle[OURS][0] / middle[FLOOR][0], 2),
        "p99, ours / floor": round(middle[OURS][2] / middle[FLOOR][2], 2),
    }
    for side, (rate, half, most) in middle.items():
        found[f"{side}: deliveries a second; p50, p99 (ms)"] = f"{rate:.0f}; {1000 * half:.1f}, {1000 * most:.1f}"
    return found | {"turns, deliveries of each turn, clients": f"{turns}, {requests}, {CLIENTS}"}


@dataclass(frozen=True)
class Turn:
    seconds: float
    delays: list[float]

    @property
    def rate(self) -> float:
        return len(self.delays) / self.seconds

    def at(self, share: float) -> float:
        return sorted(self.delays)[int(len(self.delays) * share) - 1]


def _turn(ports: dict[str, int], turn: int, requests: int) -> dict[str, Turn]:
    numbers = range(turn * requests, (turn + 1) * requests)
    # A repeat follows at once, and so meets a notice that is stored or on its way.
    bodies = [_body(number - 1 if number % REPEATED == REPEATED - 1 else number) for number in numbers]
    messages = {side: [_message(side, body) for body in bodies] for side in PATHS}
    return {side: asyncio.run(_sent(ports[side], messages[side])) for side in PATHS}


def _body(number: int) -> bytes:
    notice = {
        "specversion": "1.0", "id": f"e-{number}", "source": "intuit.made-up=", "type": "qbo.invoice.updated.v1",
        "time": "2026-01-08T20:52:31Z", "intuitentityid": str(number), "intuitaccountid": _company(number), "data": {},
    }  # fmt: skip
    return json.dumps([notice]).encode()


def _company(number: int) -> str:
    return f"company-{number % COMPANIES}"


def _message(side: str, body: bytes) -> bytes:
    signature = base64.b64encode(hmac.new(VERIFIER.encode(), body, hashlib.sha256).digest()).decode()
    head = (
        f"POST {PATHS[side]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"intuit-signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _sent(port: int, messages: list[bytes]) -> Turn:
    waiting, delays = iter(messages), list[float]()
    began = time.perf_counter()
    await asyncio.gather(*(_client(port, waiting, delays) for _ in range(CLIENTS)))
    return Turn(time.perf_counter() - began, delays)


async def _client(port: int, waiting: Iterator[bytes], delays: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in waiting:
        began = time.perf_counter()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"A delivery was answered with {head[:200]!r}.")
        await reader.readexactly(_length(head))
        delays.append(time.perf_counter() - began)
    writer.close()


def _length(head: bytes) -> int:
    return next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))


# --- both apps, each in a process of its own ---------------------------------------------------------


def _prepare(url: str) -> None:
    database = Database.connect(url)
    migrations.upgrade(database)
    for number in range(COMPANIES):
        connect(database, ConnectionKey(f"t{number}", "quickbooks"), _company(number))
    database.dispose()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(PLAIN)


def _stored(url: str) -> int:
    database = Database.connect(url)
    with database.system() as conn:
        found = conn.execute(sa.text("select count(*) from erp.integration_inbox")).scalar_one()
    database.dispose()
    return int(found)


@contextlib.contextmanager
def _served(url: str, ports: dict[str, int]) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    serve = {OURS: _serve_ours, FLOOR: _serve_floor}
    processes = [context.Process(target=serve[side], args=(url, ports[side]), daemon=True) for side in PATHS]
    try:
        for process in processes:
            process.start()
        asyncio.run(_answering(list(ports.values())))
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


async def _answering(ports: list[int]) -> None:
    ends = time.monotonic() + START_SECONDS
    for port in ports:
        while time.monotonic() < ends:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.1)


def _serve_ours(url: str, port: int) -> None:
    settings = Settings(
        _env_file=None,
        database_url=url,
        encryption_keys="k1:" + base64.b64encode(bytes(32)).decode(),
        quickbooks_client_id="client",
        quickbooks_client_secret="secret",
        quickbooks_webhook_verifier_token=VERIFIER,
    )
    logs.configure(level=50)
    app = create_app(build_runtime(settings), AuthConfig(secret="s" * 32))
    app.state.webhook_pace = Pace(per_minute=6_000_000, burst=100_000)  # all clients have one address here
    _serve(app, port)


def _serve_floor(url: str, port: int) -> None:
    app, database = FastAPI(), Database.connect(url, pool_size=40)
    insert = sa.text("insert into plain (body) values (:body)")

    def store(body: str) -> None:
        with database.engine.begin() as conn:
            conn.execute(insert, {"body": body})

    @app.post("/")
    async def receive(request: Request) -> dict[str, int]:
        await run_in_threadpool(store, (await request.body()).decode())
        return {"new": 1}

    _serve(app, port)


def _serve(app: FastAPI, port: int) -> None:
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, ws="none")
