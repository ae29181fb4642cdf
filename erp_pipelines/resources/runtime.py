"""The engine's parts as a Dagster resource: built on first use, once a process.

Loading the definitions must need no environment and no database, so nothing is built at import.
What the parts are stands in `bootstrap`; what they do, in `delivery`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import dagster as dg

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.resources.pace import Pace
from erp_pipelines.security import logs

Parts = tuple[Runtime, Pace]
_lock = threading.Lock()
_built: list[Parts] = []


@dataclass(frozen=True)
class RuntimeResource:
    """What runs and sensors work with. Has no configuration of Dagster's: the environment is read by `settings` alone.

    A plain object, since a ConfigurableResource without fields leans on what pydantic is about to drop.
    """

    parts: Callable[[], Parts]

    def runtime(self) -> Runtime:
        return self.parts()[0]

    def of_run(self, run_id: str) -> Runtime:
        """The same, whose work is known as this run's."""
        return replace(self.runtime(), run_id=run_id)

    def pace(self) -> Pace:
        return self.parts()[1]


# How a run, a sensor or a check asks for it; the argument must be called `runtime`.
RuntimeParam = dg.ResourceParam[RuntimeResource]


def parts_of_this_process() -> Parts:
    """From the environment. Threads of the code server ask at once; one of them builds, the others wait."""
    with _lock:
        if not _built:
            _built.append(_build())
        return _built[0]


def _build() -> Parts:
    from erp_pipelines.bootstrap import build_runtime
    from erp_pipelines.settings import Settings

    logs.configure()
    settings = Settings.from_env()
    pace = Pace(
        connection_runs=settings.connection_runs, lanes=settings.lanes, linger_seconds=settings.linger_seconds,
        standby=settings.standby,
    )  # fmt: skip
    return build_runtime(settings), pace


def resource_for(runtime_factory: Callable[[], Runtime] | None, pace: Pace | None = None) -> RuntimeResource:
    """The resource for these parts; without a factory, for those of the environment."""
    if runtime_factory is None:
        return RuntimeResource(parts_of_this_process)
    make = runtime_factory
    return RuntimeResource(lambda: (make(), pace or Pace()))
