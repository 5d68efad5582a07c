"""Automatic top-up: what a customer allowed, what a charge comes to, and what ends it (SPEC W6).

It is off until the customer switches it on, and whatever we stop, only they switch on again: no purchase does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Invalid
from app.money import minor_to_micros
from app.payments.models import Order
from app.payments.orders import LARGEST, SMALLEST
from app.wallet.models import AutoTopUp

KIND = "auto_topup"  # of the orders
COOL_OFF = timedelta(minutes=30)  # between two charges
AFTER_A_DECLINE = timedelta(hours=1)
MOST_DECLINES = 3  # in a row; then it is switched off
LARGEST_CEILING = 10_000_000  # minor units
LARGEST_THRESHOLD = 1_000_000  # minor units
_AT_A_PAGE = timedelta(minutes=30)  # somebody who opened a page to pay by hand is left alone for so long
_NOT_MADE = ("failed", "canceled", "expired")

# Why it is paused or was switched off, as a sentence for the customer.
WHY = {
    "declined": "The card was declined three times in a row.",
    "declined_for_good": "The bank said that this card must not be charged again.",
    "no_card": "No card is saved that could be charged.",
    "confirm": "Your bank wants you to confirm such a charge yourself.",
    "refund": "Money was paid back to you from your wallet.",
    "frozen": "Your wallet is frozen because a payment is disputed.",
}


def of(session: Session, customer_id: str, *, lock: bool = False) -> AutoTopUp | None:
    """The customer's settings; None where it was never switched on. `lock` keeps others out until the commit."""
    mine = select(AutoTopUp).where(AutoTopUp.customer_id == customer_id)
    if lock:
        mine = mine.with_for_update().execution_options(populate_existing=True)
    return session.scalars(mine).one_or_none()


def switch_on(
    session: Session,
    customer_id: str,
    *,
    threshold_minor: int,
    amount_minor: int,
    ceiling_minor: int,
    currency: str,
    actor: str,
) -> AutoTopUp:
    """From now on the card is charged by these rules; also how they are changed, and how a pause ends.

    All in minor units. Raises Invalid, naming the field. The pause after a charge is kept; declines are forgotten.
    """
    _check(threshold_minor, amount_minor, ceiling_minor)
    rules = {
        "threshold_micros": minor_to_micros(threshold_minor, currency),
        "amount_minor": amount_minor,
        "ceiling_minor": ceiling_minor,
    }
    row = _row(session, customer_id, currency, rules, actor)
    was, row.state, row.why, row.declines = row.state, "on", None, 0
    for name, value in rules.items():
        setattr(row, name, value)
    if row.order_id is None:
        # The pause between charges outlives switching off and on; one for a ceiling or a decline does not.
        latest = _latest_charge(session, customer_id)
        row.not_before = latest + COOL_OFF if latest else None
    _changed(row, actor)
    session.flush()
    told = {"threshold_minor": threshold_minor, "amount_minor": amount_minor, "ceiling_minor": ceiling_minor}
    activity.record(session, actor, "wallet.auto_topup_on", customer_id, customer_id=customer_id, was=was, **told)
    return row


def switch_off(session: Session, customer_id: str, *, actor: str) -> AutoTopUp | None:
    """Nothing is charged any more. A charge that is under way is not called back."""
    row = of(session, customer_id, lock=True)
    if row is not None and row.state != "off":
        row.state, row.why = "off", None
        _changed(row, actor)
        activity.record(session, actor, "wallet.auto_topup_off", customer_id, customer_id=customer_id)
    return row


def stop(session: Session, row: AutoTopUp, why: str) -> bool:
    """We end it, for a reason of `WHY`: off after declines, else paused. Whether it was on. Needs the row locked."""
    if row.state != "on":
        return False
    row.state, row.why = ("off" if why.startswith("declined") else "paused"), why
    _changed(row, "system")
    session.flush()
    action = f"wallet.auto_topup_{row.state}"
    activity.record(session, "system", action, row.customer_id, customer_id=row.customer_id, why=why)
    return True


def charge_for(row: AutoTopUp, available_micros: int, left_minor: int) -> int:
    """What one charge comes to, in minor units: as many steps as bring the wallet above the threshold.

    Above and not to it, for at the threshold the next charge would be due. Whole steps only, within what is `left` of
    the ceiling and the largest top-up there is; 0 where not even one fits.
    """
    step = minor_to_micros(row.amount_minor, row.currency)
    gap = row.threshold_micros - available_micros
    wanted = gap // step + 1
    most = min(left_minor, LARGEST) // row.amount_minor
    return max(0, min(wanted, most)) * row.amount_minor


def left_of_ceiling(session: Session, row: AutoTopUp, now: datetime) -> int:
    """What may still be charged in this calendar month, in minor units; charges under way count."""
    begins = month_of(now)
    made = select(Order.amount_minor).where(
        Order.customer_id == row.customer_id,
        Order.kind == KIND,
        Order.created_at >= begins,
        Order.state.not_in(_NOT_MADE),
    )
    return row.ceiling_minor - sum(session.scalars(made))


def another_is_under_way(session: Session, customer_id: str, now: datetime) -> bool:
    """Whether money is on its way already, or somebody has just opened a page to pay by hand."""
    paying = (Order.kind == "topup") & Order.state.in_(("pending", "open")) & (Order.created_at > now - _AT_A_PAGE)
    coming = Order.kind.in_(("topup", KIND)) & (Order.state == "processing")
    mine = select(Order.id).where(Order.customer_id == customer_id, paying | coming)
    return session.scalar(mine.limit(1)) is not None


def month_of(now: datetime) -> datetime:
    """When the calendar month began, in UTC: the ceiling's month."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(now: datetime) -> datetime:
    """When the next calendar month begins, in UTC."""
    return month_of(month_of(now) + timedelta(days=32))


def _row(session: Session, customer_id: str, currency: str, rules: dict[str, int], actor: str) -> AutoTopUp:
    """The customer's row, locked; a fresh one is off."""
    fresh = {"customer_id": customer_id, "state": "off", "currency": currency, "declines": 0, "made": 0, **rules}
    once = insert(AutoTopUp).values(**fresh, changed_by=actor, changed_at=clock.now())
    session.execute(once.on_conflict_do_nothing(index_elements=["customer_id"]))
    row = of(session, customer_id, lock=True)
    assert row is not None, "it was just made"
    return row


def _latest_charge(session: Session, customer_id: str) -> datetime | None:
    made = select(Order.created_at).where(
        Order.customer_id == customer_id, Order.kind == KIND, Order.state.not_in(_NOT_MADE)
    )
    return session.scalars(made.order_by(Order.created_at.desc()).limit(1)).one_or_none()


def _check(threshold_minor: int, amount_minor: int, ceiling_minor: int) -> None:
    if not 0 <= threshold_minor <= LARGEST_THRESHOLD:
        raise Invalid("Choose a level from nothing to the largest top-up.", field="threshold")
    if not SMALLEST <= amount_minor <= LARGEST:
        raise Invalid("Choose an amount that a top-up may have.", field="step", smallest=SMALLEST, largest=LARGEST)
    if not amount_minor <= ceiling_minor <= LARGEST_CEILING:
        raise Invalid("The ceiling must allow at least one top-up.", field="ceiling", largest=LARGEST_CEILING)


def _changed(row: AutoTopUp, actor: str) -> None:
    row.changed_by, row.changed_at = actor, clock.now()
