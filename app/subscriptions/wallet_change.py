"""Changing the plan of a wallet-paid subscription: what it costs at an instant, and doing it (SPEC P6, P7).

The quote and the deed compute the same from the same instant, so what was shown is what is charged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app import coupons, invoices
from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.invoices import NewLine, TaxLine
from app.money import Money
from app.subscriptions import bills, renewal, told
from app.subscriptions.give_back import give_back
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Anchor, Interval, Period
from app.subscriptions.proration import share_left, takes_effect_now
from app.subscriptions.sale import Sale
from app.subscriptions.standing import anchor_of
from app.subscriptions.unused import Part, current_period, parts_left, tax_back

REASON = "Unused time after a change of plan"


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change that is made at `at` costs, in minor units. `due` is taken from the wallet; negative, it is money
    back. A change that waits for the period's end costs nothing now."""

    at: datetime
    is_upgrade: bool
    waits: bool
    period: Period  # the one the subscription is in afterwards
    lines: Sequence[NewLine]  # of the invoice now, if there is one
    returns: Sequence[Part]  # of earlier invoices
    charge: int
    credit: int
    taxes: Sequence[TaxLine]
    tax: int

    @property
    def due(self) -> int:
        return 0 if self.waits else self.charge - self.credit + self.tax


def quote(session: Session, sub: Subscription, to: Sale, at: datetime, *, waits: bool = False) -> Quote:
    """What changing to this plan costs at this instant, which must be in the subscription's period.

    `waits`: not before the period's end, even where it would be an upgrade.
    """
    now = at.replace(microsecond=0)
    old = reads.version_of(session, sub.plan_id, sub.version)
    every = Interval(sub.interval)
    upgrade = takes_effect_now(sub.price_minor, every, old.rank, to.price.minor, to.interval, to.terms.rank)
    whole = current_period(sub)
    if waits or (not upgrade and old.downgrade != "immediate"):
        return Quote(now, False, True, whole, (), (), 0, 0, (), 0)
    parts = parts_left(session, sub, now)
    credit = sum(part.net_minor for part in parts)
    if to.interval is every:
        rest = Period(0, now, whole.end)
        charge = share_left(whole, now).of(to.price.minor)
    else:
        rest = Anchor(now, anchor_of(sub).zone).period(0, to.interval)
        charge = to.price.minor
    made = Quote(now, upgrade, False, rest, (), (), charge, credit, (), 0)
    if charge >= credit:
        return _paid_at_once(session, sub, old, to, made)
    return _with_money_back(session, sub, to, made, parts, anew=to.interval is not every)


def _paid_at_once(session: Session, sub: Subscription, old: PlanTerms, to: Sale, made: Quote) -> Quote:
    """One invoice: the new plan, less what is unused of the old one."""
    taxes = invoices.quote_tax(session, sub.customer_id, made.charge - made.credit, sub.currency)
    whole = to.interval is not Interval(sub.interval)
    lines = [_line(to, made, is_proration=not whole)]
    if made.credit:
        unused = Period(0, made.at, sub.period_end)
        words = f"Unused time on {old.name}"
        lines.append(NewLine(words, amount_minor=-made.credit, is_proration=True, period=unused))
    return replace(made, lines=tuple(lines), taxes=taxes, tax=sum(line.amount_minor for line in taxes))


def _with_money_back(
    session: Session, sub: Subscription, to: Sale, made: Quote, parts: Sequence[Part], *, anew: bool
) -> Quote:
    """More is unused than the new plan costs: the difference goes back, or all where a new period is invoiced."""
    if not anew:
        parts = parts_left(session, sub, made.at, most=made.credit - made.charge)
    taxes = invoices.quote_tax(session, sub.customer_id, made.charge, sub.currency) if anew else []
    tax = sum(line.amount_minor for line in taxes) - sum(tax_back(session, part) for part in parts)
    lines = (_line(to, made, is_proration=False),) if anew else ()
    return replace(made, lines=lines, returns=tuple(parts), taxes=taxes, tax=tax)


def _line(to: Sale, made: Quote, *, is_proration: bool) -> NewLine:
    words = bills.called(to.terms, to.interval)
    return NewLine(words, amount_minor=made.charge, is_proration=is_proration, period=made.period)


def carry_out(session: Session, sub: Subscription, to: Sale, found: Quote, *, key: str, actor: str) -> None:
    """Make the change of this quote: credit notes and their return, the invoice and its payment, the plan (SPEC P6).

    `key` names the change. Raises InsufficientFunds, and then nothing of it may be committed.
    """
    assert not found.waits, "it is for the period's end"
    old, began = (sub.interval, sub.period_start), found.period.start
    sub.plan_id, sub.version, sub.interval = to.terms.id, to.terms.version, to.interval.value
    sub.price_minor = to.price.minor
    invoice = None
    if found.lines:
        period = found.period
        invoice = bills.make(session, sub, found.lines, key=key, reason="subscription_update", period=period)
    give_back(session, found.returns, reason=REASON, key=key, actor=actor)
    if invoice is not None:
        bills.pay_from_wallet(session, invoice, description=f"{found.lines[0].description}, invoice {invoice.number}")
    if to.interval.value != old[0]:
        sub.anchor_at = sub.period_start = began
        sub.period_end = sub.due_at = found.period.end
    session.flush()
    invoice_id = invoice.id if invoice is not None else found.returns[0].invoice.id
    renewal.stretch(session, sub, began, invoice_id)
    told.changed(session, sub, "changed")


def next_invoice(session: Session, sub: Subscription, to: Sale) -> int:
    """What the next invoice comes to, tax included, should nothing change until then."""
    discount = coupons.for_invoice(session, sub.customer_id, sub.id, to.price, what=to.what)
    net: Money = discount.after if discount else to.price
    return net.minor + sum(
        line.amount_minor for line in invoices.quote_tax(session, sub.customer_id, net.minor, net.currency)
    )
