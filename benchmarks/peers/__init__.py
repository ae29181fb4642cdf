"""Other queues on PostgreSQL, each a script of its own in an environment of its own, made here once from pins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PINS = HERE.parent / "peers.txt"
HOME = HERE.parent / ".peers"


def environment() -> Path:
    """The interpreter of the peers' environment; made anew when the pins have changed."""
    stamp, python = HOME / "pins.txt", HOME / "bin" / "python"
    if stamp.exists() and stamp.read_text() == PINS.read_text():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", HOME], check=True)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
    made = subprocess.run([*pip, "-r", PINS], capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"The peers could not be installed: {made.stderr[-2000:]}")
    stamp.write_text(PINS.read_text())
    return python


def ask(peer: str, url: str, what: str, count: int) -> dict[str, Any]:
    """What the peer's script prints: of `setup` nothing, of `enqueue` and `drain` the seconds it took by its own clock."""
    command = [environment(), HERE / f"{peer}.py", url, what, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{peer} {what} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
