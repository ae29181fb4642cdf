"""What every twin does around a request: one lock, the fault dial, late writes and the call log."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from erp_twins.clock import TwinClock
from erp_twins.faults import CallFacts, FaultDial, FaultRule, answer_instead, spoil
from erp_twins.http import Request, Response, json_answer
from erp_twins.ledger import Call, CallLog
from erp_twins.switches import Switches

CONTROLLED = ("/_twin/",)

TargetT = TypeVar("TargetT")


@dataclass(frozen=True)
class Outcome:
    """An answer and where it came from; `key` is set when this call stored its answer for repeats."""

    response: Response
    replayed: bool = False
    key: str = ""


class Twin(ABC, Generic[TargetT]):
    """A service in one object. Thread-safe; needs no sockets. `TargetT` is what a request aims at."""

    lock: threading.RLock
    version: int

    def __init__(self, clock: TwinClock | None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.lock = threading.RLock()
        self.clock = clock or TwinClock()
        self.version = 0
        self.dial = FaultDial()
        self.calls = CallLog()
        self._sleep = sleep
        self._late: list[tuple[datetime, Request, TargetT]] = []

    # --- faults ---

    def add_fault(self, fault: str, **fields: Any) -> int:
        """Arm a fault rule; the fields are those of `FaultRule`."""
        with self.lock:
            return self.dial.add(FaultRule.from_json({"fault": fault, **fields}))

    def clear_faults(self) -> None:
        with self.lock:
            self.dial.clear()

    # --- answering ---

    def handle(self, request: Request, patience: float | None = None) -> Response:
        """The answer to a request.

        With `patience` None slow faults really sleep. A number is how long an in-process caller would wait: nothing sleeps,
        a longer fault ends in "timeout", and a write that was slow before its commit happens when the clock gets there.
        """
        self.run_late()
        if request.path.startswith(CONTROLLED):
            with self.lock:
                self.version += 1
                return self._controlled(request)
        target = self._target(request)
        with self.lock:
            rule = self.dial.pick(self._facts(request, target))
        if rule and rule.hits_before_commit:
            with self.lock:
                answer = answer_instead(rule, self._throttled(), self._refusal_for(rule))
                return self._log(request, target, Outcome(answer), rule.fault)
        return self._served(request, target, rule, patience)

    def run_late(self) -> None:
        """Carry out the slow requests whose time has come, though nobody waits for them any more."""
        with self.lock:
            now = self.clock.now()
            due = [entry for entry in self._late if entry[0] <= now]
            self._late = [entry for entry in self._late if entry[0] > now]
        for _, request, target in due:
            self._logged(request, target, "late")

    def _served(self, request: Request, target: TargetT, rule: FaultRule | None, patience: float | None) -> Response:
        """The answer of a request that a rule may slow down or spoil."""
        fault, slow = (rule.fault, rule.seconds if rule.fault == "slow" else 0.0) if rule else ("", 0.0)
        if rule and slow and not rule.after_commit and not self._wait(slow, patience):
            with self.lock:
                self._late.append((self.clock.now() + timedelta(seconds=slow), request, target))
                return self._log(request, target, Outcome(Response(0, ending="timeout")), fault)
        answer = self._logged(request, target, fault, rule)
        if rule and slow and rule.after_commit and not self._wait(slow, patience):
            return replace(answer, ending="timeout")
        return answer

    def _wait(self, seconds: float, patience: float | None) -> bool:
        """Whether the caller is still there after so long."""
        if patience is None:
            self._sleep(seconds)
            return True
        return seconds <= patience

    def _logged(self, request: Request, target: TargetT, fault: str, rule: FaultRule | None = None) -> Response:
        """Answer under the lock, spoil the committed answer if a rule says so, and write it down."""
        with self.lock:
            if rule and rule.fault == "stale":
                self._touch(request, target)
            outcome = self._outcome(request, target)
            if rule:
                outcome = self._spoilt(rule, target, outcome)
            return self._log(request, target, outcome, fault)

    def _spoilt(self, rule: FaultRule, target: TargetT, outcome: Outcome) -> Outcome:  # noqa: ARG002 - for those who override it
        return replace(outcome, response=spoil(rule, outcome.response, self._refused(rule.status)))

    def _log(self, request: Request, target: TargetT, outcome: Outcome, fault: str) -> Response:
        """Stamp the answer and note the call. The lock must be held."""
        answer = self._stamped(outcome.response)
        entry = self._entry(request, target)
        if entry:
            status = answer.status if answer.ending == "whole" else 0
            self.calls.add(
                replace(
                    entry,
                    seq=self.calls.next_seq(),
                    time=self.clock.now().isoformat(),
                    status=status,
                    replayed=outcome.replayed,
                    fault=fault,
                    intuit_tid=answer.header("intuit_tid"),
                )
            )
            self.version += 1
        return answer

    # --- what a twin of a certain service knows ---

    @abstractmethod
    def _controlled(self, request: Request) -> Response:
        """The answer of the control API. The lock is held."""

    @abstractmethod
    def _target(self, request: Request) -> TargetT:
        """What a request aims at; looked at before any check."""

    @abstractmethod
    def _facts(self, request: Request, target: TargetT) -> CallFacts:
        """What the fault dial can match on."""

    @abstractmethod
    def _outcome(self, request: Request, target: TargetT) -> Outcome:
        """Do what is asked. The lock is held."""

    @abstractmethod
    def _entry(self, request: Request, target: TargetT) -> Call | None:
        """The call as the log shows it, still without time and outcome; None for what is no call (pages for people)."""

    @abstractmethod
    def _throttled(self) -> Response:
        """The answer of the fault `xml_throttle`: over the service's own limit."""

    @abstractmethod
    def _touch(self, request: Request, target: TargetT) -> None:
        """Somebody edits the same document just before the request arrives: the fault `stale`. The lock is held."""

    @abstractmethod
    def reset(self) -> None:
        """Back to how it began; registered credentials and switches stay."""

    @abstractmethod
    def configure(self, **changes: Any) -> Switches:
        """Change switches of the whole twin; without changes, what they are. Raises ValueError for an unknown one."""

    @abstractmethod
    def dump_state(self) -> str:
        """Everything that must survive a restart, as JSON."""

    @abstractmethod
    def load_state(self, text: str) -> None:
        """Take over a dumped state."""

    def _refusal_for(self, rule: FaultRule) -> Response:
        return self._coded(rule) if rule.fault == "refusal" else self._refused(rule.status)

    @abstractmethod
    def _coded(self, rule: FaultRule) -> Response:
        """The answer of the fault `refusal`: the service's own, for the rule's code."""

    def _refused(self, status: int) -> Response:
        """The body of the fault `status`, in the service's own form where it has one."""
        return json_answer({"message": "The service is not available right now."}, status)

    def _stamped(self, answer: Response) -> Response:
        """The answer with the headers that every one carries."""
        return answer
