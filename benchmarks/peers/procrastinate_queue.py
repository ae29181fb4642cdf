"""procrastinate as its documentation advises it for short jobs: asynchronous tasks, psycopg's pool, a concurrency of 30."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

import procrastinate
import psycopg_pool

CONCURRENCY = 30
EFFECT = "insert into effects (id) values (%s)"
PAYLOAD = {"id": "c1", "name": "Customer 1", "email": "c1@example.com", "phone": None, "currency": "USD"}


async def main(url: str, what: str, count: int) -> dict[str, float]:
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=4, max_size=CONCURRENCY))
    async with (
        psycopg_pool.AsyncConnectionPool(
            url, min_size=4, max_size=CONCURRENCY, kwargs={"autocommit": True}, open=False
        ) as pool,
        app.open_async(),
    ):

        @app.task(name="effect")
        async def effect(number: int, payload: dict[str, str]) -> None:
            del payload
            async with pool.connection() as conn:
                await conn.execute(EFFECT, (number,))

        if what == "setup":
            await app.schema_manager.apply_schema_async()
        began = time.perf_counter()
        if what == "enqueue":
            for number in range(count):
                await effect.defer_async(number=number, payload=PAYLOAD)
        if what == "drain":
            await app.run_worker_async(concurrency=CONCURRENCY, wait=False, install_signal_handlers=False)
        return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
