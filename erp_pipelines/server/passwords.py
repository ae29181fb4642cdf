"""The passwords of a data directory's server: random, in a file that only its maker reads. Standard library only."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, repr=False)
class Passwords:
    superuser: str
    erp: str


def file(data_dir: Path) -> Path:
    return data_dir / "passwords.json"


def read(data_dir: Path) -> Passwords | None:
    """None for a directory that has none yet."""
    try:
        return Passwords(**json.loads(file(data_dir).read_text()))
    except FileNotFoundError:
        return None


def make(data_dir: Path) -> Passwords:
    """New ones, for a cluster about to be made; they fit into a URL as they are."""
    made = Passwords(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    unfinished = file(data_dir).with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(asdict(made), stream)
    unfinished.rename(file(data_dir))
    return made
