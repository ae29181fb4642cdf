"""As whom the server's programs run: PostgreSQL refuses root, so under root they must become somebody else.

Standard library only: the guardian imports it without the environment's packages.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
# What the caller's environment says (PGPORT, LANG, LD_LIBRARY_PATH) is not meant for this server.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Runner:
    """Starts programs as somebody PostgreSQL accepts; they die with the process that started them (Linux).

    Without an account they run as the caller. With one they run as it, with no other groups; with `namespace` they
    believe to be it, in a user namespace of their own, and are the caller towards the file system. That makes a
    database superuser's `COPY ... TO PROGRAM` the caller's program: for local use only.
    To be used by single-threaded processes, since code runs between fork and exec.
    """

    account: Account | None = None
    namespace: bool = False

    @property
    def owner(self) -> tuple[int, int]:
        """Uid and gid of the files that the programs own."""
        if self.account is None or self.namespace:
            return os.geteuid(), os.getegid()
        return self.account.uid, self.account.gid

    def start(
        self,
        command: Sequence[str],
        output: IO[bytes] | int,
        *,
        death_signal: int = signal.SIGKILL,
        enter: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start the program, its output and errors to `output`; `enter` becomes its directory, with its rights."""
        drop = self.account if self.account and not self.namespace else None
        return subprocess.Popen(  # noqa: S603 - commands of the launcher's own making
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",  # the account may be unable to enter ours
            env=_ENVIRONMENT,
            user=drop.uid if drop else None,
            group=drop.gid if drop else None,
            extra_groups=[] if drop else None,
            preexec_fn=self._before_exec(death_signal, enter),  # noqa: PLW1509 - single-threaded by promise
        )

    def _before_exec(self, death_signal: int, enter: Path | None) -> Callable[[], None]:
        parent = os.getpid()

        def prepare() -> None:
            if self.namespace and self.account:
                _enter_namespace(self.account)
            _die_with(parent, death_signal)  # after the change of account, which would clear it
            if enter is not None:
                os.chdir(enter)

        return prepare

    def can_use(self, bin_dir: Path, directory: Path) -> bool:
        """Whether the programs run this way and can enter the directory."""
        try:
            return self.start([str(bin_dir / "postgres"), "--version"], subprocess.DEVNULL, enter=directory).wait() == 0
        except (OSError, subprocess.SubprocessError):
            return False


def service_account() -> Account | None:
    """Who may serve in root's place. It needs an entry in the password file, or initdb refuses."""
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    return None


def name_of(uid: int) -> str:
    """The account's name and number, for messages."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _enter_namespace(inside: Account) -> None:
    """Be `inside` in a new user namespace, where only this process's own account exists."""
    uid, gid = os.geteuid(), os.getegid()
    if _LIBC.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "no user namespace")
    Path("/proc/self/setgroups").write_text("deny")  # the kernel's condition for gid_map
    Path("/proc/self/uid_map").write_text(f"{inside.uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.gid} {gid} 1")


def _die_with(parent: int, death_signal: int) -> None:
    if sys.platform != "linux":
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request was heard
        os._exit(1)
