"""A call to a model: money is held, the upstream asked, and what was used is paid, whoever leaves in between (SPEC §6).

The hold is committed before the first byte goes upstream; the network is never within a transaction. Each call ends
once: paid for what it used, or released because the upstream failed. One whose process died is ended by the sweeper.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app import clock, ledger
from app.config import Settings
from app.db import transaction
from app.errors import Refusal
from app.llm import calls, prices, tokens, written
from app.llm.calls import Ask, Opened, Told
from app.llm.prices import Price
from app.llm.refusals import UpstreamBusy, UpstreamFailed, UpstreamRefused, UpstreamTimeout
from app.money import round_half_away
from app.upstreams import errors, registry, routing, sse
from app.upstreams.chat import ChatRequest
from app.upstreams.client import Client, Stream
from app.upstreams.dialect import Order, Route
from app.upstreams.usage import Usage

log = logging.getLogger(__name__)

MARGIN = timedelta(seconds=60)  # between the longest call and the end of its hold, for settling
_PAUSES = (0.2, 1.0, 5.0)  # seconds before a settlement is tried again that found the database locked
_RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Proxy:
    """What every call shares. `usual`: output tokens where the caller gives no limit; `markup`: percent on the cost."""

    client: Client
    sessions: Callable[[], Session]
    currency: str
    usual: int
    markup: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it is. `key`: the Idempotency-Key, None without one; `headers`: those of the request."""

    customer_id: str
    key_id: str
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def proxy_of(settings: Settings, engine: Engine) -> Proxy:
    """The proxy of this installation. Each call writes in sessions of its own, since it may outlive its request."""
    client = Client(registry.configured(settings), seconds=settings.llm_timeout)
    sessions = sessionmaker(engine, expire_on_commit=False)
    return Proxy(client, sessions, settings.currency, settings.llm_max_tokens, settings.llm_markup_percent)


def whole(proxy: Proxy, caller: Caller, request: ChatRequest) -> tuple[str, dict[str, Any]]:
    """The call's id and its answer in one piece.

    Raises UnknownModel, WalletEmpty, Invalid for what the upstream has no word for, and UpstreamRefused, UpstreamBusy,
    UpstreamFailed or UpstreamTimeout, of which none costs anything.
    """
    call = _open(proxy, caller, request)
    with call.failing():
        answer = proxy.client.whole(call.route, call.order, caller.headers)
    told = answer.usage if answer.usage is not None and answer.usage.is_told else None
    used = told or Usage(tokens.counted(request), written.counted(answer.answer))
    call.settle(used, counted=told is None, request_id=answer.request_id)
    return call.opened.id, answer.answer


def stream(proxy: Proxy, caller: Caller, request: ChatRequest) -> Streamed:
    """The answer as it is written; close it in any case. Raises as `whole` does, until the first event is there."""
    call = _open(proxy, caller, request)
    with call.failing():
        upstream = proxy.client.stream(call.route, call.order, caller.headers)
    streamed = Streamed(call, upstream)
    streamed.begin()
    return streamed


def end_overdue(session_factory: Callable[[], Session], limit: int = 100) -> int:
    """Give back what is held for calls whose process died; how many calls (SPEC L3)."""
    with session_factory() as session:
        with transaction(session):
            ledger.expire_holds(session, clock.now(), limit)
        with transaction(session):
            return calls.abandon_overdue(session, clock.now(), limit)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that is held for, and the two ways in which it ends."""

    proxy: Proxy
    opened: Opened
    route: Route
    order: Order
    price: Price

    def settle(self, used: Usage, *, counted: bool, request_id: str | None) -> None:
        """Pay for what was used."""
        cost, opened = self.price.cost(used), self.opened
        told = Told(used.prompt, used.completion, used.cached, cost, counted, request_id)
        markup, currency = round_half_away(cost * self.proxy.markup, 100), self.proxy.currency
        self._write(
            lambda session: calls.settle(
                session, opened.customer_id, opened.id, told, markup_micros=markup, currency=currency
            )
        )

    def release(self, outcome: str, request_id: str | None = None) -> None:
        """Pay nothing."""
        who = (self.opened.customer_id, self.opened.id)
        self._write(lambda session: calls.release(session, *who, outcome=outcome, upstream_request_id=request_id))

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Whatever goes wrong in here costs nothing. Raises an upstream's fault as a refusal."""
        try:
            yield
        except errors.UpstreamError as no:
            raise self.gives_up(no) from no
        except BaseException as fault:
            self.release("released" if isinstance(fault, Refusal) else "error")
            raise

    def gives_up(self, no: errors.UpstreamError) -> Refusal:
        """Pay nothing, as the upstream failed; what the caller is told."""
        log.warning("%s failed call %s: %s (%s, %s)", self.route.upstream, self.opened.id, no, no.status, no.request_id)
        self.release("released", no.request_id)
        return _refusal(self.route, no)

    def _write(self, ending: Callable[[Session], object]) -> None:
        """In a transaction of its own, whatever the request's is doing; again while the database is locked."""
        for pause in (*_PAUSES, None):
            try:
                with self.proxy.sessions() as session, transaction(session):
                    ending(session)
                return
            except OperationalError:
                if pause is None:
                    log.critical("call %s could not be ended; the sweeper will release it", self.opened.id)
                    raise
                log.warning("call %s waits for the database to be ended", self.opened.id, exc_info=True)
                time.sleep(pause)


