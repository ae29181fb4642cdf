"""Kill a real process at each boundary of a flow, one after the other, let it start again, and compare the ledgers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from erp_pipelines.server.postgres import EmbeddedServer
from tests.killpoints.checks import Scene
from tests.killpoints.flows import FLOWS, Flow
from tests.killpoints.process import Ended, Order, run
from tests.killpoints.snapshots import Snapshot
from tests.support.postgres import a_database
from tests.support.stage import staged

# After a death: at once, when a lost answer may be believed lost, when the first retries are due, and once more.
PASSES = tuple(dt.timedelta(minutes=minutes) for minutes in (0, 4, 10, 30, 70))
MOST_POINTS = 2000


@dataclass
class Findings:
    """What a flow showed: the boundaries it has, and what broke at which of them."""

    flow: str
    points: list[str] = field(default_factory=list)
    broken: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """Where every point of a flow starts from: rows here, books there, and what the flow is given."""

    flow: Flow
    scene: Scene
    rows: Snapshot
    books: str
    given: Any

    def put_back(self) -> None:
        self.scene.twin.clear_faults()
        self.scene.twin.load_state(self.books)
        self.rows.restore()
        for fault in self.flow.faults:
            self.scene.twin.add_fault(**fault)


class Harness:
    """One flow, prepared once; every point starts from a copy of that state."""

    def __init__(self, server: EmbeddedServer, template: str, provider: str, flow: Flow) -> None:
        self._server, self._template, self._provider, self._flow = server, template, provider, flow

    def enumerate(self, *, step: int = 1, until_broken: bool = False) -> Findings:
        """Die at boundary 0, `step`, ... until a process reaches the end of the flow alive, or until one point breaks."""
        found = Findings(f"{self._provider} {self._flow.name}")
        with self._prepared() as prepared:
            for point in range(0, MOST_POINTS, step):
                ended = self._die_at(prepared, point, found)
                if not ended.killed or (until_broken and found.broken):
                    return found
                found.points.append(ended.crossed[-1])
        raise AssertionError(f"{self._flow.name} has no end.")

    @contextmanager
    def _prepared(self) -> Iterator[Prepared]:
        flow, provider = self._flow, self._provider
        with (
            a_database(self._server, self._template) as url,
            staged(url, provider=provider, habit=flow.habit, **flow.config) as stage,
            closing(Scene(stage)) as scene,
        ):
            with scene.host() as host:
                stage.connect(host.runtime)
            given = flow.prepare(scene)
            rows = Snapshot.take(self._server.admin_url(url.rsplit("/", 1)[1]))
            yield Prepared(flow, scene, rows, stage.twin.dump_state(), given)

    def _die_at(self, prepared: Prepared, point: int, found: Findings) -> Ended:
        prepared.put_back()
        scene = prepared.scene
        scene.there.time_is(dt.datetime.now(dt.UTC) + self._flow.later)
        order = Order(
            self._provider, self._flow.name, scene.stage.environment(), prepared.given, point, self._flow.later,
            self._flow.habit,
        )  # fmt: skip
        ended = run(order)
        scene.crossed = ended.crossed
        try:
            self._recover(scene, order)
            self._flow.check(scene)
        except Exception as error:  # noqa: BLE001 - whatever it is, it broke here
            found.broken.append((point, ended.crossed[-1], f"{type(error).__name__}: {error}"))
        return ended

    def _recover(self, scene: Scene, order: Order) -> None:
        for passed in PASSES:
            ahead = self._flow.later + passed
            scene.there.time_is(dt.datetime.now(dt.UTC) + ahead)
            run(replace(order, kill_at=None, ahead=ahead))
            if not scene.waiting():
                return


def enumerate_flow(
    server: EmbeddedServer, template: str, provider: str, name: str, *, step: int = 1, until_broken: bool = False
) -> Findings:
    """Every kill point of one flow with one provider, or each `step`-th."""
    return Harness(server, template, provider, FLOWS[provider, name]).enumerate(step=step, until_broken=until_broken)
