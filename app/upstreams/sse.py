"""Server-sent events: cutting a stream into frames, and writing OpenAI's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isfinite
from typing import Any, NoReturn

from app.upstreams.errors import Broken

LARGEST_FRAME = 4 * 1024 * 1024  # bytes
DONE = b"data: [DONE]\n\n"


class Frames:
    """Cuts pieces of any size into the data of whole events; half an event waits for its rest, maybe for ever."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of every event that is whole now. Raises Broken for a frame without end."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) + sum(map(len, self._data)) > LARGEST_FRAME:
            raise Broken("The upstream's stream is not readable.")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))

    def _line(self, line: bytes) -> Iterator[bytes]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:  # an empty line ends the event; names, ids and comments say nothing more
            yield b"\n".join(self._data)
            self._data = []


def event(value: Any) -> bytes:
    """One event as OpenAI writes it."""
    return b"data: " + encoded(value) + b"\n\n"


def encoded(value: Any) -> bytes:
    """JSON in UTF-8. Half a character, which JSON can carry and UTF-8 cannot, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def parsed(data: bytes) -> dict[str, Any]:
    """The object in an event, or of an answer. Raises Broken."""
    return _object(data, None)


def parsed_exactly(data: bytes) -> dict[str, Any]:
    """The same with decimals as they were written, for a cost that is told to the last digit."""
    return _object(data, Decimal)


def _finite(digits: str) -> Any:
    """A number as JSON has it. Raises ValueError for what no other reader could take: 1e999 would become Infinity."""
    number = json.loads(digits)
    return number if isfinite(number) else _no_number(digits)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _object(data: bytes, decimals: Callable[[str], Any] | None) -> dict[str, Any]:
    try:
        value = json.loads(data, parse_float=decimals or _finite, parse_constant=_no_number)
    except (ValueError, RecursionError) as unreadable:
        raise Broken("The upstream's stream is not readable.") from unreadable
    if not isinstance(value, dict):
        raise Broken("The upstream's stream is not readable.")
    return value
