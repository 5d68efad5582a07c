"""The overview: what is paid next, what is in the wallet, and what happened lately."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session

from app import clock, ledger
from app.catalogue import reads
from app.customers import members
from app.extensions import db
from app.http.auth import current_customer_id, customer_required
from app.http.filters import day_text, default_currency, number, places_of
from app.http.pricing_table import NO_LIMIT
from app.notices import reads as notices
from app.payments import orders
from app.subscriptions import standing
from app.subscriptions.standing import Standing
from app.wallet import auto_top_up
from app.wallet.accounts import wallet_of
from app.web import (
    frozen_notice,
    next_charge,
    overview_activity,
    overview_credits,
    overview_usage,
    plan_notice,
    usage_ahead,
)
from app.web.next_charge import Line
from app.web.plan_notice import Notice, Press
from app.web.usage_words import span_text

_DAY = timedelta(days=1)

overview = Blueprint("overview", __name__)


@overview.get("/")
@customer_required("read")
def show() -> str:
    """The first page after signing in."""
    session, customer_id, currency = db.session(), current_customer_id(), default_currency()
    wallet = wallet_of(customer_id, currency)
    balance = ledger.balance(session, wallet)
    now = standing.of(session, customer_id)
    usage = overview_usage.of(session, now)
    return render_template(
        "overview/show.html",
        lede=_lede(now),
        wallet_places=places_of((balance.balance, balance.held)),
        balance=balance,
        under_way=orders.under_way(session, customer_id),
        lasts="" if balance.frozen else _lasts(balance.available, usage),
        auto=auto_top_up.of(session, customer_id),
        usage=usage,
        credits=overview_credits.of(session, customer_id, reads.offered_actions(session)),
        events=overview_activity.latest(session, wallet),
        topped_up="topup" in ledger.totals(session, wallet),
        may_pay=members.allows(current_user.permission, "write"),
        standing=now,
        plan=now.plan,
        charge=next_charge.of(session, now),
        included=_included(now, usage),
        notice=frozen_notice.of(session, customer_id, balance)
        or _pressing(plan_notice.of(session, now))
        or _told(session, customer_id),
        trouble=None,
        email=current_user.email,
        verified=current_user.email_verified or current_user.bound,  # the host product knows them
    )


def _lede(now: Standing) -> str:
    """Where in time the customer is: `Billing period 4 Nov to 3 Dec 2026, 14 days left`, today included."""
    live = now.subscription
    if live is not None:
        left = max(0, -((clock.now() - live.period_end) // _DAY))
        days = "1 day" if left == 1 else f"{left} days"
        return f"Billing period {span_text(live.period_start, live.period_end)}, {days} left"
    if now.plan is None:
        return "What is in the wallet, and what happened lately."
    return f"{now.plan.name} plan, nothing to pay. Allowances reset on {day_text(now.period.end)}."


def _included(now: Standing, usage: overview_usage.Usage) -> list[Line]:
    """What the plan allows of each meter, and credits: for who has no bill to look at."""
    lines = [
        (one.meter.name, NO_LIMIT if one.meter.allowance is None else number(one.meter.allowance), "")
        for one in usage.ahead
        if one.meter.allowance != 0
    ]
    if now.plan is not None and now.plan.included_credits:
        lines.append(("Credits", number(now.plan.included_credits), ""))
    return lines


def _lasts(available: int, usage: overview_usage.Usage) -> str:
    """How long the wallet pays for what goes over; empty where nothing does, or where it lasts."""
    days = usage_ahead.days_covered(available, usage.ahead)
    if days is None:
        return ""
    return "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"


def _pressing(found: Notice | None) -> Notice | None:
    """Only what needs a person now: the rest is on the plan's page."""
    return found if found and found.tone else None


def _told(session: Session, customer_id: str) -> Notice | None:
    """What the customer was told last, until they have read it; good news can wait on its own page."""
    newest = next(iter(notices.page(session, customer_id, limit=1).notices), None)
    if newest is None or newest.read_at is not None or newest.tone == "pos":
        return None
    to_all = Press("See notices", href=url_for("notices.show"))
    # With its day: it was true then, and the figures below it are of now.
    return Notice(newest.title, f"{day_text(newest.at)}: {newest.sentence}", newest.tone, [to_all])
