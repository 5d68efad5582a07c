"""Many check-ins of one customer at once, on both databases: one counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app import checkin, credits
from app.checkin import AlreadyCheckedIn
from app.checkin.models import CheckIn
from app.customers import customers
from app.db import transaction

AT_ONCE = 50


def test_fifty_at_once_get_one(session, engine, ada, set_rules) -> None:
    set_rules()

    outcomes = at_once(engine, [lambda own: tap(own, ada)] * AT_ONCE)

    assert sorted(outcomes) == ["10"] + ["ALREADY_CHECKED_IN"] * (AT_ONCE - 1)
    session.rollback()
    assert credits.balance(session, ada.customer_id).available == 10
    assert session.scalar(select(func.count()).select_from(CheckIn)) == 1


def test_two_zones_at_once_get_one(session, engine, ada, set_rules) -> None:
    set_rules()

    def move_and_tap(own: Session, zone: str) -> str:
        with transaction(own):
            customer = customers.by_id(own, ada.customer_id)
            assert customer is not None
            customers.set_time_zone(own, customer, zone, actor=ada.id)
        return tap(own, ada)

    zones = ["Pacific/Kiritimati", "Etc/GMT+12"] * 4
    outcomes = at_once(engine, [lambda own, zone=zone: move_and_tap(own, zone) for zone in zones])

    assert outcomes.count("10") == 1
    session.rollback()
    assert credits.balance(session, ada.customer_id).available == 10


def tap(own: Session, ada) -> str:
    try:
        with transaction(own):
            return str(checkin.check_in(own, ada.customer_id, actor=ada.id).amount)
    except AlreadyCheckedIn as refused:
        return refused.code


def at_once(engine: Engine, doings: list[Callable[[Session], str]]) -> list[str]:
    """Each in a thread and a session of its own, all let go at the same moment."""
    outcomes: list[str] = []
    together = threading.Barrier(len(doings))

    def do(doing: Callable[[Session], str]) -> None:
        with Session(engine, expire_on_commit=False) as own:
            together.wait()
            outcomes.append(doing(own))

    threads = [threading.Thread(target=do, args=(doing,)) for doing in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
