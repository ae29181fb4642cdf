"""pgqueuer as its documentation advises it for throughput: asyncpg with a pool, uvloop, larger batches for short jobs, durable tables."""

from __future__ import annotations

import json
import sys
import time

import asyncpg
import uvloop
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

BATCH, POOL = 50, 20
EFFECT = "insert into effects (id) values ($1)"
PAYLOAD = {"id": "c1", "name": "Customer 1", "email": "c1@example.com", "phone": None, "currency": "USD"}


async def main(url: str, what: str, count: int) -> dict[str, float]:
    async with asyncpg.create_pool(url, min_size=4, max_size=POOL) as pool:
        driver = AsyncpgPoolDriver(pool)
        if what == "setup":
            await Queries(driver).install()
            return {}
        return {"seconds": await (enqueue(driver, count) if what == "enqueue" else drain(driver, pool))}


async def enqueue(driver: AsyncpgPoolDriver, count: int) -> float:
    queries = Queries(driver)
    began = time.perf_counter()
    for number in range(count):
        await queries.enqueue("effect", json.dumps({"number": number, "payload": PAYLOAD}).encode())
    return time.perf_counter() - began


async def drain(driver: AsyncpgPoolDriver, pool: asyncpg.Pool) -> float:
    manager = QueueManager(Queries(driver))

    @manager.entrypoint("effect")
    async def effect(job: Job) -> None:
        await pool.execute(EFFECT, json.loads(job.payload or b"")["number"])

    began = time.perf_counter()
    await manager.run(batch_size=BATCH, mode=QueueExecutionMode.drain)
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
