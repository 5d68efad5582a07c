"""Moving subscribers to another version of their plan: the worker's walk, each in steps of their own (SPEC P2, P7).

The change itself is a change of plan like any other; only who asks for it differs. Run twice, by two workers or after
a kill it comes to the same: a subscriber is one row, taken under a lease; a change that was made already is known by
the move's id in it; what the customer is told is told once under that id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import reads
from app.db import transaction
from app.errors import Refusal
from app.flows import change_plan, movable, moves_told
from app.flows.movable import Not, Providers, Terms
from app.flows.preview_by_card import ESTIMATED
from app.moves import work
from app.moves.models import MovedSubscriber, VersionMove
from app.subscriptions import changes, lifecycle, overrides
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.sale import Move, Sale

log = logging.getLogger(__name__)

_BREATH = 0.005  # seconds between two subscribers on SQLite, which keeps no queue for its lock
_AGAIN = timedelta(days=1)  # what may pass, as an open payment, is looked at once a day
_SOON = timedelta(minutes=10)  # a renewal that is under way
_MOST = 30  # times: longer than a payment is tried again
_GONE = "They have another plan or version by now."


@dataclass(frozen=True, slots=True)
class Turn:
    """A subscriber in hand, and the number of this try."""

    move: VersionMove
    row: MovedSubscriber
    number: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """The change that is to be asked for one subscriber: `key` and `interval` of the plan they have."""

    key: str
    interval: str
    move: Move


def move_due(session_factory: Callable[[], Session], providers: Providers, *, limit: int = 50) -> int:
    """Do what is due for up to `limit` subscribers; for how many that was. Never raises for one of them."""
    with session_factory() as session:
        if not work.is_due(session):
            return 0
        done = 0
        while done < limit and _one(session, providers):
            done += 1
            if session.get_bind().dialect.name == "sqlite":
                time.sleep(_BREATH)
        with transaction(session):
            work.end_what_is_done(session, clock.now())
    return done


def _one(session: Session, providers: Providers) -> bool:
    try:
        with transaction(session):
            row = work.take(session)
            if row is None:
                return False
            turn = Turn(session.get_one(VersionMove, row.move_id), row, row.attempts)
            session.expunge_all()  # plain values from here on: others may write meanwhile
    except OperationalError as busy:
        log.warning("the database is busy, and what is due stays due: %s", busy)
        return False
    try:
        (_back if turn.row.state == "stopping" else _forth)(session, providers, turn)
    except Refusal as no:
        _later(session, turn, no.sentence, _AGAIN)
    except Exception:
        log.exception("the subscriber %s could not be moved, and is put off", turn.row.customer_id)
        _later(session, turn, "Something broke on our side.", _SOON)
    return True


def _forth(session: Session, providers: Providers, turn: Turn) -> None:
    with transaction(session):
        wanted = _next(session, providers, turn)
    if wanted is None:
        return
    change = _changed(session, providers, turn, wanted)
    if not wanted.move.waits and not _is_harmless(change):
        wanted = Wanted(wanted.key, wanted.interval, Move(turn.move.id, turn.move.to_version, waits=True))
        change = _changed(session, providers, turn, wanted)
    change = change_plan.confirm(session, providers, turn.row.customer_id, change.id, actor=turn.move.created_by)
    with transaction(session):
        _arranged(session, turn, change)


def _next(session: Session, providers: Providers, turn: Turn) -> Wanted | None:
    """What is to be asked now; None where there is nothing to ask (yet), which is written down."""
    move, row, now = turn.move, turn.row, clock.now()
    known = _made(session, turn)
    if known is not None:
        _arranged(session, turn, known)
        return None
    sub = lifecycle.live(session, row.customer_id, lock=True)
    if sub is None or (sub.plan_id, sub.version) != (move.plan_id, move.from_version):
        _left(session, turn, _GONE)
        return None
    old, new = _terms(session, sub, move.from_version), _terms(session, sub, move.to_version)
    bought = movable.sale_of(session, providers, sub, old, new, _waiting(session, sub))
    if isinstance(bought, Not):
        _put_off(session, turn, bought.why, _AGAIN) if bought.passes else _left(session, turn, bought.why)
        return None
    if sub.period_end <= now:
        work.write(session, row, turn.number, due_at=now + _SOON)
        return None
    at_once = movable.when(move.times, sub, old, bought) == "now"
    not_before = row.not_before
    if not at_once and row.told_at is None:
        not_before = _tell(session, turn, sub, old, bought)
    if not_before is not None and sub.period_end < not_before:
        work.write(session, row, turn.number, due_at=sub.period_end + _SOON)
        return None
    return Wanted(bought.terms.key, sub.interval, Move(move.id, move.to_version, waits=not at_once))


def _is_harmless(change: SubscriptionChange) -> bool:
    """Whether nothing is charged for it now, as far as one can know."""
    return change.details.get("effect") != "now" or (change.due_minor <= 0 and not change.details.get(ESTIMATED, False))


def _tell(session: Session, turn: Turn, sub: Subscription, old: Terms, bought: Sale) -> datetime:
    """The customer is told, at least the days of notice before where it gets worse; the first instant it may begin."""
    now = clock.now()
    is_worse = movable.is_worse(sub, old, bought)
    not_before = now + timedelta(days=turn.move.notice_days) if is_worse else now
    at = moves_told.begins(sub, not_before)
    moves_told.before(session, turn.move.id, sub, old.theirs, bought, at)
    told = {"told_at": now, "not_before": not_before, "effective_at": at}
    prices = {"price_before_minor": sub.price_minor, "price_after_minor": bought.price.minor, "currency": sub.currency}
    work.write(session, turn.row, turn.number, **told, **prices)
    return not_before


def _changed(session: Session, providers: Providers, turn: Turn, wanted: Wanted) -> SubscriptionChange:
    who, by = turn.row.customer_id, turn.move.created_by
    return change_plan.preview(session, providers, who, wanted.key, wanted.interval, actor=by, move=wanted.move)


def _arranged(session: Session, turn: Turn, change: SubscriptionChange) -> None:
    if change.state == "failed":
        _left(session, turn, change.failure or "The change failed.")
        return
    if change.state == "in_flight":  # nobody knows yet: it is settled by itself
        _put_off(session, turn, "The change is under way at the payment provider.", _SOON)
        return
    at_once = change.state == "applied" and turn.row.told_at is None
    before = change.details["from"]["price_minor"]
    prices = {"price_before_minor": before, "price_after_minor": change.price_minor, "currency": change.currency}
    state = "moved" if change.state == "applied" else "arranged"
    if (
        work.write(
            session,
            turn.row,
            turn.number,
            state=state,
            why=None,
            change_id=change.id,
            effective_at=change.effective_at,
            **prices,
        )
        and at_once
    ):
        moves_told.after(session, turn.move.id, change)


def _back(session: Session, providers: Providers, turn: Turn) -> None:
    """Staff took the move back: what waits for its time is undone, and who was told is told so."""
    with transaction(session):
        change = _made(session, turn)
        if change is not None and change.state == "applied":
            work.write(session, turn.row, turn.number, state="moved", change_id=change.id)
            return
        waits = change is not None and change.state == "scheduled"
    if waits:
        change_plan.take_back(session, providers, turn.row.customer_id, actor=turn.move.created_by)
    with transaction(session):
        row = turn.row
        if work.write(session, row, turn.number, state="stopped") and row.told_at and row.effective_at:
            moves_told.not_any_more(session, turn.move, row.customer_id, row.effective_at)


def _made(session: Session, turn: Turn) -> SubscriptionChange | None:
    """The change that this move made of their subscription already, should an earlier try have died after it."""
    mine = select(SubscriptionChange).where(
        SubscriptionChange.customer_id == turn.row.customer_id,
        SubscriptionChange.created_at >= turn.move.created_at,
        SubscriptionChange.state.not_in(("previewed", "expired")),
    )
    newest = mine.order_by(SubscriptionChange.created_at.desc(), SubscriptionChange.id.desc())
    return next((each for each in session.scalars(newest) if each.details.get(changes.MOVE) == turn.move.id), None)


def _waiting(session: Session, sub: Subscription) -> str | None:
    if changes.in_flight(session, sub.customer_id) is not None:
        return "in_flight"
    return "scheduled" if changes.scheduled(session, sub.customer_id) is not None else None


def _terms(session: Session, sub: Subscription, version: int) -> Terms:
    listed = reads.version_of(session, sub.plan_id, version)
    return Terms(listed, overrides.laid_over(listed, overrides.live(session, sub.customer_id)))


def _left(session: Session, turn: Turn, why: str) -> None:
    work.write(session, turn.row, turn.number, state="left", why=why)


def _put_off(session: Session, turn: Turn, why: str, wait: timedelta) -> None:
    """Look again later; after too many times they are left as they are."""
    if turn.number >= _MOST:
        _left(session, turn, why)
    else:
        work.write(session, turn.row, turn.number, why=why, due_at=clock.now() + wait)


def _later(session: Session, turn: Turn, why: str, wait: timedelta) -> None:
    with transaction(session):
        _put_off(session, turn, why, wait)
