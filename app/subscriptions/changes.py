"""Changes of a subscription as rows: shown to the customer, taken in hand, carried out or not. One at a time (SPEC P9).

previewed -> in_flight -> applied, failed or scheduled; scheduled -> applied or undone. A preview that was not taken in
time is expired. Two at once are told apart by the unique index on what is in flight, not by looking first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Conflict, NotFound
from app.money import Money
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval

PREVIEW_HOLDS = timedelta(minutes=10)
ASKED_BEFORE = timedelta(hours=1)  # the period's end: time for some tries; the customer notices nothing of it
MOVE = "move"  # in a change's details: the move of many that it belongs to, which staff began
_WAITING = ("in_flight", "scheduled")


class PreviewExpired(Conflict):
    """The price shown holds for ten minutes. A new preview is needed. Details: change_id."""

    code = "PREVIEW_EXPIRED"


def note_preview(
    session: Session,
    subscription: Subscription,
    *,
    kind: str,
    plan_id: str,
    version: int,
    interval: Interval,
    price: Money,
    as_of: datetime,
    effective_at: datetime,
    actor: str,
    charge_minor: int = 0,
    credit_minor: int = 0,
    tax_minor: int = 0,
    due_minor: int = 0,
    details: dict[str, Any] | None = None,
) -> SubscriptionChange:
    """Keep what the customer was shown: it is charged to the cent if taken within ten minutes. Amounts in minor units.

    `details["from"]` is what the subscription was at that moment: should it be another by then, nothing is charged.
    """
    now = clock.now()
    made = SubscriptionChange(
        customer_id=subscription.customer_id,
        id=ids.new("chg"),
        subscription_id=subscription.id,
        kind=kind,
        state="previewed",
        plan_id=plan_id,
        version=version,
        interval=interval.value,
        price_minor=price.minor,
        currency=price.currency,
        charge_minor=charge_minor,
        credit_minor=credit_minor,
        tax_minor=tax_minor,
        due_minor=due_minor,
        as_of=as_of,
        effective_at=effective_at,
        expires_at=now + PREVIEW_HOLDS,
        attempt=1,
        details={**(details or {}), "from": as_it_is(subscription)},
        created_by=actor,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def end_now(session: Session, subscription: Subscription, *, actor: str, **details: Any) -> SubscriptionChange:
    """A cancellation that takes effect at this second goes in flight (SPEC P8). Raises Conflict as `take`."""
    at = clock.now().replace(microsecond=0)
    change = note_preview(
        session,
        subscription,
        kind="cancel_now",
        plan_id=subscription.plan_id,
        version=subscription.version,
        interval=Interval(subscription.interval),
        price=Money(subscription.price_minor, subscription.currency),
        as_of=at,
        effective_at=at,
        actor=actor,
        details=details,
    )
    return put_in_flight(session, change, actor=actor)


def as_it_is(subscription: Subscription) -> dict[str, Any]:
    """What a preview was computed from, as it is kept in its details."""
    return {
        "plan_id": subscription.plan_id,
        "version": subscription.version,
        "interval": subscription.interval,
        "price_minor": subscription.price_minor,
        "period_end": clock.timestamp(subscription.period_end),
        "paid_by": subscription.paid_by,
    }


def one(session: Session, customer_id: str, change_id: str, *, lock: bool = False) -> SubscriptionChange:
    """One change of this customer. Raises NotFound, the same for another customer's."""
    found = session.get(
        SubscriptionChange, (customer_id, change_id), with_for_update=lock or None, populate_existing=lock
    )
    if found is None:
        raise NotFound("There is no such change.")
    return found


def in_flight(session: Session, customer_id: str) -> SubscriptionChange | None:
    return _waiting(session, customer_id, "in_flight")


def scheduled(session: Session, customer_id: str) -> SubscriptionChange | None:
    return _waiting(session, customer_id, "scheduled")


def refuse_while_one_runs(session: Session, customer_id: str) -> None:
    """Raises Conflict while a change is in flight (SPEC P9)."""
    running = in_flight(session, customer_id)
    if running is not None:
        raise conflict(running.id)


def conflict(change_id: str | None = None) -> Conflict:
    """What the second of two changes is told."""
    sentence = "Another change of this subscription is still being paid. Finish it or take it back first."
    return Conflict(sentence, change_id=change_id)


def take(session: Session, subscription: Subscription, change: SubscriptionChange, *, actor: str) -> None:
    """The customer confirmed: it is in flight from now on. Raises PreviewExpired, and Conflict for a second one.

    Of two at the same instant the second one's flush breaks on the unique index: `IntegrityError` is a Conflict too.
    """
    if change.state != "previewed":
        sentence = "This change was decided already. Look at the plan's page for how it ended."
        raise Conflict(sentence, change_id=change.id)
    refuse_while_one_runs(session, change.customer_id)
    if clock.now() >= change.expires_at or change.details.get("from") != as_it_is(subscription):
        sentence = "The price shown no longer holds. Look at the new one before you confirm."
        raise PreviewExpired(sentence, change_id=change.id)
    if is_of_move(change):
        _refuse_against_their_will(session, subscription)
    change.state = "in_flight"
    session.flush()
    _record(session, actor, "confirmed", change, due_minor=change.due_minor)


