"""Whether a wallet's page costs the same at a hundred entries and at a million."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import ledger
from app.ledger import Account
from benchmarks.debits import CASH, REVENUE


def report(title: str, engine: Engine, longest: int) -> None:
    """Fill wallets of growing length, then read balance and pages of each in turn and compare medians."""
    sizes = [size for size in (10**2, 10**3, 10**4, 10**5, 10**6, 10**7) if size <= longest]
    committer = ledger.Committer(engine)
    for size in sizes:
        _fill(committer, size)
    with Session(engine) as session:
        if engine.dialect.name == "postgresql":
            session.connection().exec_driver_sql("ANALYZE ledger_leg, ledger_entry, ledger_account")
        reads = _reads()
        took: dict[tuple[str, int], list[float]] = {(name, size): [] for name in reads for size in sizes}
        for number in range(210):
            for size in sizes:
                for name, read in reads.items():
                    began = time.perf_counter()
                    read(session, _wallet(size), size)
                    if number >= 10:
                        took[name, size].append(time.perf_counter() - began)
    print(f"\n## Reading one wallet, {title}: median ms by entries in it\n")
    print("| read | " + " | ".join(f"{size:,}" for size in sizes) + " | longest / shortest |")
    print("|---" * (len(sizes) + 2) + "|")
    for name in reads:
        medians = [statistics.median(took[name, size]) * 1e3 for size in sizes]
        print(f"| {name} | " + " | ".join(f"{m:.3f}" for m in medians) + f" | {medians[-1] / medians[0]:.2f} |")


def _reads() -> dict[str, Callable[[Session, Account, int], object]]:
    def page(session: Session, account: Account, _: int) -> object:
        return ledger.balance(session, account), ledger.history(session, account, limit=50)

    return {
        "balance": lambda session, account, _: ledger.balance(session, account),
        "balance and first page": page,
        "page in the middle, by cursor": lambda session, account, n: ledger.history(session, account, before=n // 2),
        "page in the middle, by offset": lambda s, account, n: ledger.history_offset(
            s, account, offset=n // 2, limit=50
        ),
        "filtered, by cursor": lambda s, account, n: ledger.history(s, account, before=n, kinds=["overage"]),
        "filtered, middle, by offset": lambda s, account, n: ledger.history_offset(
            s, account, offset=n // 4, limit=50, kinds=["debit"]
        ),
        "totals by kind": lambda session, account, _: ledger.totals(session, account),
    }


def _wallet(size: int) -> Account:
    return Account(f"cus_history{size}", "wallet", "usd")


def _fill(committer: ledger.Committer, size: int) -> None:
    account = _wallet(size)
    customer = account.customer_id
    first = ledger.posting("topup", {account: size, CASH: -size}, customer_id=customer, key="fill")
    committer.post_many([first])
    for start in range(0, size - 1, 2000):
        many = [
            ledger.posting(
                "overage" if n % 4 == 0 else "debit", {account: -1, REVENUE: 1}, customer_id=customer, key=f"n{n}",
                data={"description": "A charge for testing"},
            )
            for n in range(start, min(size - 1, start + 2000))
        ]  # fmt: skip
        committer.post_many(many)
