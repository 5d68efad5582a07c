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
from app.flows import sold_by, subscribe, subscribe_from_wallet
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
from app.web import card_rows, channel_choice, next_charge, plan_bills, plan_refused, top_up_panel
from app.web.channel_choice import Offered
from app.web.wallet_forms import form_key_sent, fresh_form_key

CARD, SAVED, WALLET = "card", "saved", "wallet"


@dataclass(frozen=True)
class Choice:
    """One way to pay: its name in the address, what people read, and the address of the page with it chosen."""

    by: str
    label: str
    href: str
    is_chosen: bool


@dataclass(frozen=True)
class Checkout:
    """What is bought and how it would be paid. `short` is what the wallet lacks, in minor units; `frozen`: it pays for
    nothing, however much is in it."""

    bought: Sale
    by: str
    coupon: str
    discount: Discount | None
    coupon_error: str
    lines: list[next_charge.Line]
    total: Money
    plus_tax: bool
    short: int
    frozen: bool
    choices: list[Choice]
    channel: str  # the provider whose page it is paid on, where that was a choice
    provider_title: str
    takes_coupons: bool


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
        provider_title=checkout.provider_title,
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
        _keeper(),
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
        _biller(plan_key, interval),
        current_customer(),
        plan_key,
        interval,
        form_key=form_key_sent(),
        return_url=back,
        cancel_url=f"{back}?left=1",
        actor=current_user.id,
        coupon=coupon,
        others=channel_choice.all_of_them(),
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
    wallet = ledger.balance(session, wallet_of(now.customer_id, default_currency()))
    balance = wallet.available
    card = card_rows.of(session, now.customer_id, now).default if _keeps_cards() else None
    offered = _offered(session, bought)
    covers = not wallet.frozen and minor_to_micros(bought.price.minor, bought.price.currency) <= balance
    by = _chosen(asked.get("by", ""), card, covers)
    pays_at = {CARD: offered.chosen, SAVED: card_rows.keeper()}.get(by)
    takes_coupons = pays_at is None or Cap.DISCOUNTS in pays_at.capabilities
    coupon = asked.get("coupon", "").strip()[:60]
    discount, error = _quoted(session, now.customer_id, bought, coupon, only_gifts=not takes_coupons)
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
        plus_tax=by != WALLET and next_charge.adds_tax(pays_at),
        short=max(-(-needed // minor_to_micros(1, total.currency)), 0),
        frozen=by == WALLET and wallet.frozen and total.minor > 0,
        choices=_choices(bought, coupon, card, balance, offered, by),
        channel=offered.chosen.name if offered.choices and offered.chosen else "",
        provider_title=pays_at.title if pays_at else "",
        takes_coupons=takes_coupons,
    )


def _quoted(
    session: Session, customer_id: str, bought: Sale, coupon: str, *, only_gifts: bool
) -> tuple[Discount | None, str]:
    """What the coupon is worth, or why it does not count. `only_gifts`: whoever charges cannot take anything off."""
    if not coupon:
        return None, ""
    # Buying closes the pages that were left with this coupon, so they do not stand in its way here either.
    left = [order.id for order in orders.open_of_kind(session, customer_id, "subscription") if order.state == "open"]
    try:
        found = coupons.quote(
            session, coupon, customer_id=customer_id, what=bought.what, price=bought.price, given_up=left
        )
        if only_gifts and found.off.minor:
            return None, "Coupons that lower the price cannot be used with this way to pay."
        return found, ""
    except CouponRefused as refusal:
        return None, refusal.sentence


def _choices(
    bought: Sale, coupon: str, card: card_rows.Row | None, balance: int, offered: Offered, chosen: str
) -> list[Choice]:
    def made(by: str, label: str, channel: str | None = None) -> Choice:
        asked: dict[str, Any] = {"plan": bought.terms.key, "interval": bought.interval.value, "by": by}
        href = url_for("plan_change.show", **asked, channel=channel, coupon=coupon or None)
        is_it = by == chosen and (channel is None or (offered.chosen is not None and channel == offered.chosen.name))
        return Choice(by, label, href, is_it)

    found = [made(SAVED, card.title)] if card else []
    page = "Another card" if card else "Card"
    if offered.choices:
        found += [made(CARD, f"{page}, through {each.label}", each.value) for each in offered.choices]
    elif _can_bill():
        found.append(made(CARD, page))
    return [*found, made(WALLET, f"Wallet, {money(balance)}")]


def _chosen(asked: str, card: card_rows.Row | None, wallet_covers: bool) -> str:
    """The way that was chosen, else the one that asks for the least: what is saved, what is there, a card."""
    possible = [SAVED] if card else []
    possible += [CARD, WALLET] if _can_bill() else [WALLET]
    if asked in possible:
        return asked
    return SAVED if card else WALLET if wallet_covers or not _can_bill() else CARD


def _can_bill() -> bool:
    """Whether a provider runs subscriptions. One that lacks this plan's product says so, and staff are told."""
    return any(Cap.SUBSCRIPTIONS in each.capabilities for each in channel_choice.all_of_them().values())


def _keeps_cards() -> bool:
    keeper = card_rows.keeper()
    return keeper is not None and keeper.capabilities >= {Cap.SUBSCRIPTIONS, Cap.OFF_SESSION}


def _offered(session: Session, bought: Sale, *, strict: bool = False) -> Offered:
    sellers = sold_by.of_plan(session, channel_choice.all_of_them(), bought)
    return channel_choice.among(sellers, strict=strict)


def _biller(plan_key: str, interval: str) -> Provider:
    session = db.session()
    bought = sale.offered(session, current_customer_id(), plan_key, Interval(interval))
    chosen = _offered(session, bought, strict=True).chosen
    session.rollback()  # a provider is asked next: no transaction stays open meanwhile
    if chosen is None:
        raise ProviderDown("No payment provider is set up here. Pay from the wallet instead.")
    return chosen


def _keeper() -> Provider:
    found = card_rows.keeper()
    if found is None:
        raise ProviderDown("No payment provider keeps cards here. Pay from the wallet instead.")
    return found
