"""Two people at the same moment, on both databases: an adjustment is made once, decided once, asked for once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app import adjustments
from app.activity.models import Activity
from app.adjustments import Adjustment, Wish
from app.db import transaction
from app.errors import Refusal
from app.notices.models import Mail

pytestmark = pytest.mark.both_databases

GIFT = 250_000_000  # micros


@pytest.fixture
def together(engine: Engine) -> Callable[..., list[str]]:
    """Does all of it at the same instant, each in a transaction of its own; what each came to."""

    def run_all(*doing: Callable[[Session], object]) -> list[str]:
        gate, came_to = Barrier(len(doing)), [""] * len(doing)

        def run(place: int) -> None:
            with sessionmaker(engine, expire_on_commit=False)() as own:
                gate.wait(timeout=60)
                try:
                    with transaction(own):
                        doing[place](own)
                    came_to[place] = "done"
                except Refusal as refused:
                    came_to[place] = type(refused).code
                except BaseException as wrong:
                    came_to[place] = repr(wrong)

        threads = [Thread(target=run, args=(place,)) for place in range(len(doing))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        return sorted(came_to)

    return run_all


@pytest.fixture
def wish(ada) -> Wish:
    return Wish(ada.customer_id, "usd", GIFT, "Goodwill", "frm_1")


@pytest.fixture
def asks(wish: Wish) -> Callable[[Session], object]:
    return lambda own: adjustments.ask(own, wish, by="staff:usr_asker", person="usr_asker", limit=200_000_000)


def approving(adjustment_id: str, who: str) -> Callable[[Session], object]:
    return lambda own: adjustments.approve(own, adjustment_id, by=f"staff:{who}", person=who)


def test_two_who_approve_at_once_make_it_once(session, ada, asks, together) -> None:
    with transaction(session):
        waiting = asks(session).row.id

    came_to = together(*(approving(waiting, f"usr_{number}") for number in range(3)))

    assert came_to == ["ALREADY_DECIDED", "ALREADY_DECIDED", "done"]
    assert ada.balance() == 5_000_000 + GIFT


def test_of_approving_denying_and_withdrawing_at_once_one_counts(session, ada, asks, together) -> None:
    with transaction(session):
        waiting = asks(session).row.id

    came_to = together(
        approving(waiting, "usr_1"),
        lambda own: adjustments.deny(own, waiting, by="staff:usr_2", person="usr_2", reason="No need"),
        lambda own: adjustments.withdraw(own, waiting, by="staff:usr_asker", person="usr_asker"),
    )

    session.rollback()
    row = session.query(Adjustment).one()
    assert came_to == ["ALREADY_DECIDED", "ALREADY_DECIDED", "done"]
    assert ada.balance() == 5_000_000 + (GIFT if row.state == "made" else 0)


def test_the_same_form_at_once_asks_and_mails_once(session, admin, ada, asks, together) -> None:
    assert together(asks, asks) == ["done", "done"]

    session.rollback()
    assert session.query(Adjustment).count() == 1
    assert session.query(Activity).filter_by(action="adjustment.asked").count() == 1
    assert session.query(Mail).filter_by(template="adjustment_waiting").count() == 1
