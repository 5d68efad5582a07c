"""What the upstreams' double is told to do with one request, what came of it, and what it takes for it."""

from __future__ import annotations

import select
import socket
import threading
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

PATIENCE = 20  # seconds until a test that waits for what does not come fails
WORDS = ("One ", "two ", "three ", "four ", "five ", "six ")
# Dollars for a million tokens of input, output and input from a cache, as the vendors publish them.
PRICES = {
    "gpt-4o": ("2.50", "10", "1.25"),
    "claude-sonnet-4-0": ("3", "15", "0.30"),
    "gemini-2.0-flash": ("0.10", "0.40", "0.025"),
    "openai/gpt-4o": ("2.50", "10", "1.25"),
}
MODELS = {
    "openai": "gpt-4o",
    "anthropic": "claude-sonnet-4-0",
    "google": "gemini-2.0-flash",
    "openrouter": "openai/gpt-4o",
}
KEYS = {name: f"key-of-{name}-0123456789abcdef" for name in MODELS}
PLACES = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic",
    "google": "/google/v1beta",
    "openrouter": "/openrouter/api/v1",
}


class Point(StrEnum):
    """Where something happens."""

    BEFORE_HEADERS = "before headers"
    AFTER_HEADERS = "after headers"
    AFTER_FIRST = "after the first chunk"
    MID = "in the middle"
    BEFORE_USAGE = "before usage"
    BEFORE_DONE = "after usage, before the good-bye"
    TRUNCATED = "within a frame"
    STALL = "silence in the middle"


@dataclass(frozen=True, slots=True)
class Script:
    """What one request gets. `at` with side "upstream": it breaks off there, or falls silent. With "client": it waits
    there until the other side hangs up or the test lets it go on. With "error": it reports an error there.
    """

    words: tuple[str, ...] = WORDS
    tool: tuple[str, tuple[str, ...]] | None = None
    cached: int = 0
    reasoning: int = 0
    at: Point | None = None
    side: str = "client"
    status: int = 200
    location: str = ""  # for a redirect
    message: str = "Something is wrong."
    discount: Decimal = Decimal(1)  # what OpenRouter's seller takes of the list price
    tells_usage: bool = True
    raw: bytes | None = None  # instead of an answer


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request costs, in the double's own arithmetic."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    dollars: Decimal = Decimal(0)

    @property
    def micros(self) -> int:
        return int((self.dollars * 1_000_000).to_integral_value(ROUND_HALF_UP))


def price_of(model: str, prompt: int, completion: int, cached: int) -> Decimal:
    paid, output, from_cache = (Decimal(each) for each in PRICES[model])
    return ((prompt - cached) * paid + cached * from_cache + completion * output) / 1_000_000


class Visit:
    """One request as it came, what became of it, and its bill."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes, script: Script) -> None:
        self.path = path
        self.headers = headers
        self.raw = body
        self.script = script
        self.json: Any = None
        self.upstream = ""
        self._ending, self._bill = "", Bill()
        self.streamed = 0  # tokens that went out
        self._arrived, self._over = threading.Event(), threading.Event()
        self._woken, self._wake = socket.socketpair()
        self._ending_or_waking = threading.Lock()

    @property
    def ending(self) -> str:
        """whole, left, broken or refused; waits until it is over."""
        self.is_over()
        return self._ending

    @property
    def bill(self) -> Bill:
        """What it costs; waits until it is over, which is a moment after the last byte."""
        self.is_over()
        return self._bill

    def arrives(self) -> None:
        """Wait until the script's point is reached."""
        assert self._arrived.wait(PATIENCE), f"{self.path} never came to {self.script.at}"

    def goes_on(self) -> None:
        """Let it go on from its point, if nobody hung up meanwhile: a whole answer's reader does when it has it all."""
        with self._ending_or_waking:
            if not self._over.is_set():
                self._wake.send(b"!")

    def is_over(self) -> None:
        """Wait until its bill is written."""
        assert self._over.wait(PATIENCE), f"{self.path} never ended"

    def reached(self) -> None:
        self._arrived.set()

    def waits(self, connection: socket.socket, *, may_go_on: bool) -> bool:
        """Wait for the test or for the other side; whether the other side is still there."""
        told, _, _ = select.select([connection, self._woken] if may_go_on else [connection], [], [], PATIENCE)
        return bool(told) and connection not in told

    def ends(self, ending: str, bill: Bill) -> None:
        self._ending, self._bill = ending, bill
        self._arrived.set()
        with self._ending_or_waking:
            self._over.set()
            self._woken.close()
            self._wake.close()
