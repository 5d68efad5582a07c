"""Moving subscribers to a newer version: told in time, at their next period, once, and nobody against their will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue import edit, reads
from app.catalogue.models import Plan
from app.db import transaction
from app.errors import Conflict
from app.flows import cancel_plan, change_plan, move_outlook, move_subscribers
from app.moves import begin, work
from app.moves import reads as moves
from app.moves.begin import Asked
from app.moves.models import MovedSubscriber, VersionMove
from app.notices.models import Mail
from app.subscriptions import overrides
from app.subscriptions.models import SubscriptionChange
from app.subscriptions.sale import Move
from tests.flows.test_renew import day
from tests.support.plans import Subscriber

Works = Callable[[], int]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # who takes a row is tested on both databases, in test_move_subscribers_at_once


class Moving:
    """A plan that gets a new version, and the move to it."""

    def __init__(self, session: Session, sessions: Any, providers: Any = None) -> None:
        self.session, self.sessions, self.providers = session, sessions, providers or {}

    def publishes(self, key: str = "starter", **differs: Any) -> None:
        """A new version of the plan, which differs in this from the one on offer."""
        with transaction(self.session):
            plan = next(each for each in reads.offered_plans(self.session) if each.key == key)
            edit.save_plan(self.session, replace(plan, **differs), actor="staff:usr_1")

    def begins(self, key: str = "starter", **how: Any) -> VersionMove:
        with transaction(self.session):
            plan = self.session.scalars(select(Plan).where(Plan.key == key)).one()
            wanted = {"from_version": 1, "customers": None, "times": "renewal", "notice_days": 30}
            asked = Asked(plan.id, **wanted | {"to_version": plan.current_version} | how)
            return begin.begin(self.session, asked, reason="Costs", actor="staff:usr_1")

    def looks(self, **how: Any) -> move_outlook.Outlook:
        with transaction(self.session):
            plan = self.session.scalars(select(Plan).where(Plan.key == "starter")).one()
            wanted = {"from_version": 1, "customers": None, "times": "renewal", "notice_days": 30, **how}
            return move_outlook.look(self.session, self.providers, Asked(plan.id, to_version=2, **wanted))

    def works(self) -> int:
        done = 0
        while now := move_subscribers.move_due(self.sessions, self.providers):
            done += now
        return done

    def counts(self, move: VersionMove) -> dict[str, int]:
        with transaction(self.session):
            return moves.counts(self.session, move.id)

    def why(self, move: VersionMove) -> str | None:
        with transaction(self.session):
            return moves.page(self.session, move.id)[0][0].why

    def mails(self) -> list[Mail]:
        with transaction(self.session):
            return list(self.session.scalars(select(Mail).where(Mail.subject.contains("Starter")).order_by(Mail.id)))


@pytest.fixture
def moving(session: Session, sessions: Any, plans: None) -> Moving:
    return Moving(session, sessions)


@pytest.fixture
def paying(subscriber: Subscriber) -> Subscriber:
    """Ada on Starter, $10 a month from 14 March on, with money for a year."""
    subscriber.gets(50_000)
    subscriber.subscribes()
    return subscriber


def test_who_pays_more_is_told_thirty_days_before_and_moves_at_the_renewal_after(
    moving: Moving, paying: Subscriber, works: Works, clock: Any
) -> None:
    moving.publishes(monthly_minor=1_500)
    clock.set(day(2026, 3, 24))  # the period ends on 14 April, which is too soon
    move = moving.begins()

    moving.works()

    [mail] = moving.mails()
    assert mail.subject == "Starter has new terms from 14 May 2026"
    assert "You pay $15.00 a month from then on, instead of $10.00, before tax." in mail.body
    assert moving.counts(move) == {"told": 1}
    clock.set(day(2026, 4, 15))
    works()
    assert paying.sub.price_minor == 1_000, "the first renewal is at the old price"
    moving.works()
    assert moving.counts(move) == {"arranged": 1}
    clock.set(day(2026, 5, 15))
    works()
    assert (paying.sub.version, paying.sub.price_minor) == (2, 1_500)
    assert [invoice.subtotal_minor for invoice in paying.invoices] == [1_000, 1_000, 1_500]
    assert moving.counts(move) == {"moved": 1}
    assert len(moving.mails()) == 1
    paying.is_invoiced_without_a_gap()


def test_where_nothing_gets_worse_it_is_the_next_renewal(
    moving: Moving, paying: Subscriber, works: Works, clock: Any, session: Session
) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()

    moving.works()

    assert moving.counts(move) == {"arranged": 1}
    assert moving.mails()[0].subject == "Starter has new terms from 14 April 2026"
    with transaction(session):
        assert session.get_one(VersionMove, move.id).state == "done"
    clock.set(day(2026, 4, 15))
    works()
    assert (paying.sub.version, paying.sub.price_minor) == (2, 900)


def test_now_costs_nothing_and_is_only_for_whom_nothing_gets_worse(
    moving: Moving, paying: Subscriber, clock: Any
) -> None:
    moving.publishes(features=("Fast",))
    clock.set(day(2026, 3, 24))
    held = paying.cents
    move = moving.begins(times="now")

    moving.works()

    assert (moving.counts(move), paying.sub.version) == ({"moved": 1}, 2)
    assert (paying.cents, paying.sub.period_end) == (held, day(2026, 4, 14))
    assert "Fast, new" in moving.mails()[0].body
    moving.publishes(features=())
    second = moving.begins(times="now", from_version=2)
    moving.works()
    assert moving.counts(second) == {"told": 1}, "something is taken away, so it waits for its time"


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("cancels", "They leave at the end of their period."),
        ("chooses", "A change waits for the end of their period already."),
        ("goes", "They have another plan or version by now."),
    ],
)
def test_what_a_customer_wants_themselves_stays(moving: Moving, paying: Subscriber, does: str, told: str) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    who = (paying.session, {}, paying.customer_id)
    if does == "cancels":
        cancel_plan.at_period_end(*who, reason=None, actor="usr_1")
    else:
        plan, every = ("starter", "year") if does == "goes" else ("growth", "month")
        shown = change_plan.preview(*who, plan, every, actor="usr_1")
        change_plan.confirm(*who, shown.id, actor="usr_1")
        if does == "chooses":
            back = change_plan.preview(*who, "starter", "month", actor="usr_1")
            change_plan.confirm(*who, back.id, actor="usr_1")

    moving.works()

    assert moving.counts(move) == {"left": 1}
    assert moving.why(move) == told or does == "chooses"
    assert not moving.mails()


def test_who_cancels_or_chooses_another_plan_after_it_was_arranged_is_not_moved(
    moving: Moving, paying: Subscriber, works: Works, clock: Any
) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    moving.works()

    with pytest.raises(Conflict, match="old terms of this plan end"):
        change_plan.undo(paying.session, {}, paying.customer_id, actor="usr_1")
    cancel_plan.at_period_end(paying.session, {}, paying.customer_id, reason=None, actor="usr_1")

    assert moving.counts(move) == {"left": 1}
    assert moving.why(move) == "The subscription was cancelled."
    clock.set(day(2026, 4, 15))
    works()
    assert paying.sub.status == "canceled"


def test_terms_of_their_own_stay_theirs(moving: Moving, paying: Subscriber, works: Works, clock: Any) -> None:
    with transaction(paying.session):
        own = overrides.Negotiated(monthly_minor=800)
        overrides.set_override(paying.session, paying.customer_id, own, reason="Early", actor="staff:usr_1")
    moving.publishes(monthly_minor=1_500)

    found = moving.looks()
    moving.begins()
    moving.works()
    clock.set(day(2026, 4, 15))
    works()

    assert [(line.before_minor, line.after_minor, line.negotiated) for line in found.lines] == [(1_000, 800, 1)]
    assert (paying.sub.version, paying.sub.price_minor) == (2, 800)


def test_the_outlook_says_how_many_at_what_and_who_cannot(
    moving: Moving, paying: Subscriber, bo: Any, clock: Any
) -> None:
    other = Subscriber(bo)
    other.gets(50_000)
    other.subscribes("starter", "year")
    moving.publishes(monthly_minor=1_500, yearly_minor=None)

    found = moving.looks()

    [line], [left] = found.lines, found.left
    assert (line.interval, line.before_minor, line.after_minor, line.when, line.count) == (
        "month", 1_000, 1_500, "noticed", 1,
    )  # fmt: skip
    assert (left.why, left.customers) == ("Starter is not sold by the year.", [bo.customer_id])
    assert (found.count, found.month_before, found.month_after) == (2, 1_833, 2_333)
    assert moving.looks(customers=(bo.customer_id,)).count == 1


def test_an_open_payment_is_waited_for(moving: Moving, subscriber: Subscriber, works: Works, clock: Any) -> None:
    subscriber.gets(600)
    subscriber.subscribes()
    moving.publishes(monthly_minor=900)
    clock.set(day(2026, 4, 15))
    works()
    assert subscriber.sub.status == "past_due"
    move = moving.begins()

    moving.works()
    assert (moving.counts(move), moving.why(move)) == ({"waiting": 1}, "Their last payment is open.")
    subscriber.gets(5_000)
    clock.advance(days=2)
    works()
    moving.works()

    assert moving.counts(move) == {"arranged": 1}


def test_taken_back_nobody_moves_and_who_was_told_is_told_so(
    moving: Moving, paying: Subscriber, works: Works, clock: Any
) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    moving.works()

    with transaction(moving.session):
        begin.stop(moving.session, move.id, actor="staff:usr_1")
    moving.works()

    assert moving.counts(move) == {"stopped": 1}
    assert [mail.subject for mail in moving.mails()][1:] == ["Starter stays as it is"]
    clock.set(day(2026, 4, 15))
    works()
    assert (paying.sub.version, paying.sub.price_minor) == (1, 1_000)


def test_who_is_in_one_move_is_not_in_another(moving: Moving, paying: Subscriber) -> None:
    moving.publishes(monthly_minor=1_500)
    moving.begins()

    assert [(left.why, left.count) for left in moving.looks().left] == [("They are being moved already.", 1)]
    assert moving.looks().movable == 0
    with pytest.raises(Conflict, match="Nobody is left to move"):
        moving.begins()
    with pytest.raises(Conflict, match="Another version is on offer"):
        moving.begins(to_version=1, from_version=2)


def test_a_worker_that_died_after_the_change_makes_no_second_one(
    moving: Moving, paying: Subscriber, clock: Any, session: Session
) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    moving.works()
    with transaction(session):  # as it was before the outcome was written down
        row = session.get_one(MovedSubscriber, (paying.customer_id, move.id))
        row.state, row.change_id, row.due_at = "waiting", None, clock.now + timedelta(minutes=5)
    assert moving.works() == 0, "the lease is not over"
    clock.advance(minutes=6)

    assert moving.works() == 1

    assert moving.counts(move) == {"arranged": 1}
    with transaction(session):
        assert session.scalars(select(SubscriptionChange.state)).all() == ["scheduled"]
    assert len(moving.mails()) == 1


def test_what_a_worker_has_in_hand_when_it_is_taken_back_is_undone_afterwards(
    moving: Moving, paying: Subscriber, clock: Any, session: Session
) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    with transaction(session):
        assert work.take(session) is not None
    with transaction(session):
        begin.stop(session, move.id, actor="staff:usr_1")
    assert moving.works() == 0, "who has it in hand is given time to end"

    late = Move(move.id, 2, waits=True)
    who = (session, {}, paying.customer_id)
    shown = change_plan.preview(*who, "starter", "month", actor="staff:usr_1", move=late)
    change_plan.confirm(*who, shown.id, actor="staff:usr_1")
    clock.advance(minutes=6)
    moving.works()

    assert moving.counts(move) == {"stopped": 1}
    with transaction(session):
        assert session.scalars(select(SubscriptionChange.state)).all() == ["undone"]
