"""What can go wrong with local servers. Every message names the thing and the mend."""

from __future__ import annotations


class ServerError(RuntimeError):
    """A local server could not do what was asked; the text can be shown to a user as it is."""


class BinariesNotFoundError(ServerError):
    """No usable PostgreSQL programs are on this machine."""


class ForeignDirectoryError(ServerError):
    """The data directory was made by another account or another major version."""


class StartError(ServerError):
    """PostgreSQL refused to start; the text ends with the last lines of its log."""


class ServiceFailed(ServerError):
    """A supervised service did not become ready, or died; the text ends with the last lines of its log."""


class PortInUseError(ServiceFailed):
    """Somebody listens already where a service wants to."""


_TOLD_BY_THE_GUARDIAN = (ServerError, BinariesNotFoundError, ForeignDirectoryError, StartError)


def named(kind: str, message: str) -> ServerError:
    """The error that another process reported by its class name."""
    by_name = {error.__name__: error for error in _TOLD_BY_THE_GUARDIAN}
    return by_name.get(kind, ServerError)(message)
