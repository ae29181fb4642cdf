"""How soon either end of a database session notices that the other one is gone without a word.

A machine that loses its power or its network ends no TCP connection. PostgreSQL would keep its sessions, and with them the
advisory locks of its workers, for two hours; a client would wait for its answer as long.
"""

from __future__ import annotations

from typing import Any

# After so many seconds of silence the other end is asked, so often, so many times.
IDLE_SECONDS, INTERVAL_SECONDS, TIMES = 4, 2, 3
# What was sent and is not acknowledged after so long ends the session too; TCP itself would try for a quarter of an hour.
UNACKNOWLEDGED_MS = 10_000
# In the midst of a statement, as when it waits for a lock, the server does not listen to the other end; it looks so often.
CHECK_MS = 5_000


def connect_args(**settings: int) -> dict[str, Any]:
    """What libpq is told: for its own end as it is, for PostgreSQL's end as settings of the session, with `settings` beside them.

    Either end gives up after ten seconds, in the midst of a statement after fifteen. Sockets in the file system
    take no notice of it.
    """
    server = {
        "tcp_keepalives_idle": IDLE_SECONDS,
        "tcp_keepalives_interval": INTERVAL_SECONDS,
        "tcp_keepalives_count": TIMES,
        "tcp_user_timeout": UNACKNOWLEDGED_MS,
        "client_connection_check_interval": CHECK_MS,
        **settings,
    }
    return {
        "keepalives_idle": IDLE_SECONDS,
        "keepalives_interval": INTERVAL_SECONDS,
        "keepalives_count": TIMES,
        "tcp_user_timeout": UNACKNOWLEDGED_MS,
        "options": " ".join(f"-c {name}={value}" for name, value in server.items()),
    }
