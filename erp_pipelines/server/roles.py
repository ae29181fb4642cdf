"""The ordinary role and its databases, made when missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLE = "erp"
_PLAIN = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}")


def ensure(admin_url: str, password: str, databases: Sequence[str]) -> None:
    """Afterwards the role `erp` exists, is no superuser, and owns these databases. One caller at a time."""
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
            # Hashed here, since a failing statement is logged by the server.
            hashed = connection.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256")
            connection.execute(_PLAIN.format(sql.Identifier(ROLE), sql.Literal(hashed.decode())))
        there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for name in dict.fromkeys(databases):
            if name not in there:
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(create.format(sql.Identifier(name), sql.Identifier(ROLE)))
