"""How fast usage is counted, against what each database can do by itself for the same rows; and how fast it is read.

    python benchmarks/usage.py [--rounds 3] [--seconds 2] [--only postgresql|sqlite] [--events 10000000]

The limit writes the same event, counter and period into the same tables, prepared, without looking at a plan, a wallet
or an id that came before: on PostgreSQL inside one PL/pgSQL call driven by pgbench, on SQLite from prepared statements
of the driver. Ours and the limit run in turn. Afterwards the counters are summed up anew from the events, and the run
fails where they differ. Then the reads of the usage page are timed for a customer with 1,000 events and for one with
`--events`, made by SQL, raw events and counters alike (0 leaves that out).
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import clock, ids, ledger, schema
from app.catalogue import file, publish
from app.customers.models import Customer
from app.db import make_engine, transaction
from app.flows.count_usage import Counter
from app.ledger import Account
from app.metering import NewEvent
from benchmarks import servers, usage_reads

CUSTOMERS, SOURCES, BATCH = 500, 20, 1_000
Case = Callable[[float], float]  # seconds -> events per second

OURS_AGAINST = [
    ("one at a time", "limit, one"),
    ("one at a time, paid from the wallet", "limit, one"),
    ("one at a time, 8 threads", "limit, one"),
    ("one at a time, 8 threads, one customer", "limit, one"),
    ("batches of 1,000", "limit, batches"),
    ("batches of 1,000, 8 threads", "limit, batches"),
]

CATALOGUE = """
[meters.views]
name = "Views"
unit = "view"
overage = "invoice"
overage_price = "0.002"

