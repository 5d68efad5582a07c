"""What the proxy adds to a model call: the same calls to the upstreams' double bare, and through a real server.

    python benchmarks/proxy.py [--rounds 300] [--callers 8] [--only sqlite|postgresql]

The double is a process of its own, and so is `purser serve`. Bare and proxied calls take turns, so that a busy machine
slows both alike. It times the answer in one piece, a stream's first event and its end, by one caller and by several at
once; prints p50 and p99 of both, what the proxy adds and their ratios; and fails when the wallet has not paid exactly
the double's price for every call, when anything is still held, or when the books are not clean.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy.orm import Session

from app import ledger, schema
from app.customers import api_keys, customers
from app.db import make_engine, transaction
from app.wallet import adjust
from app.wallet.accounts import wallet_of
from benchmarks import servers
from tests.support.llm_double import KEYS, LlmDouble

ROOT = Path(__file__).resolve().parent.parent
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Count to six."}], "max_tokens": 50}
PRICE = 80  # micros: 8 tokens in at $2.50 and 6 out at $10 a million
START = 10**11
SECRET = "k" * 40
WARM = 20  # calls that are not timed


@dataclass
class Line:
    """Where a call is sent, and how: to the double itself, or through the proxy."""

    address: str
    path: str
    headers: dict[str, str]
    limit: str

    def whole(self, connection: http.client.HTTPConnection) -> tuple[float, ...]:
        began, answer = time.perf_counter(), self._ask(connection, stream=False)
        assert json.loads(answer.read())["object"] == "chat.completion"
        return (time.perf_counter() - began,)

    def stream(self, connection: http.client.HTTPConnection) -> tuple[float, ...]:
        """Until the first event, and until the last."""
        began, answer = time.perf_counter(), self._ask(connection, stream=True)
        assert answer.readline().startswith(b"data: ")
        first = time.perf_counter() - began
        assert answer.read().endswith(b"data: [DONE]\n\n")
        return first, time.perf_counter() - began

    def _ask(self, connection: http.client.HTTPConnection, *, stream: bool) -> http.client.HTTPResponse:
        body = {name if name != "max_tokens" else self.limit: value for name, value in BODY.items()}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        connection.request("POST", self.path, json.dumps(body), self.headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer


def main() -> int:
    asked = _arguments()
    if asked.double:
        return _be_the_double()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _double() as double:
        if asked.only != "postgresql":
            faults += measure("SQLite", f"sqlite:///{folder}/proxy.db", double, asked)
        if asked.only != "sqlite":
            Path(folder).chmod(0o777)
            with servers.postgresql(Path(folder)) as home:
                faults += measure("PostgreSQL", f"postgresql://postgres@/postgres?host={home}", double, asked)
    print("\n" + ("\n".join(faults) or "Every call was paid at the double's price; the books are clean."))
    return 1 if faults else 0


def measure(title: str, url: str, double: dict[str, str], asked: argparse.Namespace) -> list[str]:
    """Measure and print one database; what is wrong, in sentences."""
    schema.upgrade(url)
    engine = make_engine(url)
    with Session(engine) as session, transaction(session):
        who = customers.open_customer(session, name="Caller", email="caller@example.com", actor="system").id
        adjust.adjust(session, who, START, reason="To spend", actor="system", key="start")
        key = api_keys.create_service_key(session, name="Caller")[1]
    upstream = urlsplit(double["OPENAI_BASE_URL"])
    to_us = {"Authorization": f"Bearer {key}", "Purser-Customer": who, "Content-Type": "application/json"}
    to_it = {"Authorization": f"Bearer {KEYS['openai']}", "Content-Type": "application/json"}
    calls = 0
    print(f"\n## {title}\n\n| call | bare p50, p99 ms | proxied p50, p99 ms | added p50, p99 ms | ratio p50, p99 |")
    print("|---|---|---|---|---|")
    with _server(url, double) as port:
        bare = Line(upstream.netloc, upstream.path + "/chat/completions", to_it, "max_completion_tokens")
        proxied = Line(f"127.0.0.1:{port}", "/api/llm/proxy", to_us, "max_tokens")
        for callers in (1, asked.callers):
            for kind, names in (("whole", ["whole"]), ("stream", ["stream, first event", "stream, end"])):
                took = _in_turns([bare, proxied], kind, callers, asked.rounds)
                calls += (asked.rounds + WARM) * callers
                for place, name in enumerate(names):
                    columns = [sorted(one[place] for one in of_line) for of_line in took]
                    print(_row(f"{name}, {callers} at once" if callers > 1 else name, *columns))
    with Session(engine) as session:
        balance = ledger.balance(session, wallet_of(who))
        faults = [f"{title}: {fault}" for fault in ledger.audit(session, full=True).faults]
    engine.dispose()
    if (START - balance.balance, balance.held) != (calls * PRICE, 0):
        faults.append(f"{title}: {calls} calls cost {START - balance.balance}, and {balance.held} is held.")
    return faults


def _in_turns(lines: list[Line], kind: str, callers: int, rounds: int) -> list[list[tuple[float, ...]]]:
    """What every call took, of each line; with several callers each of them makes so many."""
    took: list[list[tuple[float, ...]]] = [[] for _ in lines]

    def call() -> None:
        connections = [http.client.HTTPConnection(line.address, timeout=60) for line in lines]
        for number in range(rounds + WARM):
            for line, connection, kept in zip(lines, connections, took, strict=True):
                spent = getattr(line, kind)(connection)
                if number >= WARM:
                    kept.append(spent)
        for connection in connections:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _row(name: str, bare: list[float], proxied: list[float]) -> str:
    pairs = [(column[len(column) // 2] * 1e3, column[len(column) * 99 // 100] * 1e3) for column in (bare, proxied)]
    (bare50, bare99), (ours50, ours99) = pairs
    figures = [(bare50, bare99), (ours50, ours99), (ours50 - bare50, ours99 - bare99)]
    cells = [f"{middle:.1f}, {slow:.1f}" for middle, slow in figures]
    return f"| {name} | {' | '.join(cells)} | {ours50 / bare50:.1f}, {ours99 / bare99:.1f} |"


@contextlib.contextmanager
def _double() -> Iterator[dict[str, str]]:
    """The double in a process of its own; the settings that lead to it."""
    process = subprocess.Popen([sys.executable, __file__, "--double"], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _be_the_double() -> int:
    print(json.dumps(LlmDouble().start().environ()), flush=True)
    sys.stdin.read()
    return 0


@contextlib.contextmanager
def _server(url: str, double: dict[str, str]) -> Iterator[int]:
    """`purser serve` with one process and enough threads; its port."""
    port = 18_700 + os.getpid() % 1_000
    ours = {"PURSER_ENV": "test", "PURSER_DATABASE_URL": url, "PURSER_SECRET_KEY": SECRET}
    words = [sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", "1", "--threads", "32"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **double, **ours}, **quiet)
    try:
        _until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).status == 200)
        yield port
    finally:
        process.terminate()
        process.wait()


def _until(ready: Callable[[], bool]) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            if ready():
                return
        time.sleep(0.1)
    raise SystemExit("The server did not start.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--double", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