class Streamed:
    """A streamed answer as OpenAI's events. However it ends, and whoever ends it, it is paid or released once.

    A server that finds its client gone closes what it was sending: then the input and what was streamed is paid.
    """

    def __init__(self, call: _Call, upstream: Stream) -> None:
        self._call = call
        self._upstream = upstream
        self._events = iter(upstream)
        self._first: bytes | None = None
        self._is_over = False
        self._handed: float | None = None  # when the caller was given the last event
        self._kept_waiting = 0.0  # seconds that the caller took to take what there was

    @property
    def call_id(self) -> str:
        return self._call.opened.id

    def begin(self) -> None:
        """Wait for the first event, so that an upstream that fails at once is told as a refusal. Raises it."""
        try:
            with self._call.failing():
                self._first = next(self._events, None)
        except BaseException:
            self._is_over = True
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._handed is not None:
            self._kept_waiting += time.monotonic() - self._handed
        event, self._first = self._first or self._next(), None
        self._handed = time.monotonic()
        return event

    def close(self) -> None:
        """The end, whoever wants it. Before the upstream is done the caller has left. Twice is once."""
        self._upstream.close()
        if not self._is_over:
            self._pay()

    def _next(self) -> bytes:
        if self._is_over:
            raise StopIteration
        try:
            event = next(self._events, None)
        except errors.UpstreamError as no:
            return self._broken(no)
        except BaseException:
            self._is_over = True
            self._call.release("error")
            raise
        if event is None:
            self._pay()
            raise StopIteration
        return event

    def _broken(self, no: errors.UpstreamError) -> bytes:
        """An upstream that failed costs nothing; one whose time ran out because nobody took what it wrote does."""
        if isinstance(no, errors.TimedOut) and 2 * self._kept_waiting > self._call.proxy.client.seconds:
            self._pay()
            return _told(_refusal(self._call.route, no))
        self._is_over = True
        return _told(self._call.gives_up(no))

    def _pay(self) -> None:
        self._is_over = True
        told = self._upstream.reader.usage
        used = self._upstream.so_far(tokens.counted(self._call.order.request))
        self._call.settle(used, counted=told is None or not told.is_told, request_id=self._upstream.request_id)


def _open(proxy: Proxy, caller: Caller, request: ChatRequest) -> _Call:
    """Route, price and hold. Raises UnknownModel, WalletEmpty, Conflict, IdempotencyKeyReused."""
    route = routing.route(request.model, proxy.client.upstreams)
    most_in, is_stream = tokens.bound(request), bool(request.stream)
    with proxy.sessions() as session:
        price = prices.price(session, route, clock.now(), currency=proxy.currency)
        ask = Ask(
            upstream=route.upstream,
            model=request.model,
            stream=is_stream,
            key_id=caller.key_id,
            key=caller.key,
            request_hash=_hash(request),
            output=request.limit or proxy.usual,
            price_version=price.version,
        )
        lives = timedelta(seconds=proxy.client.longest) + MARGIN
        with transaction(session):
            opened = calls.open_call(
                session,
                caller.customer_id,
                ask,
                lambda output: _marked_up(price.bound(most_in, output), proxy.markup),
                lives=lives,
                currency=proxy.currency,
            )
    order = Order(request, route.model, opened.output, is_stream, price.ceiling)
    return _Call(proxy, opened, route, order, price)


def _hash(request: ChatRequest) -> str:
    """What makes it the same request again. Escaped, as half a character cannot be written otherwise."""
    return hashlib.sha256(json.dumps(request.model_dump(mode="json")).encode()).hexdigest()


def _marked_up(cost: int, percent: int) -> int:
    return cost + round_half_away(cost * percent, 100)


def _told(no: Refusal) -> bytes:
    """A refusal within a stream that has begun."""
    return sse.event({"error": {"code": type(no).code, "message": no.sentence, "details": no.details}})


def _refusal(route: Route, no: errors.UpstreamError) -> Refusal:
    """What the caller is told; the upstream's own words only where they were cleaned."""
    told: dict[str, Any] = {"upstream": route.upstream}
    if isinstance(no, errors.Refused):
        return UpstreamRefused(no.sentence, **told, upstream_status=no.status)
    if isinstance(no, errors.Busy):
        return UpstreamBusy(no.sentence, **told, retry_after=_RETRY_AFTER)
    kind = UpstreamTimeout if isinstance(no, errors.TimedOut) else UpstreamFailed
    return kind(no.sentence, **told)
