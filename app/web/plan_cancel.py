"""Cancelling a plan: at the end of the period, or now with the unused share paid back (SPEC P8)."""

from __future__ import annotations

from typing import get_args

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.catalogue import reads
from app.errors import Conflict, Invalid, ProviderDown, UnsupportedByChannel
from app.extensions import db
from app.flows import cancel_plan
from app.http import limits
from app.http.auth import current_customer_id, customer_required
from app.http.errors import status_of
from app.http.filters import cents, day_text
from app.providers.billing import CancelReason
from app.providers.values import Cap
from app.subscriptions import standing
from app.subscriptions.models import SubscriptionChange
from app.web import plan_cards, plan_excess, plan_powers, plan_refused
from app.web.plan import page as plan_page

plan_cancel = Blueprint("plan_cancel", __name__, url_prefix="/plan")

REASONS = {
    "": "No particular reason",
    "too_expensive": "It costs too much",
    "missing_features": "Something is missing",
    "switched_service": "We moved to something else",
    "unused": "We do not use it enough",
    "customer_service": "The support",
    "low_quality": "It does not work well enough",
    "too_complex": "It is too hard to use",
    "other": "Something else",
}
assert set(REASONS) == {"", *get_args(CancelReason)}
RETURNS = {"card": "to the card it was paid with", "wallet": "to your wallet", "nowhere": ""}
_LONGEST_COMMENT = 500


@plan_cancel.get("/cancel")
@customer_required("write")
def show() -> AnyResponse:
    """What each way of cancelling does, before either is done."""
    limits.spend("plan.customer", current_customer_id())
    session, customer_id = db.session(), current_customer_id()
    now = standing.of(session, customer_id)
    if now.subscription is None or now.plan is None or now.ends_at is not None:
        return redirect(url_for("plan.show"), 303)
    can_end_now = plan_powers.can(now.subscription, Cap.CANCEL_NOW)
    back, to = _given_back() if can_end_now else (None, "nowhere")
    credits_back = cancel_plan.credits_now(session, customer_id, back or 0)
    now, live = standing.of(session, customer_id), reads.live(session)
    assert now.plan is not None, "it was there a moment ago"
    free = reads.free_plan(session)
    page = render_template(
        "plan/cancel.html",
        standing=now,
        free=free,
        free_includes=plan_cards.included_in(free, live) if free else [],
        exceeded=plan_excess.sentences(session, customer_id, free) if free else [],
        can_end_now=can_end_now,
        back_minor=back,
        credits_back=credits_back,
        returned=RETURNS[to] if back is not None else "",
        reasons=REASONS.items(),
    )
    return make_response(page)


@plan_cancel.post("/cancel")
@customer_required("write")
def create() -> AnyResponse:
    """Cancel as the pressed button says."""
    when = request.form.get("when")
    if when not in ("period_end", "now"):
        raise Invalid("Say when the plan is to end.", field="when")
    limits.spend("plan.customer", current_customer_id())
    reason = request.form.get("reason") if request.form.get("reason") in REASONS else None
    try:
        words = _now(reason or None) if when == "now" else _at_period_end(reason or None)
    except Conflict as refusal:
        return plan_refused.in_the_way(db.session(), refusal)
    except (ProviderDown, UnsupportedByChannel) as refusal:
        return make_response(plan_page(trouble=refusal), status_of(refusal))
    flash(words, "pos")
    return redirect(url_for("plan.show"), 303)


def _at_period_end(reason: str | None) -> str:
    comment = request.form.get("comment", "").replace("\0", "").strip()[:_LONGEST_COMMENT] or None
    providers = current_app.extensions["providers"]
    done = cancel_plan.at_period_end(
        db.session(), providers, current_customer_id(), reason=reason, comment=comment, actor=current_user.id
    )
    return f"Your plan ends {day_text(done.period_end)}. Until then everything stays."


def _now(reason: str | None) -> str:
    providers = current_app.extensions["providers"]
    done = cancel_plan.now(db.session(), providers, current_customer_id(), reason=reason, actor=current_user.id)
    return f"Your plan has ended.{_money_back(done)}"


def _money_back(done: SubscriptionChange) -> str:
    where = RETURNS.get(str(done.details.get("returned_to")), "")
    if done.due_minor >= 0 or not where:
        return ""
    return f" {cents(-done.due_minor, done.currency)} goes back {where}."


def _given_back() -> tuple[int | None, str]:
    """What cancelling now would pay back, in minor units, and where to; None when the provider cannot tell."""
    try:
        return cancel_plan.preview_now(db.session(), current_app.extensions["providers"], current_customer_id())
    except ProviderDown:
        return None, "nowhere"
