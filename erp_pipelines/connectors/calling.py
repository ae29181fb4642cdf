"""Calls on behalf of a connection: its pace, its token, the few repeats within a run, and what a status means."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from erp_pipelines import tracing
from erp_pipelines.connectors import exchanges, leaving
from erp_pipelines.connectors.base import CallCounter, Lent
from erp_pipelines.connectors.exchanges import Exchange
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, NotSent, decode
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import (
    AnswerLost,
    ConnectionLost,
    ErpError,
    Rejected,
    Throttled,
    TokenRejected,
    Transient,
    Unavailable,
)
from erp_pipelines.security.personal import hide_in_text, personal_words

REPEATS = 2
SHORT_WAIT = 2.0  # seconds: a throttle up to here is sat out, a longer one pauses the whole connection
LONGEST_PAUSE = 300.0

Refusal = Callable[[Call, Answer], ErpError | None]
Authorise = Callable[[Call, str], str]


def bearer(_: Call, token: str) -> str:
    return f"Bearer {token}"


class Caller:
    """Sends calls for one connection, from several threads where the pacer lets more than one be under way.

    `refusal` reads the provider's own error bodies, 2xx ones included; `authorise` makes the Authorization header of
    one call, anew for each repeat.
    """

    def __init__(self, http: ErpHttp, lent: Lent, *, refusal: Refusal, authorise: Authorise = bearer) -> None:
        self._http, self._lent, self._refusal, self._authorise = http, lent, refusal, authorise

    def call(self, call: Call) -> Answer:
        """The provider's answer to a call it did not refuse.

        A token refused is renewed once; calls that can do no harm twice are repeated up to twice. Once the answer
        to a write was lost, whatever fails after that stays AnswerLost, save the provider's definitive refusal: the
        effect is still unknown.
        """
        tries = _Tries(call, self._http.profile.patience)
        while True:
            try:
                return self._authorised(call)
            except (Transient, ConnectionLost, Rejected) as error:
                tries.note(error)
                pause = tries.pause(error, self._lent.jitter)
                if pause is None:
                    raise tries.verdict(error) from None
            self._lent.clock.sleep(pause)

    def lost(self, call: Call, why: str, answer: Answer) -> Transient:
        """The error for an answer that arrived but cannot be understood."""
        return self._http.lost(call, why, request_id=answer.request_id)

    def noted(self, error: ErpError, call: Call) -> ErpError:
        """The error itself, counted if the provider's catalogue lacks it.

        Its words are the ERP's, which quotes what it was sent: they end in logs and pages, so what is personal goes here.
        """
        words = personal_words(decode(call.body.decode("utf-8", "replace")))
        error.message = hide_in_text(error.message, words)
        error.args = (error.message,)
        if error.unclassified:
            self._lent.calls.note_unclassified(error.erp_code, error.message)
        return error

    def _authorised(self, call: Call) -> Answer:
        token = self._lent.tokens.access_token()
        try:
            return self._once(call, token)
        except TokenRejected:
            fresh = self._lent.tokens.access_token(rejected=token)
        try:
            return self._once(call, fresh)
        except TokenRejected as error:
            raise _refused_for_good(self._http.profile.provider, error) from None

    def _once(self, call: Call, token: str) -> Answer:
        lent = self._lent
        with lent.batch_turn() if call.batch else nullcontext(), lent.pacer.turn():
            try:
                answer = self._exchange(call, token)
            except Transient as error:
                lent.pacer.failed()
                exchanges.note(Exchange(call, failure=error.message))
                if not isinstance(error, NotSent):
                    lent.calls.count(call.kind, write=call.write)
                raise
        lent.calls.count(call.kind, write=call.write)
        exchanges.note(Exchange(call, answer))
        return self._judged(call, answer)

    def _exchange(self, call: Call, token: str) -> Answer:
        with tracing.span(
            f"{self._http.profile.provider} {call.kind}",
            kind="client",
            attributes={"http.request.method": call.method, "server.address": urlsplit(call.url).hostname},
        ) as span:
            answer = self._http.exchange(
                call, authorization=self._authorise(call, token), leaves=self._leaves if call.makes else None
            )
            span.set({"http.response.status_code": answer.status, "erp.request_id": answer.request_id})
            return answer

    def _leaves(self) -> None:
        leaving.look_at_the_note(self._lent.clock.now())

    def _judged(self, call: Call, answer: Answer) -> Answer:
        now = self._lent.clock.now()
        error = (
            throttled(self._http, answer, now)
            or self._refusal(call, answer)
            or refused_by_status(self._http, call, answer)
        )
        if isinstance(error, (Unavailable, AnswerLost)):
            self._lent.pacer.failed()
        elif isinstance(error, Throttled):
            self._lent.calls.note_throttled()
            self._lent.pacer.throttled()
        else:
            self._lent.pacer.answered()
        if error is None:
            return answer
        raise self.noted(error, call)


@dataclass
class _Tries:
    """What has happened to one call so far."""

    call: Call
    patience: int
    repeats: int = 0
    waits: int = 0
    doubt: bool = False

    def note(self, error: ErpError) -> None:
        self.doubt = self.doubt or isinstance(error, AnswerLost)

    def pause(self, error: ErpError, jitter: Callable[[], float]) -> float | None:
        """Seconds until the next try; None when there is none."""
        if isinstance(error, Throttled):
            if self.waits >= self.patience or error.retry_after > SHORT_WAIT:
                return None
            self.waits += 1
            return error.retry_after + (self.waits - 1) * jitter()  # callers that met there part ways
        harmless = self.call.repeatable or isinstance(error, NotSent)
        if isinstance(error, (ConnectionLost, Rejected)) or not harmless or self.repeats >= REPEATS:
            return None
        self.repeats += 1
        return min(SHORT_WAIT, (0.5, 1.0)[self.repeats - 1] * (1 + jitter()))

    def verdict(self, error: ErpError) -> ErpError:
        definitive = isinstance(error, Rejected) and error.definitive
        if not self.doubt or definitive or isinstance(error, AnswerLost):
            return error
        return AnswerLost(
            f"An earlier try of this write went unanswered, and then: {error.message}",
            mend=error.mend,
            erp_code=error.erp_code,
            request_id=error.request_id,
        )


def throttled(http: ErpHttp, answer: Answer, now: dt.datetime) -> Throttled | None:
    """Throttled for a 429, or for a refusal of any status whose body carries one of the provider's marks."""
    marked = answer.status >= 400 and any(mark in answer.text for mark in http.profile.throttle_marks)
    if answer.status != 429 and not marked:
        return None
    pause = retry_after(answer.retry_after, now, http.profile.pause_seconds)
    return Throttled(
        f"{http.profile.provider} asks for a pause of {pause:.0f} s.",
        retry_after=pause,
        mend="Nothing is to be done: it goes on by itself.",
        erp_code="429",
        request_id=answer.request_id,
    )


