"""Where the server's files stand and as whom it runs. Standard library only."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from erp_pipelines.server.accounts import Account, Runner, name_of, service_account
from erp_pipelines.server.errors import ForeignDirectoryError, StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

STRATEGIES = ("drop", "namespace", "relocate")
NOTE = "RELOCATED.txt"
_ROOMS = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - what is made there is checked to be ours


@dataclass(frozen=True)
class Place:
    """A way to run the server. `strategy` is "direct" for an ordinary user, else one of STRATEGIES."""

    strategy: str
    runner: Runner
    bin_dir: Path
    cluster: Path

    @property
    def exists(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()


def choose(
    data_dir: Path, bin_dir: Path, major: int, *, strategies: tuple[str, ...] = STRATEGIES, fresh: bool = False
) -> Place:
    """The first way that works here, those with data before those without.

    Relocating copies the programs when the account can't reach them. `fresh` says that the data directory is new, so
    that anything found at its relocated place is a deleted directory's.
    ForeignDirectoryError when the data there is another account's or version's; StartError when no way works.
    """
    places = [*_places(data_dir, bin_dir, major, strategies)]
    for place in sorted(places, key=lambda place: not _holds_data(place, fresh=fresh)):
        if not place.exists:
            _refuse_foreign(data_dir, place)
        if place.strategy == "relocate":
            return relocated(place, data_dir, fresh=fresh)
        if place.runner.can_use(bin_dir, data_dir):
            return place
    raise StartError(
        f"PostgreSQL can't run as root, and no other way worked ({', '.join(strategies)}) for {data_dir}. "
        "Run as an ordinary user, or set ERP_DATABASE_URL to a server that runs already."
    )


def _holds_data(place: Place, *, fresh: bool) -> bool:
    return place.exists and not (fresh and place.strategy == "relocate")


def _places(data_dir: Path, bin_dir: Path, major: int, strategies: tuple[str, ...]) -> Iterator[Place]:
    if os.geteuid() != 0:
        yield Place("direct", Runner(), bin_dir, data_dir / f"pg{major}-{os.geteuid()}")
        return
    account = service_account()
    if account is None:
        raise StartError(
            "PostgreSQL can't run as root, and this machine has neither an account `postgres` nor `nobody` to run it as. "
            "Run as an ordinary user, or set ERP_DATABASE_URL to a server that runs already."
        )
    for strategy in strategies:
        yield _as_root(strategy, account, bin_dir, data_dir, f"pg{major}-{account.uid}", f"pg{major}-0")


def _as_root(strategy: str, account: Account, bin_dir: Path, data_dir: Path, dropped: str, rooted: str) -> Place:
    if strategy == "namespace":
        return Place(strategy, Runner(account, namespace=True), bin_dir, data_dir / rooted)
    runner = Runner(account)
    if strategy == "drop":
        return Place(strategy, runner, bin_dir, data_dir / dropped)
    return Place(strategy, runner, bin_dir, room(data_dir) / dropped)


def _refuse_foreign(data_dir: Path, wanted: Place) -> None:
    """An empty server beside somebody's data would look like loss."""
    for found in sorted(data_dir.glob("pg*-*")):
        if (name := re.fullmatch(r"pg(\d+)-(\d+)", found.name)) and found != wanted.cluster:
            major = wanted.cluster.name[2:].partition("-")[0]
            raise ForeignDirectoryError(
                f"{found} holds data of PostgreSQL {name[1]}, made by {name_of(int(name[2]))}; this would be "
                f"PostgreSQL {major} as {name_of(wanted.runner.owner[0])}. Run it as before, or choose another "
                "ERP_DATA_DIR; to carry data over, dump it with the old version and restore it; or delete that directory."
            )


def room(data_dir: Path) -> Path:
    """The relocated place of a data directory: the same one each time."""
    name = f"erp-pipelines-{hashlib.sha256(bytes(data_dir)).hexdigest()[:16]}"
    bases = [base for base in _ROOMS if base.is_dir()] or [*_ROOMS]
    return next((base / name for base in bases if (base / name).exists()), bases[0] / name)


def relocated(place: Place, data_dir: Path, *, fresh: bool) -> Place:
    """The place made ready: a directory only root can change, in it the data and, if need be, the programs."""
    base = place.cluster.parent
    if fresh and base.exists():
        _require_ours(base)
        shutil.rmtree(base)
    base.mkdir(mode=0o711, exist_ok=True)
    _require_ours(base)
    base.chmod(0o711)  # the umask may have taken the right to pass through
    (data_dir / NOTE).write_text(
        f"The account {name_of(place.runner.owner[0])} can't reach this directory, so the database stands in\n{place.cluster}\n"
        "It belongs to this directory: deleting this one makes the next start clear that one.\n"
    )
    ready = Place(place.strategy, place.runner, _programs(place, base), place.cluster)
    if not ready.runner.can_use(ready.bin_dir, base):
        raise StartError(
            f"{name_of(ready.runner.owner[0])} can't run {ready.bin_dir}/postgres; is {base} mounted noexec?"
        )
    return ready


def _require_ours(base: Path) -> None:
    """Anybody may make directories beside it, so a directory found there is believed only if root made it."""
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ForeignDirectoryError(f"{base} should be a directory of {name_of(os.geteuid())}, and isn't; remove it.")


def _programs(place: Place, base: Path) -> Path:
    """The programs themselves if the account can run them, else a copy, made once per version."""
    if place.runner.can_use(place.bin_dir, base):
        return place.bin_dir
    source = place.bin_dir / "postgres"
    mark = hashlib.sha256(f"{source} {source.stat().st_size} {source.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    install, package = place.bin_dir.parent, place.bin_dir.parent.parent
    target = base / f"programs-{mark}"
    if not target.exists():
        _copy(package, install.name, base, target)
    return target / package.name / install.name / "bin"


def _copy(package: Path, install: str, base: Path, target: Path) -> None:
    for old in base.glob("programs-*"):
        shutil.rmtree(old)
    unfinished = target.with_suffix(".new")
    skip = shutil.ignore_patterns("include", "doc", "*.a", "pgxs")
    shutil.copytree(package / install, unfinished / package.name / install, symlinks=True, ignore=skip)
    libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    unfinished.rename(target)
