"""How runs behave in time, as numbers. Where the numbers come from is `resources/runtime.py`'s business."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Pace:
    """Settings of the rooms. The first four are the environment's; the others are fixed, and smaller in tests."""

    connection_runs: int = 4  # up to so many active connections each get a run of their own
    lanes: int = 2  # beyond that, at most so many runs serve all
    linger_seconds: float = 30.0  # how long a run waits for more work
    standby: bool = False  # one lane is there although nothing is due; lanes serve all connections then
    life_seconds: float = 600.0  # a run that never falls idle ends then: fresh memory, fresh code, short logs
    successor_seconds: float = 20.0  # so long before a lane's end its successor may start, which takes some seconds
    # A sensor's tick waits inside, and must be over before the daemon's loop of 5 s comes round again.
    tick_seconds: float = 4.4
    look_seconds: float = 0.25  # between two looks while due work has a run that will come to it
    doubt_seconds: float = 10.0  # a run that has looked dead for so long is

    def standing_by(self) -> Pace:
        """Of the lane that stays until it has lived long enough, whatever is due."""
        return replace(self, linger_seconds=self.life_seconds)
