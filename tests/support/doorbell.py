"""A webhook delivery as the web app takes it, without HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from erp_pipelines.access import intake
from erp_pipelines.access.intake import Received
from erp_pipelines.access.runtime import Runtime


def ring(runtime: Runtime, provider: str, headers: Mapping[str, str], body: bytes) -> Received:
    """What became of it. `headers` have lower-case names. Raises as `intake.read`, and what storing it raised."""
    [received] = intake.store(runtime, provider, [intake.read(runtime, provider, headers, body)])
    if isinstance(received, Exception):
        raise received
    return received
