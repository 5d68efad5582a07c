"""PostgreSQL's doors: what is put into them by raw SQL comes out sound, or not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.ledger import Account, Committer
from app.ledger.writing_postgresql import ONE
from tests.ledger.conftest import CASH, REVENUE, Wallet

pytestmark = pytest.mark.postgresql
TALLIES = '{"topup": [1, 1000, 0], "debit": [1, 0, 10]}'
WRITERS = "SELECT proname FROM pg_proc WHERE prosrc ~* 'insert into ledger_(leg|entry)' ORDER BY proname"


@pytest.fixture
def database_url(pg_url: str) -> str:
    return pg_url


def pair(wallet: Wallet, **changed: str) -> str:
    """The text of a debit of 10 from a wallet of 1000, after its top-up."""
    sound = {
        "customer_id": wallet.account.customer_id, "account": "wallet", "asset": "usd", "balance": "990", "held": "0",
        "debt": "0", "promo": "0", "version": "2", "revision": "1", "tallies": TALLIES, "recorded_at": "2100-01-01",
        "id": "wtxn_1", "kind": "debit", "key": "raw", "request_hash": "h", "occurred_at": "2100-01-01", "data": "{}",
        "reverses": "\x1e", "amount": "-10", "promo_amount": "0", "kind_seq": "1", "house": "revenue", "position": "0",
    }  # fmt: skip
    assert " ".join(sorted(sound)) == " ".join(sorted(ONE.split()))
    return "\x1f".join((sound | changed)[name] for name in ONE.split())


def put(engine: Engine, given: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO ledger_pair VALUES (:given)"), {"given": given})


def test_a_sound_pair_is_written(wallet: Wallet, engine: Engine) -> None:
    wallet.tops_up(1000)

    put(engine, pair(wallet))

    assert wallet.balance.balance == 990


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "0", "balance": "1000"},
        {"amount": "-11"},  # the balance is not what it was and the amount
        {"balance": "-10", "amount": "-1010"},
        {"debt": "5"},
        {"held": "-1"},
        {"held": "991"},
        {"promo": "991"},
        {"promo": "-1"},
        {"version": "5"},
        {"revision": "0"},
        {"position": "2"},
        {"kind_seq": "\x1e"},
        {"kind": "reversal"},
        {"reverses": "wtxn_0"},
        {"customer_id": "house"},
    ],
)
def test_an_unsound_one_is_not(wallet: Wallet, engine: Engine, changed: dict[str, str]) -> None:
    wallet.tops_up(1000)

    with pytest.raises(DBAPIError, match=r"check|moved meanwhile"):
        put(engine, pair(wallet, **changed))

    assert wallet.balance.balance == 1000


def test_a_frozen_account_holds_no_more_through_a_door(wallet: Wallet, engine: Engine) -> None:
    wallet.tops_up(1000)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger_account SET frozen = true, revision = revision + 1"))

    with pytest.raises(DBAPIError, match="moved meanwhile"):
        put(engine, pair(wallet, held="5", revision="2"))


def test_a_key_is_written_once_through_a_door(wallet: Wallet, engine: Engine) -> None:
    wallet.tops_up(1000, key="raw")

    with pytest.raises(DBAPIError, match="unique"):
        put(engine, pair(wallet))


def test_no_other_function_writes_to_the_books(engine: Engine) -> None:
    """The tables' checks stand aside for triggers: one that wrote legs of its own would go unasked."""
    with engine.connect() as connection:
        assert list(connection.scalars(text(WRITERS))) == ["ledger_take_pair", "ledger_take_pairs", "ledger_write"]


def test_a_batch_that_was_undone_leaves_the_connection_able_to_write(engine: Engine, wallet: Wallet) -> None:
    ours, theirs = Committer(engine), Committer(engine)
    other = Account("cus_new", "wallet", "usd")
    wallet.tops_up(1000)
    for number in range(3):
        for each, name in ((ours, "ours"), (theirs, "theirs")):
            legs = {wallet.account: -1, REVENUE: 1}
            each.post("debit", legs, customer_id=wallet.account.customer_id, key=f"{name}:{number}")

    ours._lines[0].clerk._roll_back()  # type: ignore[attr-defined]  # as after a conflict
    ours.post("topup", {other: 5, CASH: -5}, customer_id=other.customer_id, key="k")
    entry = ours.post("debit", {other: -1, REVENUE: 1}, customer_id=other.customer_id, key="after")

    assert entry.balance_after == 4
    ours.close()
    theirs.close()
