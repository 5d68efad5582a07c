"""Orders: opening one, sending it to a provider, and taking in what the provider tells about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import IdempotencyKeyReused, Invalid
from app.money import EXPONENTS
from app.payments import told
from app.payments.models import ORDER_STATES, WAITING, Order
from app.providers.values import CheckoutSession

SMALLEST, LARGEST = 1_000, 1_000_000  # a top-up, in minor units: $10 to $10,000 (SPEC W2)
_FIRST_POLL = timedelta(minutes=2)
_LONGEST_KEY = 200


class AmountOutOfRange(Invalid):
    """A top-up is at least $10 and at most $10,000. Details: field, smallest and largest in minor units."""

    code = "AMOUNT_OUT_OF_RANGE"


def open_order(
    session: Session,
    *,
    customer_id: str,
    kind: str = "topup",
    amount_minor: int,
    currency: str,
    channel: str,
    form_key: str,
    created_by: str,
) -> Order:
    """The order of this form: made now, or the one made before (its `created_at` tells).

    Raises AmountOutOfRange, Invalid for a form key we cannot store, and IdempotencyKeyReused when the same form now
    asks for something else (SPEC R5).
    """
    _check(kind, amount_minor, currency, form_key)
    now = clock.now()
    row = {
        "customer_id": customer_id,
        "id": ids.new("ord"),
        "kind": kind,
        "amount_minor": amount_minor,
        "currency": currency,
        "channel": channel,
        "state": "pending",
        "form_key": form_key,
        "attempt": 1,
        "request": {},
        "created_by": created_by,
        "created_at": now,
        "updated_at": now,
        "next_poll_at": now + _FIRST_POLL,
        "polls": 0,
    }
    made = session.execute(
        insert(Order).values(row).on_conflict_do_nothing(index_elements=["customer_id", "form_key"]).returning(Order.id)
    ).scalar_one_or_none()
    order = session.scalars(select(Order).where(Order.customer_id == customer_id, Order.form_key == form_key)).one()
    if made is None and (order.kind, order.amount_minor, order.currency) != (kind, amount_minor, currency):
        raise IdempotencyKeyReused(
            "This form was already sent with another amount. Open the page again to start a new payment.",
            field="amount",
        )
    if made is not None:
        amount = {"amount_minor": amount_minor, "currency": currency, "channel": channel}
        activity.record(session, created_by, "order.opened", order.id, customer_id=customer_id, **amount)
    return order


def _check(kind: str, amount_minor: int, currency: str, form_key: str) -> None:
    assert currency in EXPONENTS, "a currency we know"
    if kind == "topup" and not SMALLEST <= amount_minor <= LARGEST:
        raise AmountOutOfRange(
            f"Choose an amount from {_plain(SMALLEST, currency)} to {_plain(LARGEST, currency)}.",
            field="amount",
            smallest=SMALLEST,
            largest=LARGEST,
        )
    if not 1 <= len(form_key) <= _LONGEST_KEY or not form_key.isprintable():
        raise Invalid("This form is incomplete. Open the page again.", field="form_key")


def _plain(minor: int, currency: str) -> str:
    whole = f"{minor // 10 ** EXPONENTS[currency]:,}"
    return f"${whole}" if currency == "usd" else f"{whole} {currency.upper()}"


def find(session: Session, order_id: str, *, lock: bool = False) -> Order | None:
    """An order by its id alone, as providers name it. `lock` keeps others from changing it until the commit."""
    query = select(Order).where(Order.id == order_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def of_form(session: Session, customer_id: str, form_key: str) -> Order | None:
    """The order this form made before; None for a new form."""
    mine = select(Order).where(Order.customer_id == customer_id, Order.form_key == form_key)
    return session.scalars(mine).one_or_none()


def under_way(session: Session, customer_id: str, *, kind: str = "topup", limit: int = 5) -> list[Order]:
    """Payments of a kind that were made and have not arrived, newest first: a bank debit takes days."""
    mine = select(Order).where(Order.customer_id == customer_id, Order.state == "processing", Order.kind == kind)
    return list(session.scalars(mine.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)))


def _lock(session: Session, order: Order) -> None:
    # News of a payment may be written at this moment by a worker: what we read before is not what we may change.
    session.refresh(order, with_for_update=True)


def key_of(order: Order) -> str:
    """The idempotency key of the call that makes its page: a function of the order alone, the same after a crash."""
    return f"{order.id}:{order.attempt}"


def freeze(session: Session, order: Order, request: dict[str, Any]) -> dict[str, Any]:
    """Keep what the provider will be asked; a later try asks exactly that again, whatever has changed since."""
    if not order.request:
        order.request = request
        session.flush()
    return order.request


def sent(session: Session, order: Order, page: CheckoutSession) -> None:
    """The provider made its page. News about the page may have come before this answer: they stay."""
    _lock(session, order)
    order.provider_ref = page.id
    order.expires_at = page.expires_at
    if move(session, order, "open"):
        order.checkout_url = page.url
    session.flush()


def paying(session: Session, order: Order, url: str | None) -> None:
    """There is no page of the order's own, but one at `url` where the customer confirms the payment (3-D Secure)."""
    _lock(session, order)
    if move(session, order, "open"):
        order.checkout_url = url
    session.flush()


def open_of_kind(session: Session, customer_id: str, kind: str) -> list[Order]:
    """A customer's orders of this kind that could still be paid, newest first."""
    mine = select(Order).where(Order.customer_id == customer_id, Order.kind == kind, Order.state.in_(WAITING))
    return list(session.scalars(mine.order_by(Order.created_at.desc(), Order.id.desc())))


def try_again(session: Session, order: Order) -> None:
    """The same request under a new key: nothing was made under the old one, and nothing would be."""
    _lock(session, order)
    order.attempt += 1
    order.updated_at = clock.now()
    session.flush()


def refused(session: Session, order: Order) -> None:
    """The provider turned the request down for good: the next try is a new attempt, under a new key."""
    _lock(session, order)
    order.attempt += 1
    order.request = {}
    order.updated_at = clock.now()
    session.flush()


def move(session: Session, order: Order, state: str, *, failure: str | None = None) -> bool:
    """Bring it forward to `state`; never backwards. Whether anything changed."""
    if ORDER_STATES.index(state) <= ORDER_STATES.index(order.state):
        return False
    order.state = state
    order.failure = failure
    order.checkout_url = None  # set only while the page can be paid
    order.updated_at = clock.now()
    if order.is_final:
        order.next_poll_at = None
    session.flush()
    if state == "failed":
        told.failed(session, order)
    return True


def pay(session: Session, order: Order, payment_id: str, *, at: datetime) -> None:
    """This payment settled it."""
    order.payment_id = payment_id
    order.paid_at = at
    move(session, order, "paid")


def poll_later(session: Session, order: Order) -> None:
    """Asked and nothing new: ask again after twice the time, at most a day."""
    order.polls += 1
    order.next_poll_at = clock.now() + min(_FIRST_POLL * 2**order.polls, timedelta(days=1))
    session.flush()
