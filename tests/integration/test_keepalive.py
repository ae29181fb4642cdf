"""Both ends of a session notice that the other is gone: PostgreSQL lists what it was told, the socket what libpq set."""

from __future__ import annotations

import socket

import sqlalchemy as sa

from erp_pipelines.storage import notify

TOLD = {
    "tcp_keepalives_idle": "4", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000", "client_connection_check_interval": "5000",
}  # fmt: skip
SETTINGS = "select name, setting from pg_settings where name = any(%s)"


def of_the_socket(driver) -> tuple[int, ...]:
    with socket.fromfd(driver.fileno(), socket.AF_INET, socket.SOCK_STREAM) as own:
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        return tuple(own.getsockopt(socket.IPPROTO_TCP, option) for option in options)


def test_a_session_of_the_pool_and_a_listener_tell_both_ends(database) -> None:
    with database.system() as conn:
        driver = conn.connection.driver_connection
        assert (dict(driver.execute(SETTINGS, [list(TOLD)])), of_the_socket(driver)) == (TOLD, (4, 2, 3, 10_000))
        assert conn.execute(sa.text("show statement_timeout")).scalar_one() == "1min"
    with notify.listening(database) as listener:
        assert (dict(listener.conn.execute(SETTINGS, [list(TOLD)])), of_the_socket(listener.conn)) == (
            TOLD,
            (4, 2, 3, 10_000),
        )