def retry_after(header: str, now: dt.datetime, otherwise: float = 60) -> float:
    """Seconds that a Retry-After header asks for (a number or an HTTP date), held within 1 and 300; else `otherwise`."""
    text = header.strip()
    try:
        seconds = float(text) if text.isdigit() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):
        return otherwise
    return min(max(seconds, 1.0), LONGEST_PAUSE)


def refused_by_status(http: ErpHttp, call: Call, answer: Answer) -> ErpError | None:
    """What the bare status means where the provider said nothing that its own table knows."""
    status, provider, request_id = answer.status, http.profile.provider, answer.request_id
    if 200 <= status < 300:
        return None
    if status == 401:
        return TokenRejected(f"{provider} refused the access token.", erp_code="401", request_id=request_id)
    if status >= 500 or status < 400 or status == 408:
        return http.lost(call, f"answered with HTTP {status}.", request_id=request_id, erp_code=str(status))
    return Rejected(
        f"{provider}, {call.kind}: refused with HTTP {status} and no reason.",
        cause="unknown",
        mend=f"Look the call up with {provider}'s support by its request id, or retry it.",
        erp_code=str(status),
        request_id=request_id,
        definitive=False,  # whoever said it, it was not the provider's own table: no proof that an earlier try did nothing
    )


def _refused_for_good(provider: str, error: TokenRejected) -> ConnectionLost:
    return ConnectionLost(
        f"{provider} refuses fresh access tokens.",
        mend=f"Reconnect {provider} in the integration settings.",
        erp_code=error.erp_code,
        request_id=error.request_id,
    )


class SystemClock:
    """The machine's time."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class _OneToken:
    token: str

    def access_token(self, *, rejected: str | None = None) -> str:
        if rejected:
            raise ConnectionLost("The access token was refused.", mend="Start the consent again.")
        return self.token


class _NoPace:
    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def throttled(self) -> None: ...

    def answered(self) -> None: ...

    def failed(self) -> None: ...


def lent_for_once(access_token: str, clock: Clock) -> Lent:
    """What a call needs that is made before there is a connection: one token, no pace, no count."""
    return Lent(_OneToken(access_token), _NoPace(), clock, CallCounter())
