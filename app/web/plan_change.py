"""Choosing a plan: what a change costs before it is made, and how a first plan is to be paid (SPEC P5, P6, P7, P9)."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app import errors, ledger
from app.catalogue import reads
from app.errors import Conflict, InsufficientFunds, Invalid, PaymentRefused, Refusal
from app.extensions import db
from app.flows import change_plan
from app.http import limits
from app.http.auth import current_customer_id, customer_required
from app.http.errors import status_of
from app.http.filters import cents, day_text
from app.money import micros_to_minor, minor_to_micros
from app.subscriptions import standing
from app.subscriptions.changes import PreviewExpired
from app.subscriptions.models import SubscriptionChange
from app.wallet.accounts import wallet_of
from app.web import plan_bills, plan_powers, plan_purchase, plan_refused
from app.web.plan import page as plan_page
from app.web.wallet_forms import fresh_form_key

plan_change = Blueprint("plan_change", __name__, url_prefix="/plan")


@plan_change.get("/change")
@customer_required("write")
def show() -> AnyResponse:
    """The exact cost of a change; or, without a subscription, the ways to pay for one."""
    limits.spend("plan.customer", current_customer_id())
    plan_key, interval = request.args.get("plan", ""), _interval(request.args.get("interval"))
    if not plan_key:
        return redirect(url_for("plan.show"), 303)
    if standing.of(db.session(), current_customer_id()).subscription is None:
        return make_response(plan_purchase.page(plan_key, interval, request.args))
    return _preview(plan_key, interval)


@plan_change.post("/change")
@customer_required("write")
def create() -> AnyResponse:
    """Carry out what was previewed, or buy a first plan."""
    limits.spend("plan.customer", current_customer_id())
    plan_key, interval = request.form.get("plan", "").replace("\0", ""), _interval(request.form.get("interval"))
    if not plan_key:
        raise Invalid("Choose a plan first.", field="plan")
    change_id = request.form.get("change_id", "").replace("\0", "")
    if not change_id:
        return plan_purchase.buy(plan_key, interval, request.form)
    return _confirm(change_id, plan_key, interval)


def _confirm(change_id: str, plan_key: str, interval: str) -> AnyResponse:
    providers = current_app.extensions["providers"]
    try:
        done = change_plan.confirm(db.session(), providers, current_customer_id(), change_id, actor=current_user.id)
    except (PreviewExpired, PaymentRefused) as refusal:
        return _preview(plan_key, interval, refusal)
    except InsufficientFunds as refusal:
        return plan_refused.short(refusal, url_for("plan_change.show", plan=plan_key, interval=interval))
    except Conflict as refusal:
        return plan_refused.in_the_way(db.session(), refusal)
    except (errors.ProviderDown, errors.UnsupportedByChannel) as refusal:
        return make_response(plan_page(trouble=refusal), status_of(refusal))
    return _onward(done)


def _onward(done: SubscriptionChange) -> AnyResponse:
    """To the bank where it must be confirmed, else back to the plan, saying how it ended."""
    if done.state == "in_flight" and done.action_url:
        return redirect(done.action_url, 303)
    name = reads.version_of(db.session(), done.plan_id, done.version).name
    if done.state == "applied":
        flash(f"You are on {name} now.", "pos")
    elif done.state == "scheduled":
        flash(f"From {day_text(done.effective_at)} you are on {name}.", "pos")
    elif done.state == "failed":
        flash(f"{done.failure or 'The payment did not go through.'} Nothing was charged.", "neg")
    return redirect(url_for("plan.show"), 303)


def _preview(plan_key: str, interval: str, refusal: Refusal | None = None) -> AnyResponse:
    """A new preview; `refusal` is why the last one came to nothing."""
    session, customer_id = db.session(), current_customer_id()
    providers = current_app.extensions["providers"]
    try:
        change = change_plan.preview(session, providers, customer_id, plan_key, interval, actor=current_user.id)
    except Conflict as conflict:
        return plan_refused.in_the_way(session, conflict)
    except errors.UnsupportedByChannel as unable:
        return make_response(plan_page(trouble=unable), status_of(unable))
    now, live = standing.of(session, customer_id), reads.live(session)
    assert now.plan is not None, "a subscription is of a plan"
    assert now.subscription is not None, "or there would have been no preview"
    page = render_template(
        "plan/change.html",
        preview=plan_bills.of(session, change, now.plan, live),
        standing=now,
        change=change,
        left=plan_bills.left_of_period(change, now.subscription.period_start, now.subscription.period_end),
        paid_with="from the wallet" if now.subscription.paid_by == "wallet" else "by the default card",
        wallet_trouble=_wallet_trouble(session, change) if now.subscription.paid_by == "wallet" else "",
        refusal=refusal,
        form_key=fresh_form_key(),
        provider_title=runs.title if (runs := plan_powers.runs(now.subscription)) else "",
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _wallet_trouble(session: Session, change: SubscriptionChange) -> str:
    """Why the wallet could not pay what is due now, told before it is tried; "" where it can."""
    if change.due_minor <= 0:
        return ""
    wallet = ledger.balance(session, wallet_of(change.customer_id, change.currency))
    if wallet.frozen:
        return "The wallet is frozen and pays for nothing now"
    missing = minor_to_micros(change.due_minor, change.currency) - wallet.available
    short = -micros_to_minor(-missing, change.currency)  # rounded up
    return f"The wallet is short by {cents(short, change.currency)}" if short > 0 else ""


def _interval(asked: str | None) -> str:
    return asked if asked in ("month", "year") else "month"
