"""The product's own code location over the tests' ERP in memory, each call to which takes a set time: for `fleet_dagster`."""

import functools
import os

from benchmarks.fleet import _runtime
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.definitions import build_defs
from erp_pipelines.storage.engine import Database

URL = "BENCH_FLEET_URL"


@functools.cache
def runtime() -> Runtime:
    return _runtime(Database.connect(os.environ[URL]))


defs = build_defs(runtime_factory=runtime)
