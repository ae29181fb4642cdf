"""The services of one machine: which programs, with which environment, in which order."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from erp_pipelines.domain.errors import SettingsInvalid
from erp_pipelines.server.supervisor import Service
from erp_pipelines.settings import Settings

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stack:
    """What all services of one start share."""

    settings: Settings
    database_url: str
    dagster_database_url: str

    def environment(self) -> dict[str, str]:
        """Besides what this process has itself."""
        return {
            "ERP_DATABASE_URL": self.database_url,
            "ERP_DAGSTER_DATABASE_URL": self.dagster_database_url,
            "DAGSTER_HOME": str(self.dagster_home()),
            # A run's events are written in few statements instead of one each.
            "DAGSTER_EVENT_BATCH_SIZE": os.environ.get("DAGSTER_EVENT_BATCH_SIZE", "100"),
        }

    def dagster_home(self) -> Path:
        """DAGSTER_HOME, or a directory of ours that holds the product's dagster.yaml."""
        given = os.environ.get("DAGSTER_HOME")
        if given:
            return Path(given)
        home = (self.settings.data_dir / "dagster").resolve()
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_dagster_yaml(), home / "dagster.yaml")
        return home

    def services(self, extra: Mapping[str, str] | None = None) -> list[Service]:
        """Web app, code server, daemon and Dagster's web server, in the order to start them."""
        env = self.environment() | dict(extra or {})
        return [self._web(env), self._code(env), self._dagster_web(env), self._daemon(env)]

    def _web(self, env: Mapping[str, str]) -> Service:
        port = self.settings.api_port
        command = [
            sys.executable, "-m", "uvicorn", "webhook_api.main:create_app", "--factory", "--host", HOST,
            "--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "5",
        ]  # fmt: skip
        return Service(
            "web app",
            command,
            env,
            f"http://{HOST}:{port}/health/live",
            60,
            True,
            (port,),
            "set ERP_API_PORT to another port",
        )

    def _code(self, env: Mapping[str, str]) -> Service:
        port = self.settings.code_port
        command = [_tool("dagster"), "api", "grpc", "-m", "erp_pipelines.definitions", "-h", HOST, "-p", str(port)]
        hint = "set ERP_CODE_PORT to another port"
        return Service("dagster code", command, env, f"tcp://{HOST}:{port}", 120, False, (port,), hint)

    def _dagster_web(self, env: Mapping[str, str]) -> Service:
        port = self.settings.dagster_port
        command = [_tool("dagster-webserver"), "-h", HOST, "-p", str(port), *self._code_location()]
        ready = f"http://{HOST}:{port}/server_info"
        return Service("dagster web", command, env, ready, 120, True, (port,), "set ERP_DAGSTER_PORT to another port")

    def _code_location(self) -> Sequence[str]:
        return ["--grpc-host", HOST, "--grpc-port", str(self.settings.code_port)]

    def _daemon(self, env: Mapping[str, str]) -> Service:
        return Service("dagster daemon", [_tool("dagster-daemon"), "run", *self._code_location()], env)


def _tool(name: str) -> str:
    """A program of the same environment as this one."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise SettingsInvalid(f"{name} is not installed beside {sys.executable}.", mend="Run ./dev setup.")
    return str(path)


def _dagster_yaml() -> Path:
    path = ROOT / "dagster.yaml"
    if not path.exists():
        raise SettingsInvalid(f"{path} is missing.", mend="Set DAGSTER_HOME to a directory with a dagster.yaml.")
    return path
