"""The tax that goes back with a part of a payment, and what of a told amount is tax. Minor units."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.money import round_half_away
from app.payments import refunds
from app.payments.models import Payment


def share_of_tax(session: Session, payment: Payment, net_minor: int) -> int:
    """The tax on `net_minor` of it, after what has gone back: with the last cent exactly what is left of the tax.

    Whoever writes it down has locked the payment.
    """
    if not payment.tax_minor:
        return 0
    before = refunds.of_payment(session, payment.channel, payment.payment_id, lock=False)
    net = sum(refund.net_minor for refund in before) + net_minor
    return share(payment.tax_minor, payment.net_minor, net, sum(refund.tax_minor for refund in before))


def share(tax: int, whole: int, net: int, tax_before: int) -> int:
    """The tax of `net` of the `whole`, less what has gone back of it before; never more than there is."""
    return max(0, min(tax, round_half_away(tax * min(net, whole), whole)) - tax_before)


def net_of(gross_minor: int, net_minor: int, tax_minor: int) -> int:
    """What of an amount that went back, tax included, was not tax; `net_minor` and `tax_minor` are what was paid."""
    gross = net_minor + tax_minor
    return gross_minor - round_half_away(min(gross_minor, gross) * tax_minor, gross) if gross else gross_minor
