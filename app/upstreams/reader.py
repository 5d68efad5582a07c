"""Reading one stream of an upstream, and what has been learnt from it so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from app.upstreams.errors import readable
from app.upstreams.sse import Frames
from app.upstreams.usage import Usage


@dataclass(slots=True)
class Learnt:
    """What a stream has told until now. `usage` may still grow until `finished`."""

    usage: Usage | None = None
    deltas: int = 0  # frames with something written in them: text, reasoning, or a piece of a tool call
    finished: bool = False  # it said why it stopped, and its usage where it tells one
    failed: bool = False  # it reported an error, or stopped in error with nothing written
    request_id: str | None = None


class Telling(Protocol):
    """How one dialect's events become OpenAI's."""

    def event(self, data: bytes, learnt: Learnt) -> list[bytes]:
        """The events that go on for one that came; notes what it tells. Raises Broken."""
        ...

    def end(self, _learnt: Learnt) -> list[bytes]:
        """The events still due when the upstream has closed and the answer is whole."""
        ...


class Reader:
    """Feed it what comes; it gives OpenAI's events, and afterwards knows what was used."""

    def __init__(self, telling: Telling, most: int) -> None:
        self._telling = telling
        self._most = most  # output tokens that were asked for, of which more are never counted
        self._frames = Frames()
        self._learnt = Learnt()

    @property
    def usage(self) -> Usage | None:
        """What the upstream told so far; None before it told anything."""
        return self._learnt.usage

    @property
    def deltas(self) -> int:
        """How many frames with something written in them came."""
        return self._learnt.deltas

    @property
    def finished(self) -> bool:
        """Whether the answer is whole, even if the upstream has not closed."""
        return self._learnt.finished and not self._learnt.failed

    @property
    def failed(self) -> bool:
        """Whether the upstream reported an error within the stream."""
        return self._learnt.failed

    @property
    def request_id(self) -> str | None:
        return self._learnt.request_id

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that this piece completes, ready to be passed on. Raises Broken for what is no such stream."""
        events: list[bytes] = []
        for data in self._frames.feed(piece):
            with readable():
                events += self._telling.event(data, self._learnt)
            if self._learnt.failed:
                break
        return events

    def end(self) -> list[bytes]:
        """The events that are still due when the upstream has closed: nothing unless the answer is whole."""
        return self._telling.end(self._learnt) if self.finished else []

    def so_far(self, prompt: int) -> Usage:
        """What to pay for what came: as told at the end; before it the input as told, else `prompt`, and one token
        for each frame with something written in it, where the upstream has not told more by then.
        """
        told, streamed = self._learnt.usage, min(self.deltas, self._most)
        if told is None:
            return Usage(prompt, streamed)
        if self.finished and told.is_told:
            return told
        # An input of nothing is one that the upstream tells later, or never.
        cost = told.told_cost or None
        return replace(told, prompt=told.prompt or prompt, completion=max(told.completion, streamed), told_cost=cost)
