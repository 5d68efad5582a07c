"""Holds: set aside, then settled, released or expired; what is held cannot be spent."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid, NotFound
from app.ledger import Hold, HoldEnded
from app.wallet import holds
from tests.support.people import Person


@pytest.fixture
def held(session: Session, ada: Person) -> Hold:
    """Two of Ada's five dollars, held for a quarter of an hour."""
    with transaction(session):
        return holds.authorise(session, ada.customer_id, 2_000_000, description="Batch job", key="h", by="key_host")


def available(session: Session, ada: Person) -> int:
    session.rollback()
    return ledger.balance(session, ada.wallet).available


def settled(session: Session, hold: Hold, amount: int, key: str = "s") -> Hold:
    with transaction(session):
        done, _ = holds.settle(session, hold, amount, key=key, by="key_host")
    return done


def test_it_sets_money_aside_for_15_minutes(session: Session, ada: Person, held: Hold, clock: Any) -> None:
    assert held.state == "held"
    assert (held.expires_at - clock.now).total_seconds() == 900
    assert ada.balance() == 5_000_000
    assert available(session, ada) == 3_000_000


@pytest.mark.parametrize(
    ("amount", "left"), [(0, 5_000_000), (1, 4_999_999), (2_000_000, 3_000_000), (2_000_001, 2_999_999)]
)
def test_it_settles_for_less_for_all_for_more_or_for_nothing(
    session: Session, ada: Person, held: Hold, amount: int, left: int
) -> None:
    done = settled(session, held, amount)

    assert (done.state, done.settled_amount) == ("settled", amount)
    assert ada.balance() == available(session, ada) == left
    assert (done.settled_entry is None) == (amount == 0)


def test_a_settlement_carries_the_words_of_its_hold(session: Session, ada: Person, held: Hold) -> None:
    settled(session, held, 5)

    [line, *_] = ledger.history(session, ada.wallet, limit=1)
    assert line.data["description"] == "Batch job"
    assert line.data["hold"] == held.id


def test_an_overrun_may_leave_a_debt_that_stops_the_next_hold(session: Session, ada: Person) -> None:
    with transaction(session):
        all_of_it = holds.authorise(session, ada.customer_id, 5_000_000, description=None, key="h", by="key_host")

    settled(session, all_of_it, 5_000_001)

    assert ada.balance() == -1
    with pytest.raises(InsufficientFunds), transaction(session):
        holds.authorise(session, ada.customer_id, 1, description=None, key="h2", by="key_host")


def test_an_overrun_has_a_bound(session: Session, ada: Person, held: Hold) -> None:
    with pytest.raises(Invalid) as refused:
        settled(session, held, 4_000_001)

    assert refused.value.field == "amount_micros"
    assert available(session, ada) == 3_000_000


def test_it_is_settled_once(session: Session, ada: Person, held: Hold) -> None:
    settled(session, held, 5, key="first")

    with pytest.raises(HoldEnded) as ended:
        settled(session, held, 6, key="first")
    with pytest.raises(IdempotencyKeyReused):
        holds.settled_before(session, ended.value, held, 6, key="first")
    with pytest.raises(HoldEnded):
        holds.settled_before(session, ended.value, held, 6, key="second")
    assert holds.settled_before(session, ended.value, held, 5, key="third").replayed
    assert ada.balance() == 4_999_995


def test_it_is_released_and_not_settled_after_that(session: Session, ada: Person, held: Hold) -> None:
    for _ in range(2):
        with transaction(session):
            assert holds.release(session, ada.customer_id, held.id).state == "released"

    assert available(session, ada) == 5_000_000
    with pytest.raises(HoldEnded):
        settled(session, held, 1)


def test_a_settled_hold_is_not_released(session: Session, ada: Person, held: Hold) -> None:
    settled(session, held, 1)

    with pytest.raises(HoldEnded), transaction(session):
        holds.release(session, ada.customer_id, held.id)


def test_it_expires_by_itself(session: Session, ada: Person, held: Hold, clock: Any) -> None:
    clock.advance(minutes=15)

    with transaction(session):
        assert ledger.expire_holds(session, clock.now) == 1

    assert holds.of(session, ada.customer_id, held.id).state == "expired"
    assert available(session, ada) == 5_000_000


def test_it_lives_1_second_to_7_days(session: Session, ada: Person) -> None:
    for seconds in (0, -1, 604_801, 2**63):
        with pytest.raises(Invalid) as refused, transaction(session):
            holds.authorise(session, ada.customer_id, 1, description=None, key="h", by="key_host", expires_in=seconds)
        assert refused.value.field == "expires_in"


def test_it_is_hidden_from_other_customers(session: Session, bo: Person, held: Hold) -> None:
    with pytest.raises(NotFound):
        holds.of(session, bo.customer_id, held.id)
    with pytest.raises(NotFound), transaction(session):
        holds.release(session, bo.customer_id, held.id)


def test_the_same_key_holds_once(session: Session, ada: Person, held: Hold, clock: Any) -> None:
    clock.advance(minutes=1)
    with transaction(session):
        again = holds.authorise(session, ada.customer_id, 2_000_000, description="Batch job", key="h", by="key_host")

    assert (again.id, again.replayed, again.expires_at) == (held.id, True, held.expires_at)
    assert available(session, ada) == 3_000_000
