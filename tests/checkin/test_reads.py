"""What pages are told: today, the week, the next bonus; and days that could be neither done nor missed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.checkin import reads, situation


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_before_during_and_after(session, ada, check_in, set_rules, clock) -> None:
    off = reads.today(session, ada.customer_id)
    set_rules()
    session.rollback()
    fresh = reads.today(session, ada.customer_id)
    check_in()
    done = reads.today(session, ada.customer_id)
    clock.advance(days=1)
    going_on = reads.today(session, ada.customer_id)
    clock.advance(days=1)
    broken = reads.today(session, ada.customer_id)

    assert (off.is_on, off.next_bonus) == (False, None)
    assert (fresh.is_on, fresh.done, fresh.streak, fresh.amount, fresh.reason) == (True, False, 0, 10, "")
    assert fresh.next_bonus == reads.NextBonus(date(2026, 3, 20), 7, 40)
    assert (done.done, done.streak, done.amount) == (True, 1, 0)
    assert done.next_at == datetime(2026, 3, 15, tzinfo=UTC)
    assert done.next_bonus == fresh.next_bonus
    assert (going_on.done, going_on.streak, going_on.amount) == (False, 1, 10)
    assert (broken.streak, broken.next_bonus) == (0, reads.NextBonus(date(2026, 3, 22), 7, 40))


def test_the_week_goes_from_monday_to_sunday(session, ada, check_in, set_rules, clock) -> None:
    set_rules(bonuses=((2, 5),))
    clock.set(datetime(2026, 3, 10, 9, tzinfo=UTC))  # a Tuesday
    check_in()
    clock.advance(days=2)
    check_in()
    clock.advance(days=1)

    week = reads.today(session, ada.customer_id).week

    assert [(day.date.day, day.state, day.amount) for day in week] == [
        (9, "none", 0),
        (10, "done", 10),
        (11, "missed", 0),
        (12, "done", 10),
        (13, "today", 15),
        (14, "future", 0),
        (15, "future", 15),
    ]


def test_a_day_that_a_change_of_zone_left_out_was_not_missed(session, ada, check_in, set_rules, clock, move_to) -> None:
    set_rules()
    move_to("Pacific/Honolulu")
    clock.set(datetime(2026, 7, 14, 9, tzinfo=UTC))  # the 13th there
    check_in()
    move_to("Pacific/Auckland")
    clock.set(datetime(2026, 7, 14, 13, tzinfo=UTC))  # the 15th there: its 14th shared hours with the 13th
    assert check_in().streak == 2

    month = reads.month(session, situation.of(session, ada.customer_id), None)

    states = {day.date.day: day.state for week in month.weeks for day in week if day}
    assert [states[day] for day in (12, 13, 14, 15, 16)] == ["none", "done", "none", "done", "future"]
    assert (month.checked, month.open_days, month.missed) == (2, 2, ())


def test_it_asks_few_questions_of_the_database(session, ada, check_in, set_rules, clock, engine) -> None:
    from sqlalchemy import event

    set_rules(most=100)
    check_in()
    clock.advance(days=1)
    session.rollback()
    session.expunge_all()
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    reads.today(session, ada.customer_id)

    assert len(asked) <= 7, asked
