"""The next charge for a plan as a bill: the price, what a coupon takes off, the tax; or as much as can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from app import coupons, invoices
from app.catalogue import reads
from app.config import Settings
from app.coupons import Discount
from app.http.filters import cents
from app.invoices import TaxLine
from app.money import Money
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions.periods import Interval
from app.subscriptions.standing import Standing
from app.web import plan_powers

Line = tuple[str, str, str]  # label, amount, small print
EACH = {Interval.MONTH: "monthly", Interval.YEAR: "yearly"}


@dataclass(frozen=True)
class NextCharge:
    """What is charged at `at`, and its lines, the total last. `plus_tax`: the provider adds tax of its own.

    `charged_by` is the provider that has the card and shows it to nobody here; empty where there is a default card.
    """

    at: datetime
    total: Money
    lines: Sequence[Line]
    plus_tax: bool
    from_wallet: bool
    charged_by: str = ""


def of(session: Session, standing: Standing) -> NextCharge | None:
    """None where nothing will be charged: no subscription, or one that ends."""
    live = standing.subscription
    if live is None or standing.plan is None or standing.next_billing_at is None or standing.price is None:
        return None
    name, interval, price, what = standing.plan.name, Interval(live.interval), standing.price, standing.plan.key
    change = standing.pending
    if change is not None and change.state == "scheduled" and change.kind in ("upgrade", "downgrade"):
        terms = reads.version_of(session, change.plan_id, change.version)
        name, what, interval = terms.name, terms.key, Interval(change.interval)
        price = Money(change.price_minor, change.currency)
    discount = coupons.for_invoice(session, standing.customer_id, live.id, price, what=f"plan:{what}")
    from_wallet = (live.pays_next_by or live.paid_by) == "wallet"
    label = f"{name} plan, {EACH[interval]}"
    lines, total = bill(session, standing.customer_id, label, price, discount, taxed_by_us=from_wallet)
    provider = None if from_wallet else plan_powers.runs(live)
    keeps_it = provider is not None and Cap.SAVED_CARDS not in provider.capabilities
    return NextCharge(
        standing.next_billing_at,
        total,
        lines,
        plus_tax=not from_wallet and adds_tax(provider),
        from_wallet=from_wallet,
        charged_by=provider.title if provider is not None and keeps_it else "",
    )


def bill(
    session: Session,
    customer_id: str,
    label: str,
    price: Money,
    discount: Discount | None,
    *,
    taxed_by_us: bool,
    total_is: str = "Total",
) -> tuple[list[Line], Money]:
    """The lines of an invoice that is not made yet, the total last, and the total."""
    after = discount.after if discount else price
    lines = [(label, cents(price.minor, price.currency), "")]
    if discount and discount.off.minor:
        lines.append((f"Coupon {discount.code}", cents(-discount.off.minor, price.currency), discount.name))
    taxes = invoices.quote_tax(session, customer_id, after.minor, price.currency) if taxed_by_us else []
    lines += [tax_line(tax, price.currency) for tax in taxes]
    total = Money(after.minor + sum(tax.amount_minor for tax in taxes), price.currency)
    return [*lines, (total_is, cents(total.minor, total.currency), "")], total


def tax_line(tax: TaxLine, currency: str) -> Line:
    note = "You account for it yourself (reverse charge)" if tax.reverse_charge else ""
    return f"{tax.name} {percent(tax.rate_ppm)}" if tax.rate_ppm else tax.name, cents(tax.amount_minor, currency), note


def percent(ppm: int) -> str:
    """Parts per million as `8.25%`."""
    whole, part = divmod(ppm, 10_000)
    decimals = f"{part:04d}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"


def adds_tax(provider: Provider | None) -> bool:
    """Whether a card is charged tax that only the provider can tell, by where the buyer is."""
    settings: Settings = current_app.extensions["settings"]
    sells_itself = provider is not None and Cap.MERCHANT_OF_RECORD in provider.capabilities
    return sells_itself or bool(settings.stripe_automatic_tax)
