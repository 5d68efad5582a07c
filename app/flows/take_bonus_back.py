"""What a coupon gave on top of a top-up goes with its payment: in proportion, as far as it is not spent (P15, W1).

Nothing here asks what was done before: what has gone back of the payment says how much of the bonus should have, and
what is missing or too much is moved. So refunds and disputes of a payment may come, fail and end in any order.
Belongs in the transaction of what caused it, with the payment locked.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import activity, coupons, credits, ledger
from app.coupons import gifts
from app.coupons.models import Coupon, Redemption
from app.flows import grant_credits
from app.money import minor_to_micros, round_half_away
from app.payments import disputes, refunds, returned
from app.payments.models import Payment

_TAKEN = "Bonus of a top-up that went back"
_STAYS = "Bonus of a top-up that stays after all"


@dataclass(frozen=True, slots=True)
class Bonus:
    """What would go: money of the wallet in micros, or credits."""

    micros: int = 0
    credits: int = 0


def follow(session: Session, channel: str | None, payment_id: str | None, *, cause: str) -> None:
    """Bring the bonus to where its payment is. `cause` names the refund or dispute, or its end, once for each."""
    found = _of(session, channel or "", payment_id or "", lock=True)
    if found is None:
        return
    payment, redemption, coupon = found
    if ledger.find_entry(session, redemption.customer_id, f"{gifts.key_of(redemption.id)}:{cause}") is not None:
        return
    back = returned.returned_minor(session, payment.channel, payment.payment_id).total
    if coupon.kind == "credits":
        _credits(session, payment, redemption, back, cause)
    else:
        _money(session, payment, redemption, back, cause)
    session.flush()


def would_go(session: Session, channel: str, payment_id: str, net_minor: int) -> Bonus:
    """What would go with `net_minor` more of the payment, so that it can be told before."""
    found = _of(session, channel, payment_id)
    if found is None:
        return Bonus()
    payment, redemption, coupon = found
    back = returned.returned_minor(session, channel, payment_id).total + net_minor
    if coupon.kind == "credits":
        grant = credits.find_grant(session, redemption.customer_id, gifts.key_of(redemption.id))
        left = grant.remaining if grant else coupon.value
        return Bonus(credits=max(0, min(left, _credits_of(payment, coupon.value, back) - redemption.taken_back)))
    more = _money_of(payment, redemption, back) - redemption.taken_back
    beside = minor_to_micros(net_minor, redemption.currency)
    return Bonus(max(0, min(more, gifts.unspent(session, redemption, beside=beside))))


def _of(
    session: Session, channel: str, payment_id: str, *, lock: bool = False
) -> tuple[Payment, Redemption, Coupon] | None:
    """The payment of a top-up that brought a bonus; a second payment of one order brings none."""
    payment = returned.find(session, channel, payment_id)
    if payment is None or payment.is_extra or not payment.net_minor:
        return None
    redemption = coupons.redeemed_for(session, payment.customer_id, payment.order_id, lock=lock)
    if redemption is None or redemption.what != "topup":
        return None
    return payment, redemption, session.get_one(Coupon, redemption.coupon_id)


def _money(session: Session, payment: Payment, redemption: Redemption, back: int, cause: str) -> None:
    more = _money_of(payment, redemption, back) - redemption.taken_back
    if more > 0:
        more = min(more, gifts.unspent(session, redemption))
    if not more:
        return
    verb, why, did = (gifts.take, _TAKEN, "taken") if more > 0 else (gifts.put_back, _STAYS, "put_back")
    entry = verb(session, redemption, abs(more), cause=cause, why=why)
    told = {"amount_micros": abs(more), "cause": cause, "entry": entry.id, "payment": payment.payment_id}
    activity.record(session, "system", f"coupon.bonus_{did}", redemption.id, customer_id=redemption.customer_id, **told)


def _credits(session: Session, payment: Payment, redemption: Redemption, back: int, cause: str) -> None:
    who, key = redemption.customer_id, gifts.key_of(redemption.id)
    grant_credits.bonuses(session, who)  # what was promised comes first, so that there is one way of taking it
    grant = credits.find_grant(session, who, key)
    assert grant is not None, "a redeemed coupon of credits has its grant"
    due = _credits_of(payment, grant.amount, back)
    if due < redemption.taken_back:  # only a whole taking can be undone: what is due is taken anew
        for each in _causes(session, payment):
            redemption.taken_back -= credits.give_back_revoked(
                session, who, key=f"{key}:{each}", reason=_STAYS, actor="system"
            )
    if due > redemption.taken_back:
        redemption.taken_back += credits.revoke(
            session,
            who,
            grant.id,
            key=f"{key}:{cause}",
            reason=_TAKEN,
            actor="system",
            most=due - redemption.taken_back,
        )


def _causes(session: Session, payment: Payment) -> list[str]:
    """All that may have taken of this payment's bonus."""
    its = payment.channel, payment.payment_id
    made = [name for each in refunds.ids_of(session, *its) for name in (each, f"{each}:failed")]
    ends = ("", ":prevented", ":won")
    return made + [f"{each.id}{end}" for each in disputes.of_payment(session, *its) for end in ends]


def _money_of(payment: Payment, redemption: Redemption, back: int) -> int:
    """How much of the bonus belongs to what went back, in micros."""
    part = round_half_away(redemption.off_minor * min(back, payment.net_minor), payment.net_minor)
    return minor_to_micros(part, redemption.currency)


def _credits_of(payment: Payment, given: int, back: int) -> int:
    return given * min(back, payment.net_minor) // payment.net_minor
