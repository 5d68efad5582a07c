"""Whether pages cost the same for a customer with little and with much: the wallet's, the overview, the usage page.

    python benchmarks/pages.py [--longest 1000000] [--events 1000000] [--rounds 60] [--only sqlite|postgresql]

`--longest` is how many transactions the long wallet has, against a hundred; `--events` how many raw usage events its
customer has, against a thousand.

The real application answers a signed-in browser's requests in this process; wallets take turns, so that a busy machine
slows all alike, and only the ratio compares between machines. Afterwards the books are audited. The run fails when a
page asks the database more often than it may, when the longest wallet takes twice as long as the shortest, or when the
books are not clean.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import create_app, ledger, schema
from app.catalogue import file, publish
from app.config import Settings
from app.customers import members
from app.db import make_engine, transaction
from app.extensions import db
from app.flows import sign_up
from app.http.paging import cursor
from app.people import passwords, sessions
from app.wallet.accounts import cash, revenue, wallet_of
from benchmarks import servers, usage, usage_reads

SHORTEST, FEWEST, AT_ONCE = 100, 1_000, 2_000
MOST_QUERIES, MOST_RATIO = {"overview": 30, "usage": 22, "usage, table": 22}, 2.0
WALLET_QUERIES = 12
PASSWORD = "a benchmark signs itself in"


@dataclass
class Reader:
    """Somebody signed in, with so many transactions in the wallet, and raw usage events."""

    size: int
    events: int
    customer_id: str
    browser: FlaskClient


def main() -> int:
    asked = _arguments()
    logging.disable(logging.CRITICAL)
    passwords.use(memory_kib=8, rounds=1)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        if asked.only != "postgresql":
            faults += measure("SQLite", f"sqlite:///{folder}/pages.db", asked)
        if asked.only != "sqlite":
            Path(folder).chmod(0o777)
            with servers.postgresql(Path(folder)) as home:
                faults += measure("PostgreSQL", f"postgresql://postgres@/postgres?host={home}", asked)
    print("\n" + ("\n".join(faults) or "All pages within the limits; the books are clean."))
    return 1 if faults else 0


def measure(title: str, url: str, asked: argparse.Namespace) -> list[str]:
    """Fill, measure and print one database; what is wrong, in sentences."""
    schema.upgrade(url)
    settings = Settings(env="test", database_url=url, secret_key="k" * 40, base_url="http://localhost")
    app = create_app(settings)
    with app.app_context():
        engine = db.engine
    with Session(engine) as session, transaction(session):
        publish.apply(session, file.read(usage.CATALOGUE, currency="usd"), actor="benchmark")
    sizes = ((SHORTEST, FEWEST), (asked.longest, asked.events))
    readers = [_reader(app, settings, size, events) for size, events in sizes]
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
    faults = []
    print(f"\n## {title}: median ms, and queries\n")
    much = " | ".join(f"{reader.size:,} entries, {reader.events:,} events" for reader in readers)
    print(f"| page | {much} | ratio | queries |\n|---|---|---|---|---|")
    for name in _addresses(SHORTEST):
        faults += _line(title, name, readers, asked.rounds, engine)
    with Session(engine) as session:
        faults += [f"{title}: {fault}" for fault in ledger.audit(session, full=True).faults]
    engine.dispose()
    return faults


def _line(title: str, name: str, readers: list[Reader], rounds: int, engine: object) -> list[str]:
    took: dict[int, list[float]] = {reader.size: [] for reader in readers}
    for number in range(rounds + 5):
        for reader in readers:
            spent = _timed(reader, name)
            if number >= 5:
                took[reader.size].append(spent)
    short, long = (statistics.median(took[reader.size]) * 1e3 for reader in readers)
    counts = [_queries(reader, name, engine) for reader in readers]
    print(f"| {name} | {short:.2f} | {long:.2f} | {long / short:.2f} | {counts[0]} and {counts[1]} |")
    faults = []
    if max(counts) > MOST_QUERIES.get(name, WALLET_QUERIES):
        faults.append(f"{title}: {name} asks {max(counts)} times.")
    if long > short * MOST_RATIO:
        faults.append(f"{title}: {name} takes {long / short:.1f} times as long with much.")
    return faults


def _timed(reader: Reader, name: str) -> float:
    address = _addresses(reader.size)[name]
    began = time.perf_counter()
    answer = reader.browser.get(address)
    spent = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    return spent


def _queries(reader: Reader, name: str, engine: object) -> int:
    seen: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    _timed(reader, name)
    event.remove(engine, "before_cursor_execute", count)
    return sum(not statement.startswith("BEGIN") for statement in seen)


def _addresses(size: int) -> dict[str, str]:
    middle = cursor(size // 2 + 1)
    return {
        "wallet": "/wallet",
        "wallet, middle": f"/wallet?before={middle}",
        "wallet, one type": "/wallet?type=overage",
        "wallet, one type, middle": f"/wallet?type=overage&before={middle}",
        "wallet, rare type": "/wallet?type=topup",
        "wallet, since a day": "/wallet?from=2026-01-01",
        "overview": "/",
        "usage": "/usage?period=2026-03-01T00:00:00Z",
        "usage, table": "/usage?period=2026-03-01T00:00:00Z&view=table",
    }


def _reader(app: Flask, settings: Settings, size: int, events: int) -> Reader:
    engine = make_engine(settings.database_url)
    with Session(engine, expire_on_commit=False) as session:
        address = f"reader{size}@example.com"
        user = sign_up.sign_up(session, settings, name="Reader", email=address, password=PASSWORD, company=f"{size:,}")
        assert user is not None
        customer_id = members.of_user(session, user.id)[0][0]
        with transaction(session):
            token = sessions.begin(session, user, customer_id=customer_id)
    _fill(ledger.Committer(engine), customer_id, size)
    usage_reads.fill(engine, customer_id, events)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return Reader(size, events, customer_id, browser)


def _fill(committer: ledger.Committer, customer_id: str, size: int) -> None:
    """Through the ledger's own verbs, in bulk: the sign-up credit and a top-up are there, the rest are charges."""
    wallet, till = wallet_of(customer_id), cash("stripe")
    first = {wallet: 100 * size, till: -100 * size}
    told = {"description": "Top-up", "channel": "stripe"}
    committer.post_many([ledger.posting("topup", first, customer_id=customer_id, key="fill", data=told)])
    for start in range(2, size, AT_ONCE):
        committer.post_many(
            [
                ledger.posting(
                    "overage" if number % 4 == 0 else "debit",
                    {wallet: -100, revenue(): 100},
                    customer_id=customer_id,
                    key=f"n{number}",
                    data={"description": f"Call {number}"},
                )
                for number in range(start, min(size, start + AT_ONCE))
            ]
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
