"""How the upstreams' double answers one request: by its script, as far as the script's point, and what it bills."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support import llm_frames
from tests.support.llm_asked import Asked, Wrong, asked
from tests.support.llm_frames import Answer, Frame
from tests.support.llm_script import KEYS, Bill, Point, Script, Visit, price_of


class Left(Exception):
    """The other side hung up."""


class BreaksOff(Exception):
    """The double fails, as it was told to."""


class Play:
    """One request being answered."""

    def __init__(self, handler: BaseHTTPRequestHandler, visit: Visit) -> None:
        self._handler = handler
        self._visit = visit
        self._script = visit.script
        self._asked: Asked | None = None
        self._answer: Answer | None = None
        self._told_input = self._told_all = False

    def begins(self) -> str:
        visit, script = self._visit, self._script
        visit.upstream = visit.path.split("/")[1]
        try:
            visit.json = json.loads(visit.raw)
            self._asked = asked(visit.path, visit.headers, visit.json, KEYS)
            if script.status != 200:
                raise Wrong(script.status, script.message)
        except Wrong as wrong:
            self._head(wrong.status, "application/json", body := json.dumps(self._error(wrong)).encode())
            self._handler.wfile.write(body)
            return "refused"
        self._answer = _planned(script, self._asked)
        if script.raw is not None:
            self._head(200, "text/event-stream" if self._asked.stream else "application/json", script.raw)
            self._handler.wfile.write(script.raw)
            return "refused"
        if self._asked.stream:
            self._stream(list(_frames(self._asked, self._answer, script)))
        else:
            self._whole(json.dumps(_whole(self._asked.upstream, self._answer)).encode())
        return "whole"

    def bill(self, ending: str) -> Bill:
        it, answer = self._asked, self._answer
        if it is None or answer is None or (ending in ("broken", "refused") and not self._told_all):
            return Bill()
        everything = ending == "whole" or self._told_all
        completion = answer.completion if everything else self._visit.streamed
        cached = answer.cached if everything or self._told_input else 0
        dollars = price_of(it.model, it.prompt, completion, cached)
        if it.upstream == "openrouter" and everything:
            dollars = answer.cost
        return Bill(it.prompt, completion, cached, dollars)

    def _stream(self, frames: list[Frame]) -> None:
        stop = _place(frames, self._script.at)
        if self._script.at == Point.BEFORE_HEADERS:
            self._pause()
        self._head(200, "text/event-stream", None)
        for number, frame in enumerate(frames):
            data = frame.data
            if number == stop and self._script.at == Point.TRUNCATED:
                half = len(data) // 2
                self._chunk(data[:half])
                data = data[half:]
            if number == stop:
                self._pause()
            self._chunk(data)
            self._visit.streamed += frame.tokens
            self._told_input = self._told_input or self._asked.upstream in ("anthropic", "google")
            self._told_all = self._told_all or frame.kind == "usage"
        self._handler.wfile.write(b"0\r\n\r\n")

    def _whole(self, body: bytes) -> None:
        size, at = len(body), self._script.at
        stops = {Point.AFTER_HEADERS: 0, Point.AFTER_FIRST: 1, Point.TRUNCATED: size - 1, Point.BEFORE_DONE: size}
        stops[Point.BEFORE_USAGE] = body.index(b'"usage')
        stop = stops.get(at, size // 2) if at else 0
        if at == Point.BEFORE_HEADERS:
            self._pause()
        self._head(200, "application/json", body)
        self._handler.wfile.write(body[:stop])
        self._told_all = stop == size
        if at not in (None, Point.BEFORE_HEADERS):
            self._pause()
        self._handler.wfile.write(body[stop:])

    def _pause(self) -> None:
        """The point: break off, report an error, or wait for the test."""
        visit, side = self._visit, self._script.side
        visit.reached()
        if side == "error":
            self._chunk(self._error_frame())
            raise BreaksOff
        if side == "upstream":
            if self._script.at == Point.STALL:
                visit.waits(self._handler.connection, may_go_on=False)
            raise BreaksOff
        if not visit.waits(self._handler.connection, may_go_on=True):
            raise Left

    def _head(self, status: int, kind: str, body: bytes | None) -> None:
        handler = self._handler
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Set-Cookie", "who=caller-before; Path=/")
        handler.send_header("request-id" if self._visit.upstream == "anthropic" else "x-request-id", "req-9")
        if self._script.location:
            handler.send_header("Location", self._script.location)
        if self._script.at is not None:
            handler.send_header("Connection", "close")  # or the next request might come while this one hangs up
        if body is None:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()

    def _chunk(self, data: bytes) -> None:
        if data:
            self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _error(self, wrong: Wrong) -> dict[str, Any]:
        if self._visit.upstream == "anthropic":
            return {"type": "error", "error": {"type": "invalid_request_error", "message": wrong.message}}
        if self._visit.upstream == "google":
            return {"error": {"code": wrong.status, "message": wrong.message, "status": "INVALID_ARGUMENT"}}
        return {"error": {"message": wrong.message, "type": "invalid_request_error", "param": None, "code": None}}

    def _error_frame(self) -> bytes:
        said = json.dumps(self._error(Wrong(500, self._script.message))).encode()
        begin = b"event: error\n" if self._visit.upstream == "anthropic" else b""
        return begin + b"data: " + said + b"\n\n"


def _planned(script: Script, it: Asked) -> Answer:
    """What it is going to say, no longer than it may."""
    words = script.words[: max(0, it.most - script.reasoning)]
    reason = "tool" if script.tool else "stop" if len(words) == len(script.words) else "length"
    answer = Answer(it.model, it.prompt, words, script.tool, script.cached, script.reasoning, reason)
    list_price = price_of(it.model, it.prompt, answer.completion, script.cached)
    return Answer(*(getattr(answer, name) for name in Answer.__slots__ if name != "cost"), list_price * script.discount)


def _frames(it: Asked, answer: Answer, script: Script) -> Iterator[Frame]:
    if it.upstream == "anthropic":
        return llm_frames.anthropic_frames(answer)
    if it.upstream == "google":
        return llm_frames.google_frames(answer)
    tells_usage = it.wants_usage and script.tells_usage
    return llm_frames.openai_frames(answer, tells_cost=it.upstream == "openrouter", tells_usage=tells_usage)


def _whole(upstream: str, answer: Answer) -> dict[str, Any]:
    if upstream == "anthropic":
        return llm_frames.anthropic_whole(answer)
    if upstream == "google":
        return llm_frames.google_whole(answer)
    return llm_frames.openai_whole(answer, tells_cost=upstream == "openrouter")


def _place(frames: list[Frame], at: Point | None) -> int | None:
    """The frame before which it stops."""
    content = [number for number, frame in enumerate(frames) if frame.kind == "content"]
    kinds = [frame.kind for frame in frames]
    if at is None or at == Point.BEFORE_HEADERS:
        return None
    if at in (Point.AFTER_HEADERS, Point.AFTER_FIRST):
        return 0 if at == Point.AFTER_HEADERS else content[0] + 1
    if at in (Point.BEFORE_USAGE, Point.BEFORE_DONE):
        return kinds.index("usage" if at == Point.BEFORE_USAGE else "done")
    return content[len(content) // 2]
