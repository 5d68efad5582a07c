"""Our own debit paths, driven by threads: through the committer, through sessions, and in bulk."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.ledger import Account

REVENUE = Account("house", "revenue", "usd")
CASH = Account("house", "cash:bench", "usd")
WALLETS = 10_000


@dataclass
class Measured:
    """What one run saw."""

    per_second: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    python_share: float = 0.0
    statements: float = 0.0
    batches: Counter[int] = field(default_factory=Counter)


def wallet(number: int) -> Account:
    return Account(f"cus_{number:026d}", "wallet", "usd")


def fill(committer: ledger.Committer) -> None:
    """Every wallet gets a million dollars."""
    amount = 10**12
    for start in range(0, WALLETS, 2000):
        committer.post_many(
            [
                ledger.posting(
                    "topup", {wallet(n): amount, CASH: -amount}, customer_id=wallet(n).customer_id, key="fill"
                )
                for n in range(start, start + 2000)
            ]
        )


def run(
    engine: Engine, *, threads: int, wallets: int, seconds: float, path: str = "committer", lines: int = 1
) -> Measured:
    """Debits of one micro from random wallets among the first `wallets`, as fast as each thread gets its answer."""
    committer = ledger.Committer(engine, lines=lines)
    said = _counting(committer)
    _warm(committer, wallets)
    said[0] = 0
    for line in committer._lines:
        line.batch_sizes.clear()
    tag = uuid.uuid4().hex[:12]
    until = time.perf_counter() + seconds
    took: list[list[float]] = [[] for _ in range(threads)]

    def work(me: int) -> None:
        choose = random.Random(f"{tag}{me}")
        mine = took[me]
        session = Session(engine, expire_on_commit=False) if path == "session" else None
        while (began := time.perf_counter()) < until:
            one = wallet(choose.randrange(wallets))
            legs, key = {one: -1, REVENUE: 1}, f"debit:{tag}:{me}:{len(mine)}"
            if session is None:
                committer.post("debit", legs, customer_id=one.customer_id, key=key)
            else:
                with transaction(session):
                    ledger.post(session, "debit", legs, customer_id=one.customer_id, key=key)
            mine.append(time.perf_counter() - began)
        if session is not None:
            session.close()

    workers = [threading.Thread(target=work, args=(me,)) for me in range(threads)]
    cpu, began = time.process_time(), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    committer.close()
    every = sorted(duration for mine in took for duration in mine)
    done = len(every)
    return Measured(
        done / wall, every[done // 2] * 1e3, every[done * 99 // 100] * 1e3, cpu / wall, said[0] / done,
        committer.batch_sizes,
    )  # fmt: skip


def bulk(engine: Engine, *, size: int, wallets: int, seconds: float) -> Measured:
    """Charges handed over `size` at a time."""
    committer = ledger.Committer(engine)
    said = _counting(committer)
    _warm(committer, wallets)
    said[0] = 0
    tag = uuid.uuid4().hex[:12]
    cpu, began, done = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        many = []
        for _ in range(size):
            one = wallet(random.randrange(wallets))
            key = f"debit:{tag}:{done}"
            many.append(ledger.posting("debit", {one: -1, REVENUE: 1}, customer_id=one.customer_id, key=key))
            done += 1
        assert all(isinstance(answer, ledger.Entry) for answer in committer.post_many(many))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    committer.close()
    return Measured(done / wall, python_share=cpu / wall, statements=said[0] / done)


def _warm(committer: ledger.Committer, wallets: int) -> None:
    """A process that has been up for a while has seen its wallets."""
    tag = uuid.uuid4().hex[:12]
    for start in range(0, wallets, 1000):
        committer.post_many(
            [
                ledger.posting(
                    "debit", {wallet(n): -1, REVENUE: 1}, customer_id=wallet(n).customer_id, key=f"warm:{tag}"
                )
                for n in range(start, min(wallets, start + 1000))
            ]
        )


def _counting(committer: ledger.Committer) -> list[int]:
    """Counts the statements the committer sends."""
    said = [0]
    for line in committer._lines:
        line.clerk._run = _counted(line.clerk._run, said)
        if hasattr(line.clerk, "_run_many"):  # SQLite's
            line.clerk._run_many = _counted(line.clerk._run_many, said)
    return said


def _counted(send, said: list[int]):
    def sent(*call):
        said[0] += 1
        return send(*call)

    return sent
