"""Independent clients for Node: a script beside its lock, run in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HOMES = Path(__file__).resolve().parents[2] / ".venv-peers"


@dataclass(frozen=True)
class Peer:
    """The client in a folder of this one, which holds `journey.js`, `package.json` and its lock."""

    name: str

    @property
    def home(self) -> Path:
        return HOMES / self.name.replace("_", "-")

    def installed(self) -> Peer:
        """With its packages, anew when their lock has changed. Skips the test where there is no Node, or no registry."""
        if not shutil.which("node") or not shutil.which("npm"):
            pytest.skip("there is no node here")
        source = Path(__file__).with_name(self.name)
        shutil.copytree(source, self.home, dirs_exist_ok=True)
        stamp, lock = self.home / "node_modules" / "lock.json", (source / "package-lock.json").read_text()
        if not stamp.exists() or stamp.read_text() != lock:
            done = self._run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
            if done.returncode:
                pytest.skip(f"the package registry cannot be reached: {done.stderr.strip()[-300:]}")
            stamp.write_text(lock)
        return self

    def journey(self, *arguments: str) -> str:
        """What its script prints."""
        done = self._run("node", "journey.js", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.home, capture_output=True, text=True, timeout=240, check=False)
