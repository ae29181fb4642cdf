"""Whether something listens, and whether it is ready."""

from __future__ import annotations

import errno
import http.client
import socket
from urllib.parse import SplitResult, urlsplit

_SECONDS = 2.0


def answers(url: str) -> bool:
    """True for "http://..." answered with a status below 400, and for "tcp://host:port" that takes a connection."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "tcp") or parts.hostname is None:
        raise ValueError(f"{url!r} is no probe; write http://host:port/path or tcp://host:port")
    try:
        return _answers_http(parts) if parts.scheme == "http" else _connects(parts.hostname, parts.port or 0)
    except (OSError, http.client.HTTPException):
        return False


def _answers_http(parts: SplitResult) -> bool:
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", parts._replace(scheme="", netloc="").geturl() or "/")
        return connection.getresponse().status < 400
    finally:
        connection.close()


def _connects(host: str, port: int) -> bool:
    socket.create_connection((host, port), timeout=_SECONDS).close()
    return True


def is_taken(port: int) -> bool:
    """Whether somebody listens on the port of this machine, also where it would be shared (SO_REUSEPORT)."""
    return any(
        _is_taken(family, host, port) for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
    )


def _is_taken(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:  # no IPv6 here, or a port for root only: the service will tell
        return error.errno == errno.EADDRINUSE
    return False
