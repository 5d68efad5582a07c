"""Many at once: the last cent is spent once, opposite orders do not deadlock, a killed process loses nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import ids, ledger
from app.db import transaction
from app.errors import InsufficientFunds
from app.ledger import Account, Committer
from tests.ledger.conftest import CASH, REVENUE, Wallet
from tests.support.warm_start import WarmStart

CENT = 10_000


def hammer(threads: int, times: int, spend: Callable[[str], object]) -> tuple[int, list[BaseException]]:
    """How many spendings succeeded, and whatever went wrong besides being refused."""
    done: list[int] = []
    wrong: list[BaseException] = []

    def work(me: int) -> None:
        for number in range(times):
            try:
                spend(f"{me}:{number}")
                done.append(1)
            except InsufficientFunds:
                pass
            except BaseException as failure:
                wrong.append(failure)

    workers = [threading.Thread(target=work, args=(me,)) for me in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(done), wrong


@pytest.mark.parametrize("way", ["committer", "session", "both", "two committers"])
def test_sixteen_threads_spend_a_dollar_a_hundred_times(engine: Engine, wallet: Wallet, way: str) -> None:
    wallet.tops_up(100 * CENT)
    committers = [Committer(engine), Committer(engine)]
    legs = {wallet.account: -CENT, REVENUE: CENT}

    def spend(key: str) -> None:
        odd = int(key.partition(":")[0]) % 2
        if way == "committer" or (way == "both" and odd):
            committers[0].post("debit", legs, customer_id=wallet.customer_id, key=key)
        elif way == "two committers":
            committers[odd].post("debit", legs, customer_id=wallet.customer_id, key=key)
        else:
            with Session(engine) as session, transaction(session):
                ledger.post(session, "debit", legs, customer_id=wallet.customer_id, key=key)

    succeeded, wrong = hammer(16, 8, spend)

    for committer in committers:
        committer.close()
    assert wrong == []
    assert succeeded == 100
    assert wallet.balance.balance == 0


def test_sixteen_threads_retrying_one_key_post_once(engine: Engine, wallet: Wallet) -> None:
    wallet.tops_up(100 * CENT)
    committers = [Committer(engine), Committer(engine)]
    legs = {wallet.account: -CENT, REVENUE: CENT}

    def spend(key: str) -> None:
        worker, number = map(int, key.split(":"))
        if worker % 3 == 2:
            with Session(engine) as session, transaction(session):
                ledger.post(session, "debit", legs, customer_id=wallet.customer_id, key=str(number))
        else:
            committers[worker % 3].post("debit", legs, customer_id=wallet.customer_id, key=str(number))

    _, wrong = hammer(16, 3, spend)

    for committer in committers:
        committer.close()
    assert wrong == []
    assert wallet.balance.balance == 97 * CENT


def test_legs_in_opposite_order_do_not_deadlock(engine: Engine, wallet: Wallet) -> None:
    units = Account(wallet.customer_id, "credits", "credits")
    issued = Account("house", "issued", "credits")
    wallet.tops_up(10**9)
    forth = {wallet.account: -1, REVENUE: 1, units: 1, issued: -1}
    back = dict(reversed(forth.items()))

    def buy(key: str) -> None:
        with Session(engine) as session, transaction(session):
            legs = forth if int(key.partition(":")[0]) % 2 else back
            ledger.post(session, "pack", legs, customer_id=wallet.customer_id, key=key)

    succeeded, wrong = hammer(6, 8, buy)

    assert wrong == []
    assert succeeded == 48


def test_batches_over_the_same_wallets_in_opposite_order_do_not_deadlock(engine: Engine) -> None:
    wallets = [Account(ids.new("cus"), "wallet", "usd") for _ in range(20)]
    committers = [Committer(engine), Committer(engine)]
    committers.append(Committer(engine, lines=2))
    for one in wallets:
        committers[0].post("topup", {one: 1000, CASH: -1000}, customer_id=one.customer_id, key="fill")

    def charge(key: str) -> None:
        odd = int(key.partition(":")[0])
        many = [
            ledger.posting("debit", {one: -1, REVENUE: 1}, customer_id=one.customer_id, key=key)
            for one in (wallets if odd else wallets[::-1])
        ]
        assert all(isinstance(answer, ledger.Entry) for answer in committers[odd].post_many(many))

    _, wrong = hammer(3, 6, charge)

    for committer in committers:
        committer.close()
    assert wrong == []


POSTS_IN_A_LOOP = """
import sys, threading
from app import ledger
from app.db import make_engine
from app.ledger import Account

url, customer, tag = sys.argv[1:]
committer = ledger.Committer(make_engine(url))
wallet, revenue = Account(customer, "wallet", "usd"), Account("house", "revenue", "usd")

def work(me):
    number = 0
    while True:
        key = f"{tag}:{me}:{number}"
        committer.post("debit", {wallet: -1, revenue: 1}, customer_id=customer, key=key)
        sys.stdout.write(key + "\\n")
        sys.stdout.flush()
        number += 1

for me in range(4):
    threading.Thread(target=work, args=(me,), daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.slow
def test_a_killed_process_loses_nothing_it_acknowledged(
    database_url: str, wallet: Wallet, tmp_path: Path, warm_start: WarmStart
) -> None:
    wallet.tops_up(10**9)
    told: set[str] = set()
    for kill in range(3):
        out = tmp_path / f"out{kill}"
        out.touch()
        process = warm_start.code(
            POSTS_IN_A_LOOP, [database_url, wallet.customer_id, str(kill)], environment=os.environ, output=out
        )
        until = time.monotonic() + 60
        while out.stat().st_size <= 500 and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
        process.wait()
        lines = out.read_text().split("\n")
        told |= {line for line in lines[:-1] if line}

    lines_written = ledger.history(wallet.session, wallet.account, limit=1_000_000)
    written = [line.key for line in lines_written if line.kind == "debit"]

    assert told
    assert told <= set(written)
    assert len(written) == len(set(written))
    assert wallet.balance.balance == 10**9 - len(written)