def is_of_move(change: SubscriptionChange) -> bool:
    """Whether staff make it for many, and the customer did not choose it."""
    return MOVE in change.details


def _refuse_against_their_will(session: Session, subscription: Subscription) -> None:
    """A change that they did not ask for takes the place of nothing that they did."""
    if subscription.cancel_at_period_end:
        raise Conflict("They leave at the end of their period.")
    if scheduled(session, subscription.customer_id) is not None:
        raise Conflict("A change waits for the end of their period already.")


def put_in_flight(session: Session, change: SubscriptionChange, *, actor: str) -> SubscriptionChange:
    """A change that needs no preview (a cancellation, another way to pay) goes in flight. Raises Conflict as `take`."""
    refuse_while_one_runs(session, change.customer_id)
    change.state = "in_flight"
    session.flush()
    _record(session, actor, "confirmed", change)
    return change


def needs_action(session: Session, change: SubscriptionChange, url: str | None, *, until: datetime | None) -> None:
    """The bank wants the customer to confirm the payment at `url`; it stays in flight."""
    change.action_url = url
    change.expires_at = until or change.expires_at
    session.flush()


def apply(session: Session, change: SubscriptionChange, *, actor: str, **told: Any) -> bool:
    """It is so now. Whether this is news. What was scheduled before is replaced by it."""
    if change.state not in _WAITING:
        return False
    change.state, change.finished_at, change.action_url, change.failure = "applied", clock.now(), None, None
    session.flush()
    _record(session, actor, "applied", change, **told)
    return True


def fail(session: Session, change: SubscriptionChange, reason: str, *, actor: str = "system") -> bool:
    """The old plan stays, and the customer is told why."""
    if change.state != "in_flight":
        return False
    change.state, change.failure, change.finished_at, change.action_url = "failed", reason, clock.now(), None
    session.flush()
    _record(session, actor, "failed", change, reason=reason)
    return True


def schedule(session: Session, change: SubscriptionChange, *, effective_at: datetime, actor: str) -> None:
    """It takes effect at `effective_at`, in the place of what was scheduled before (SPEC P7)."""
    unschedule(session, change.customer_id, actor=actor, because="A newer change replaced it.")
    change.state, change.effective_at = "scheduled", effective_at
    session.flush()
    _record(session, actor, "scheduled", change, effective_at=clock.timestamp(effective_at))


def is_timed_here(change: SubscriptionChange) -> bool:
    """Whether it is for us to have it done: its provider schedules none, and is asked just before the period ends."""
    return bool(change.details.get("timed_here"))


def time_here(session: Session, change: SubscriptionChange, *, effective_at: datetime, actor: str) -> None:
    """Schedule it for us to have it done; `expires_at` says when to look at it next."""
    change.details = {**change.details, "timed_here": True}
    change.expires_at = effective_at - ASKED_BEFORE
    schedule(session, change, effective_at=effective_at, actor=actor)


def unschedule(
    session: Session, customer_id: str, *, actor: str, because: str | None = None
) -> SubscriptionChange | None:
    """Take back what was scheduled; None where nothing was."""
    change = scheduled(session, customer_id)
    return undo(session, change, actor=actor, because=because) if change else None


def undo(session: Session, change: SubscriptionChange, *, actor: str, because: str | None = None) -> SubscriptionChange:
    """It will not be."""
    if change.state in _WAITING:
        change.state, change.failure, change.finished_at, change.action_url = "undone", because, clock.now(), None
        session.flush()
        _record(session, actor, "undone", change)
    return change


def drop_all(session: Session, subscription: Subscription, *, because: str) -> None:
    """Nothing that waited will be, since the subscription ended; a cancellation is what ended it, and goes on."""
    waiting = select(SubscriptionChange).where(
        SubscriptionChange.customer_id == subscription.customer_id,
        SubscriptionChange.subscription_id == subscription.id,
        SubscriptionChange.state.in_(_WAITING),
        SubscriptionChange.kind != "cancel_now",
    )
    for change in session.scalars(waiting):
        undo(session, change, actor="system", because=because)


def expire_previews(session: Session, limit: int) -> int:
    """Previews nobody took: their price does not hold any more."""
    old = (
        select(SubscriptionChange.id)
        .where(SubscriptionChange.state == "previewed", SubscriptionChange.expires_at <= clock.now())
        .limit(limit)
    )
    done = session.execute(
        update(SubscriptionChange)
        .where(SubscriptionChange.id.in_(old), SubscriptionChange.state == "previewed")
        .values(state="expired", finished_at=clock.now())
        .returning(SubscriptionChange.id)
        .execution_options(synchronize_session=False)
    )
    return len(done.all())


def _waiting(session: Session, customer_id: str, state: str) -> SubscriptionChange | None:
    mine = select(SubscriptionChange).where(
        SubscriptionChange.customer_id == customer_id, SubscriptionChange.state == state
    )
    return session.scalars(mine).one_or_none()


def _record(session: Session, actor: str, word: str, change: SubscriptionChange, **told: Any) -> None:
    said = {"kind": change.kind, "plan": change.plan_id, "interval": change.interval, **told}
    activity.record(session, actor, f"change.{word}", change.id, customer_id=change.customer_id, **said)