[meters.beyond]
name = "Paid from the first unit on"
unit = "unit"
overage = "wallet"
overage_price = "0.000001"

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
allowances = { views = "unlimited", beyond = 0 }
"""
POSTGRESQL_LIMIT = """
CREATE SEQUENCE bare_number CACHE 1000;
CREATE FUNCTION bare_usage(customer int, events int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE who text := 'bare' || customer; first timestamptz := '2026-03-01';
BEGIN
  INSERT INTO usage_event
  SELECT who, 'ev' || nextval('bare_number'), 'views', 1, 'shop' || mod(n, 20), now(), now(), first,
    '2026-03-14', false, 0, 0 FROM generate_series(1, events) n ON CONFLICT DO NOTHING;
  INSERT INTO usage_counter
  SELECT who, 'views', first, '2026-03-14', 'shop' || mod(n, 20), count(*), 0, 0 FROM generate_series(1, events) n
  GROUP BY mod(n, 20) ON CONFLICT (customer_id, meter, period_start, day, source)
  DO UPDATE SET quantity = usage_counter.quantity + excluded.quantity;
  INSERT INTO usage_period VALUES (who, 'views', first, '2026-04-01', events, 0, 0, NULL, NULL, NULL, NULL)
  ON CONFLICT (customer_id, meter, period_start) DO UPDATE SET used = usage_period.used + excluded.used;
END $$;
"""


def fill(engine: Engine) -> None:
    """The catalogue, customers, and money for those who pay from the wallet."""
    with Session(engine) as session, transaction(session):
        publish.apply(session, file.read(CATALOGUE, currency="usd"), actor="benchmark")
        for number in range(CUSTOMERS):
            session.add(Customer(id=customer(number), name="A", email="a@example.com", created_at=clock.now()))
    committer = ledger.Committer(engine)
    cash = Account("house", "cash:bench", "usd")
    committer.post_many(
        [
            ledger.posting(
                "topup", {Account(customer(n), "wallet", "usd"): 10**12, cash: -(10**12)},
                customer_id=customer(n), key="fill",
            )
            for n in range(CUSTOMERS)
        ]
    )  # fmt: skip
    committer.close()


def customer(number: int) -> str:
    return f"cus_{number:026d}"


def ours(engine: Engine, *, size: int, meter: str = "views", threads: int = 1, customers: int = CUSTOMERS) -> Case:
    """Events of `size` at a time, from customers in turn, as fast as each thread gets its answer."""

    def run(seconds: float) -> float:
        done, stop = [0] * threads, threading.Event()
        counter = Counter(engine)

        def work(place: int) -> None:
            turn = place
            while not stop.is_set():
                name = ids.new("ev")
                events = [NewEvent(f"{name}{n}", meter, 1, f"shop{n % SOURCES}") for n in range(size)]
                told = counter.record(customer(turn % customers), events)
                assert told.accepted == size, told
                done[place] += size
                turn += threads

        crowd = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
        began = time.perf_counter()
        for one in crowd:
            one.start()
        stop.wait(seconds)
        stop.set()
        for one in crowd:
            one.join()
        counter.close()
        return sum(done) / (time.perf_counter() - began)

    return run


def sqlite_limit(path: Path, size: int) -> Case:
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        raw.execute(f"PRAGMA {pragma}")
    now, start = "2026-03-14 09:30:00.000000", "2026-03-01 00:00:00.000000"
    event = "INSERT INTO usage_event VALUES (?,?,'views',1,?,?,?,?,'2026-03-14',0,0,0) ON CONFLICT DO NOTHING"
    counter = (
        "INSERT INTO usage_counter VALUES (?,'views',?,'2026-03-14',?,?,0,0) ON CONFLICT (customer_id, meter, "
        "period_start, day, source) DO UPDATE SET quantity = usage_counter.quantity + excluded.quantity"
    )
    period = (
        "INSERT INTO usage_period VALUES (?,'views',?,?,?,0,0,NULL,NULL,NULL,NULL) ON CONFLICT (customer_id, meter, "
        "period_start) DO UPDATE SET used = usage_period.used + excluded.used"
    )
    numbers = iter(range(10**9))

    def run(seconds: float) -> float:
        done, began = 0, time.perf_counter()
        sources = min(size, SOURCES)
        while time.perf_counter() - began < seconds:
            who = f"bare{next(numbers) % CUSTOMERS}"
            rows = [(who, f"{size}-{next(numbers)}", f"shop{n % SOURCES}", now, now, start) for n in range(size)]
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(event, rows)
            raw.executemany(counter, [(who, start, f"shop{n}", size // sources) for n in range(sources)])
            raw.execute(period, (who, start, "2026-04-01 00:00:00.000000", size))
            raw.execute("COMMIT")
            done += size
        return done / (time.perf_counter() - began)

    return run


def cases_of(engine: Engine, limit: Callable[[int], Case]) -> dict[str, Case]:
    return {
        "one at a time": ours(engine, size=1),
        "one at a time, paid from the wallet": ours(engine, size=1, meter="beyond"),
        "one at a time, 8 threads": ours(engine, size=1, threads=8),
        "one at a time, 8 threads, one customer": ours(engine, size=1, threads=8, customers=1),
        "limit, one": limit(1),
        "batches of 1,000": ours(engine, size=BATCH),
        "batches of 1,000, 8 threads": ours(engine, size=BATCH, threads=8),
        "limit, batches": limit(BATCH),
    }


def report(title: str, cases: dict[str, Case], rounds: int, seconds: float) -> None:
    seen: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        print(f"  {title}: round {number + 1} of {rounds}", file=sys.stderr)
        for name, case in cases.items():
            seen[name].append(case(seconds))
    middle = {name: statistics.median(figures) for name, figures in seen.items()}
    print(f"\n## {title}\n\n| case | events/s | limit | ratio |\n|---|---|---|---|")
    for name, against in OURS_AGAINST:
        print(f"| {name} | {middle[name]:,.0f} | {middle[against]:,.0f} | {middle[name] / middle[against]:.2f} |")


def check(engine: Engine) -> None:
    """The counters are what the events say, and the books are clean, or the run fails."""
    with Session(engine) as session:
        told = session.execute(text("SELECT count(*), sum(quantity), sum(over_micros) FROM usage_event")).one()
        for table, units in (("usage_counter", "quantity"), ("usage_period", "used")):
            kept = session.execute(text(f"SELECT sum({units}), sum(over_micros) FROM {table}")).one()
            assert tuple(kept) == tuple(told)[1:], (table, kept, told)
        held = session.scalar(text("SELECT sum(micros) FROM usage_accrual")) or 0
        assert held == told[2], (held, told)
        faults = ledger.audit(session, full=True).faults
    assert not faults, faults
    print(f"\n{told[0]:,} events counted; counters, holds and books agree.")


def on_sqlite(parent: Path, told: argparse.Namespace) -> None:
    path = parent / "usage.db"
    schema.upgrade(f"sqlite:///{path}")
    engine = make_engine(f"sqlite:///{path}")
    fill(engine)
    report("SQLite", cases_of(engine, lambda size: sqlite_limit(path, size)), told.rounds, told.seconds)
    check(engine)
    usage_reads.report("SQLite", engine, told.events)
    engine.dispose()


def on_postgresql(parent: Path, told: argparse.Namespace) -> None:
    with servers.postgresql(parent) as home:
        url = f"postgresql+psycopg://postgres@/postgres?host={home}"
        schema.upgrade(url)
        engine = make_engine(url)
        fill(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(POSTGRESQL_LIMIT)

        def limit(size: int) -> Case:
            script = f"\\set w random(0, {CUSTOMERS - 1})\nSELECT bare_usage(:w, {size});\n"
            return lambda seconds: size * servers.pgbench(home, script, 1, seconds)

        report("PostgreSQL", cases_of(engine, limit), told.rounds, told.seconds)
        check(engine)
        usage_reads.report("PostgreSQL", engine, told.events)
        engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", choices=("postgresql", "sqlite"))
    parser.add_argument("--events", type=int, default=10**7, help="of the customer whose page is read; 0 for none")
    parser.add_argument("--directory", type=Path, help="the disk to measure")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=told.directory) as made:
        parent = Path(made)
        parent.chmod(0o755)
        if told.only != "sqlite":
            on_postgresql(parent, told)
        if told.only != "postgresql":
            on_sqlite(parent, told)


if __name__ == "__main__":
    main()
