"""Two at the same instant, on both databases: no credit is spent, ended, returned or granted twice."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app import clock as the_clock
from app import credits
from app.db import transaction
from app.errors import Refusal
from tests.credits.conftest import WHY, Purse, in_days
from tests.support import credits_end


@pytest.fixture
def at_once(engine: Engine) -> Callable[..., list[str]]:
    """Does all of it at the same instant, each in a transaction of its own; what each came to."""

    def run_all(*doing: Callable[[Session], Any]) -> list[str]:
        gate, came_to = Barrier(len(doing)), [""] * len(doing)

        def run(place: int) -> None:
            with sessionmaker(engine, expire_on_commit=False)() as session:
                gate.wait(timeout=30)
                try:
                    with transaction(session):
                        doing[place](session)
                    came_to[place] = "done"
                except Refusal as refused:
                    came_to[place] = type(refused).code
                except BaseException as wrong:
                    came_to[place] = repr(wrong)

        threads = [Thread(target=run, args=(place,)) for place in range(len(doing))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return sorted(came_to)

    return run_all


def spending(purse: Purse, key: str) -> Callable[[Session], object]:
    return lambda session: credits.spend(session, purse.customer_id, "draw", key=key, actor="key_1")


def ending(_purse: Purse) -> Callable[[Session], object]:
    return lambda session: credits_end.expire_due(session, the_clock.now())


def test_the_last_credits_are_spent_once(purse: Purse, action, at_once) -> None:
    action("draw", 10)
    purse.gets(6, expires_at=in_days(3))
    purse.gets(13)

    came_to = at_once(*(spending(purse, f"k{number}") for number in range(4)))

    assert came_to == ["INSUFFICIENT_CREDITS"] * 3 + ["done"]
    assert (purse.balance, sum(purse.left)) == (9, 9)


def test_the_same_spend_at_once_is_one(purse: Purse, action, at_once) -> None:
    action("draw", 10)
    purse.gets(100)

    assert at_once(*(spending(purse, "same") for _ in range(4))) == ["done"] * 4
    assert purse.balance == 90


def test_two_that_look_for_what_is_over_end_it_once(purse: Purse, clock, at_once) -> None:
    for _ in range(3):
        purse.gets(10, expires_at=in_days(1))
    purse.gets(5)
    clock.advance(days=2)

    assert at_once(ending(purse), ending(purse), ending(purse)) == ["done"] * 3
    assert (purse.balance, sum(purse.left)) == (5, 5)


def test_a_spend_against_the_end_takes_only_what_is_not_over(purse: Purse, action, clock, at_once) -> None:
    action("draw", 10)
    purse.gets(10, expires_at=in_days(1))
    purse.gets(10)
    clock.advance(days=1)

    came_to = at_once(spending(purse, "a"), ending(purse), spending(purse, "b"), ending(purse))

    assert came_to == ["INSUFFICIENT_CREDITS", "done", "done", "done"]
    assert (purse.balance, sum(purse.left)) == (0, 0)


def test_a_spend_is_returned_once(purse: Purse, action, at_once) -> None:
    action("draw", 10)
    purse.gets(15)
    spent = purse.spends()

    def returning(key: str) -> Callable[[Session], object]:
        return lambda session: credits.reverse(session, purse.customer_id, spent.entry.id, key=key, reason=WHY)

    assert at_once(returning("a"), returning("b"), returning("c")) == ["ALREADY_REVERSED"] * 2 + ["done"]
    assert (purse.balance, purse.left) == (15, [15])


def test_the_same_grant_at_once_is_one_and_the_first_ever_too(purse: Purse, at_once) -> None:
    def granting(session: Session) -> object:
        told = {"source": "welcome", "key": "welcome:customer", "actor": "system"}
        return credits.grant(session, purse.customer_id, 20, **told)

    assert at_once(granting, granting, granting, granting) == ["done"] * 4
    assert (purse.balance, purse.left) == (20, [20])
