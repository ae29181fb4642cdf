"""Hosts on one machine: network namespaces on a bridge, each with an address and a host name of its own. Linux, as root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

BRIDGE, NETWORK, CORE = "erp-bench", "10.213.7.0/24", "10.213.7.1"
PROGRAMS = {"ip": "iproute2", "unshare": "util-linux"}


class Missing(Exception):
    """What this machine lacks for a benchmark, and how it is had."""


def require(programs: dict[str, str]) -> None:
    """Raises Missing unless this is root on a Linux that has these programs; by the package that brings each."""
    if os.geteuid():
        raise Missing("network namespaces are made by root alone: run it as root, or in a container with CAP_SYS_ADMIN")
    if packages := sorted({package for name, package in programs.items() if not shutil.which(name)}):
        raise Missing(
            f"{', '.join(packages)} not installed: on Debian and Ubuntu, apt-get install {' '.join(packages)}"
        )


@dataclass(frozen=True)
class Host:
    """A network namespace; `address` is reached from the core and from its neighbours."""

    name: str
    address: str

    @property
    def namespace(self) -> str:
        return f"{BRIDGE}-{self.name}"

    @property
    def port(self) -> str:
        """The bridge's end of its cable."""
        return f"erpb-{self.name}"

    def command(self, command: Sequence[str]) -> list[str]:
        """The same program on this host, under the host's name."""
        shell = f'hostname {self.namespace} && exec "$@"'
        return ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", shell, "sh", *command]

    def unplug(self) -> None:
        """From now on nothing reaches it and nothing leaves it, and nobody is told."""
        _ip("link", "set", self.port, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self.port, "up")

    def kill(self) -> None:
        """SIGKILL to every process on it, again until none is left."""
        while pids := _ip("netns", "pids", self.namespace).split():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


@contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """Hosts with these names beside the core, which is this machine under the address CORE. Raises Missing.

    At the end, and before the start, whatever an earlier one has left is taken away.
    """
    require(PROGRAMS)
    found = [Host(name, f"{CORE.rsplit('.', 1)[0]}.{number}") for number, name in enumerate(names, start=2)]
    _remove(found)
    try:
        _make(found)
        yield found
    finally:
        _remove(found)


def _make(found: Sequence[Host]) -> None:
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
    except subprocess.CalledProcessError as error:
        raise Missing(f"no bridge can be made here: {error.stderr.strip()}") from error
    _ip("addr", "add", f"{CORE}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    for host in found:
        _ip("netns", "add", host.namespace)
        _ip("link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
        _ip("link", "set", host.port, "master", BRIDGE, "up")
        for inside in ("addr add {}/24 dev eth0", "link set eth0 up", "link set lo up"):
            _ip("-n", host.namespace, *inside.format(host.address).split())


def _remove(found: Sequence[Host]) -> None:
    for host in found:
        with suppress(subprocess.CalledProcessError):
            host.kill()
            _ip("netns", "del", host.namespace)
        with suppress(subprocess.CalledProcessError):  # a namespace goes a moment after its last process
            _ip("link", "del", host.port)
    with suppress(subprocess.CalledProcessError):
        _ip("link", "del", BRIDGE)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
