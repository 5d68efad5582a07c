"""Many renewals due in the same second: two workers, one of them killed half-way, each renewed once (SPEC P10).

`TEST_RENEWALS=1000` in the environment makes it a thousand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from app import clock, ids, ledger
from app.catalogue.models import Plan
from app.customers.models import Customer
from app.db import transaction
from app.invoices.models import Invoice, NumberSeries
from app.ledger import Account
from app.subscriptions.models import Subscription, SubscriptionPeriod
from tests.support.time import START

ROOT = Path(__file__).resolve().parents[2]
COUNT = int(os.environ.get("TEST_RENEWALS", "60"))
BEGAN = datetime(2026, 2, 14, 9, 30, tzinfo=UTC)
PATIENCE = 120  # seconds; what takes that long is stuck

WORKER = """
import sys
from datetime import datetime
from sqlalchemy.orm import sessionmaker
from app import clock
from app.db import make_engine
from app.flows.renew import is_due, renew_due

now = datetime.fromisoformat(sys.argv[2])
engine = make_engine(sys.argv[1])
engine.connect().close()
print("ready", flush=True)
sys.stdin.readline()
with clock.frozen(lambda: now):
    sessions = sessionmaker(engine, expire_on_commit=False)
    while is_due(sessions):
        renew_due(sessions, {})
"""


@pytest.fixture
def due(engine: Engine, session: Session, plans: None) -> None:
    """Customers with $20.00 whose $10.00 period ends in this second. Written straight into the tables."""
    plan_id = session.scalar(select(Plan.id).where(Plan.key == "starter"))
    customers = [{"id": ids.new("cus"), "name": f"Customer {n}", "email": f"c{n}@example.com"} for n in range(COUNT)]
    wallets = [Account(customer["id"], "wallet", "usd") for customer in customers]
    subscriptions = [
        {
            "customer_id": customer["id"], "id": ids.new("sub"), "plan_id": plan_id, "version": 1,
            "interval": "month", "price_minor": 1_000, "currency": "usd", "paid_by": "wallet", "provider_state": {},
            "status": "active", "anchor_at": BEGAN, "time_zone": "UTC", "period_start": BEGAN, "period_end": START,
            "cancel_at_period_end": False, "attempts": 0, "due_at": START, "started_at": BEGAN, "updated_at": BEGAN,
        }
        for customer in customers
    ]  # fmt: skip
    shared = {"plan_id": plan_id, "version": 1, "interval": "month", "invoice_id": "inv_earlier", "created_at": BEGAN}
    periods = [
        {"customer_id": sub["customer_id"], "subscription_id": sub["id"], **shared, "starts_at": BEGAN,
         "ends_at": START, "paid_until": START}
        for sub in subscriptions
    ]  # fmt: skip
    with transaction(session):
        session.execute(insert(Customer), [{**one, "time_zone": "UTC", "created_at": BEGAN} for one in customers])
        session.execute(insert(Subscription), subscriptions)
        session.execute(insert(SubscriptionPeriod), periods)
    cash = Account("house", "cash:stripe", "usd")
    committer = ledger.Committer(engine)
    for begin in range(0, COUNT, 250):
        committer.post_many(
            [
                ledger.posting(
                    "topup", {wallet: 20_000_000, cash: -20_000_000}, customer_id=wallet.customer_id, key="fill"
                )
                for wallet in wallets[begin : begin + 250]
            ]
        )
    committer.close()


def test_two_workers_renew_each_once_though_one_is_killed(
    engine: Engine, session: Session, database_url: str, due: None
) -> None:
    workers = [start(database_url) for _ in range(2)]
    try:
        begin_together(workers)
        wait_until(lambda: paid(engine) >= COUNT // 3, workers)
        workers[0].send_signal(signal.SIGKILL)
        assert workers[1].wait(PATIENCE) == 0, "the other one does the rest"
        assert workers[0].wait(PATIENCE) == -signal.SIGKILL, "it was killed half-way"
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate(timeout=PATIENCE)  # closes its pipes too

    each_was_renewed_once(session)


def each_was_renewed_once(session: Session) -> None:
    ends = datetime(2026, 4, 14, 9, 30, tzinfo=UTC)
    assert set(session.scalars(select(Subscription.period_end))) == {ends}
    assert set(session.scalars(select(Subscription.status))) == {"active"}
    invoices = session.execute(
        select(Invoice.status, func.count(), func.count(Invoice.subscription_id.distinct())).group_by(Invoice.status)
    ).all()
    assert [tuple(row) for row in invoices] == [("paid", COUNT, COUNT)]
    numbers = session.scalars(select(Invoice.number)).all()
    assert len(set(numbers)) == session.scalar(select(NumberSeries.last)) == COUNT
    spans = select(func.count()).where(SubscriptionPeriod.starts_at == START, SubscriptionPeriod.ends_at == ends)
    assert session.scalar(spans) == COUNT
    [wallets] = [row for row in ledger.trial_balance(session) if row.account == "wallet"]
    assert (wallets.balance, wallets.amount_out) == (COUNT * 10_000_000, COUNT * 10_000_000)


def start(database_url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, database_url, clock.timestamp(START)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def begin_together(workers: list[subprocess.Popen[bytes]]) -> None:
    """Both have read the program before one of them begins, or it would do everything alone."""
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.flush()


def paid(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(Invoice).where(Invoice.status == "paid")) or 0


def wait_until(happens: object, workers: list[subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + PATIENCE
    while not happens():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happens"
        assert all(worker.poll() is None for worker in workers), "a worker ended early"
        time.sleep(0.05)
