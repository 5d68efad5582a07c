"""Buying a first plan: by card on the provider's page, with the saved card, or from the wallet (SPEC P5, P15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, make_response, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app import coupons, ledger
from app.catalogue import reads
from app.config import Settings
from app.coupons import CouponRefused, Discount
from app.errors import (
    ActionRequired,
    Conflict,
    InsufficientFunds,
    PaymentRefused,
    ProviderDown,
    Refusal,
    UnsupportedByChannel,
)
from app.extensions import db
from app.flows import subscribe, subscribe_from_wallet
from app.flows.top_up import ORDER_IN_URL
from app.http.auth import current_customer, current_customer_id
from app.http.errors import status_of
from app.http.filters import default_currency, money
from app.money import Money, minor_to_micros
from app.payments import orders
from app.payments.models import Order
from app.payments.orders import SMALLEST
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions import sale, standing
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Sale
from app.wallet.accounts import wallet_of
from app.web import card_rows, next_charge, plan_bills, plan_refused, top_up_panel
from app.web.wallet_forms import form_key_sent, fresh_form_key

CARD, SAVED, WALLET = "card", "saved", "wallet"


@dataclass(frozen=True)
class Choice:
    """One way to pay: its name in the address, what people read, and the address of the page with it chosen."""

    by: str
    label: str
    href: str


@dataclass(frozen=True)
class Checkout:
    """What is bought and how it would be paid. `short` is what the wallet lacks, in minor units."""

    bought: Sale
    by: str
    coupon: str
    discount: Discount | None
    coupon_error: str
    lines: list[next_charge.Line]
    total: Money
    plus_tax: bool
    short: int
    choices: list[Choice]


def page(plan_key: str, interval: str, asked: Mapping[str, str], refusal: Refusal | None = None) -> str:
    """How to pay for this plan, and what it comes to. Raises NotFound, PlanNotForSale."""
    session, customer_id = db.session(), current_customer_id()
    now, live = standing.of(session, customer_id), reads.live(session)
    bought = sale.offered(session, customer_id, plan_key, Interval(interval))
    checkout = _checkout(session, now, bought, asked)
    return render_template(
        "plan/buy.html",
        standing=now,
        checkout=checkout,
        top_up_cents=max(checkout.short, SMALLEST),
        top_up=top_up_panel.figures(max(checkout.short, SMALLEST)),
        steps=plan_bills.compared(now.plan, bought.terms, live) if now.plan else [],
        each=next_charge.EACH,
        provider_title=top_up_panel.provider_title(),
        refusal=refusal,
        form_key=fresh_form_key(),
    )


def buy(plan_key: str, interval: str, sent: Mapping[str, str]) -> AnyResponse:
    """Do as the form says. Raises NotFound, PlanNotForSale."""
    ways = {WALLET: _from_wallet, SAVED: _with_saved_card, CARD: _at_the_checkout}
    way, coupon = ways.get(sent.get("by", ""), _at_the_checkout), sent.get("coupon", "").strip() or None
    try:
        return way(plan_key, interval, coupon)
    except InsufficientFunds as refusal:
        back = url_for("plan_change.show", plan=plan_key, interval=interval, by=WALLET)
        return plan_refused.short(refusal, back)
    except ActionRequired as refusal:
        waiting = url_for("plan.order", purchase_id=refusal.details["order"])
        return redirect(refusal.details.get("url") or waiting, 303)
    except Conflict as refusal:
        return plan_refused.in_the_way(db.session(), refusal)
    except (PaymentRefused, CouponRefused, ProviderDown, UnsupportedByChannel) as refusal:
        return make_response(page(plan_key, interval, sent, refusal), status_of(refusal))


def _from_wallet(plan_key: str, interval: str, coupon: str | None) -> AnyResponse:
    subscribe_from_wallet.start(
        db.session(),
        current_customer(),
        plan_key,
        interval,
        form_key=form_key_sent(),
        actor=current_user.id,
        coupon=coupon,
    )
    return _begun()


def _with_saved_card(plan_key: str, interval: str, coupon: str | None) -> AnyResponse:
    subscribe.with_card(
        db.session(),
        _biller(),
        current_customer(),
        plan_key,
        interval,
        form_key=form_key_sent(),
        actor=current_user.id,
        coupon=coupon,
    )
    return _begun()


def _at_the_checkout(plan_key: str, interval: str, coupon: str | None) -> AnyResponse:
    settings: Settings = current_app.extensions["settings"]
    back = f"{settings.base_url.rstrip('/')}{url_for('plan.show')}/orders/{ORDER_IN_URL}"
    order = subscribe.start_checkout(
        db.session(),
        _biller(),
        current_customer(),
        plan_key,
        interval,
        form_key=form_key_sent(),
        return_url=back,
        cancel_url=f"{back}?left=1",
        actor=current_user.id,
        coupon=coupon,
    )
    return redirect(_address_of(order), 303)


def _address_of(order: Order) -> str:
    """The checkout while it can be paid; else the page that says what became of the order."""
    if order.state == "open" and order.checkout_url:
        return order.checkout_url
    return url_for("plan.order", purchase_id=order.id)


def _begun() -> AnyResponse:
    now = standing.of(db.session(), current_customer_id())
    flash(f"You are on {now.plan.name} now." if now.plan else "Your plan has begun.", "pos")
    return redirect(url_for("plan.show"), 303)


def _checkout(session: Session, now: standing.Standing, bought: Sale, asked: Mapping[str, str]) -> Checkout:
    balance = ledger.balance(session, wallet_of(now.customer_id, default_currency())).available
    card = card_rows.of(session, now.customer_id, now).default if _can_bill(Cap.OFF_SESSION) else None
    by = _chosen(asked.get("by", ""), card, minor_to_micros(bought.price.minor, bought.price.currency) <= balance)
    coupon = asked.get("coupon", "").strip()[:60]
    discount, error = _quoted(session, now.customer_id, bought, coupon)
    label = f"{bought.terms.name} plan, {next_charge.EACH[bought.interval]}"
    lines, total = next_charge.bill(
        session, now.customer_id, label, bought.price, discount, taxed_by_us=by == WALLET, total_is="Due today"
    )
    needed = minor_to_micros(total.minor, total.currency) - balance if by == WALLET else 0
    return Checkout(
        bought=bought,
        by=by,
        coupon=coupon,
        discount=discount,
        coupon_error=error,
        lines=lines,
        total=total,
        plus_tax=by != WALLET and next_charge.adds_tax(top_up_panel.provider()),
        short=max(-(-needed // minor_to_micros(1, total.currency)), 0),
        choices=_choices(bought, coupon, card, balance),
    )


def _quoted(session: Session, customer_id: str, bought: Sale, coupon: str) -> tuple[Discount | None, str]:
    if not coupon:
        return None, ""
    # Buying closes the pages that were left with this coupon, so they do not stand in its way here either.
    left = [order.id for order in orders.open_of_kind(session, customer_id, "subscription") if order.state == "open"]
    try:
        found = coupons.quote(
            session, coupon, customer_id=customer_id, what=bought.what, price=bought.price, given_up=left
        )
        return found, ""
    except CouponRefused as refusal:
        return None, refusal.sentence


def _choices(bought: Sale, coupon: str, card: card_rows.Row | None, balance: int) -> list[Choice]:
    def made(by: str, label: str) -> Choice:
        asked: dict[str, Any] = {"plan": bought.terms.key, "interval": bought.interval.value, "by": by}
        return Choice(by, label, url_for("plan_change.show", **asked, coupon=coupon or None))

    found = [made(SAVED, card.title)] if card else []
    if _can_bill():
        found.append(made(CARD, "Another card" if card else "Card"))
    return [*found, made(WALLET, f"Wallet, {money(balance)}")]


def _chosen(asked: str, card: card_rows.Row | None, wallet_covers: bool) -> str:
    """The way that was chosen, else the one that asks for the least: what is saved, what is there, a card."""
    possible = [SAVED] if card else []
    possible += [CARD, WALLET] if _can_bill() else [WALLET]
    if asked in possible:
        return asked
    return SAVED if card else WALLET if wallet_covers or not _can_bill() else CARD


def _can_bill(*how: Cap) -> bool:
    chosen = top_up_panel.provider()
    return chosen is not None and chosen.capabilities >= {Cap.SUBSCRIPTIONS, *how}


def _biller() -> Provider:
    chosen = top_up_panel.provider()
    if chosen is None:
        raise ProviderDown("No payment provider is set up here. Pay from the wallet instead.")
    return chosen
