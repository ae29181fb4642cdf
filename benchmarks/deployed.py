"""The product as it is put on hosts: with the extras of deploy/Containerfile, in an environment of its own, made here once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".venv-deployed"
LOCK = ROOT / "requirements" / "dev.lock"
EXTRAS = "celery,otel"


def environment() -> Path:
    """The directory of its programs; made anew when lock or metadata have changed. The code is this checkout's."""
    stamp, python = HOME / "made-of.txt", HOME / "bin" / "python"
    wanted = LOCK.read_text() + (ROOT / "pyproject.toml").read_text()
    if not (stamp.exists() and stamp.read_text() == wanted):
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", HOME], check=True)
        constraints = HOME / "constraints.txt"
        constraints.write_text(_constraints(LOCK.read_text()))
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
        made = subprocess.run(
            [*pip, "--constraint", constraints, "-e", f"{ROOT}[{EXTRAS}]"], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise RuntimeError(f"The product could not be installed: {made.stderr[-2000:]}")
        stamp.write_text(wanted)
    return HOME / "bin"


def _constraints(lock: str) -> str:
    """The pins without their hashes and extras, neither of which a constraint may have."""
    pins = (line.rstrip(" \\") for line in lock.splitlines() if not line.lstrip().startswith("--hash"))
    return "\n".join(re.sub(r"\[[^]]*]", "", pin) for pin in pins)
