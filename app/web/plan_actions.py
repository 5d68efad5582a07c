"""The small buttons of a plan: take a change back, keep it after all, pay it another way, pay what failed (SPEC §3)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, current_app, flash, make_response, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.errors import ActionRequired, InsufficientFunds, Invalid, NotFound, PaymentRefused, Refusal
from app.extensions import db
from app.flows import cancel_plan, change_plan, pay_by, retry_payment
from app.http import destinations, limits
from app.http.auth import current_customer_id, customer_required
from app.http.errors import status_of
from app.http.filters import day_text
from app.web import plan_refused
from app.web.plan import page as plan_page

plan_actions = Blueprint("plan_actions", __name__, url_prefix="/plan")


@plan_actions.post("/undo")
@customer_required("write")
def undo() -> AnyResponse:
    """Take back the change that waits for its time, or for the bank."""

    def done() -> str:
        change = change_plan.undo(db.session(), _providers(), current_customer_id(), actor=current_user.id)
        return "The change is taken back. Everything stays as it is." if change else "There was nothing to take back."

    return _pressed(done)


@plan_actions.post("/resume")
@customer_required("write")
def resume() -> AnyResponse:
    """Keep the plan after all."""

    def done() -> str:
        kept = cancel_plan.resume(db.session(), _providers(), current_customer_id(), actor=current_user.id)
        return f"Your plan goes on. It renews {day_text(kept.period_end)}."

    return _pressed(done)


@plan_actions.post("/pay-by")
@customer_required("write")
def switch() -> AnyResponse:
    """Pay the plan from the wallet, or by card."""
    to = request.form.get("by", "")
    if to not in ("wallet", "card"):
        raise Invalid("Say whether the wallet or a card is to pay.", field="by")

    def done() -> str:
        pay_by.switch(db.session(), _providers(), current_customer_id(), to, actor=current_user.id)
        return (
            "From the next payment on the wallet pays." if to == "wallet" else "From the next payment on a card pays."
        )

    return _pressed(done)


@plan_actions.post("/retry")
@customer_required("write")
def retry() -> AnyResponse:
    """Try the payment that failed again, now."""

    def done() -> str:
        outcome = retry_payment.retry(db.session(), _providers(), current_customer_id(), actor=current_user.id)
        if outcome.state == "failed":
            raise PaymentRefused(outcome.sentence)
        if outcome.state == "action_required":
            raise ActionRequired(outcome.sentence, url=outcome.url)
        return outcome.sentence

    return _pressed(done)


def _pressed(verb: Callable[[], str]) -> AnyResponse:
    """Do it, and go back with what came of it; a refusal is told on the plan's page."""
    limits.spend("plan.customer", current_customer_id())
    try:
        flash(verb(), "pos")
    except NotFound:
        raise
    except ActionRequired as refusal:
        return redirect(refusal.details.get("url") or url_for("plan.show"), 303)
    except InsufficientFunds as refusal:
        return plan_refused.short(refusal, url_for("plan.show"))
    except Refusal as refusal:
        return make_response(plan_page(trouble=refusal), status_of(refusal))
    return redirect(destinations.safe(request.form.get("next"), url_for("plan.show")), 303)


def _providers() -> change_plan.Providers:
    found: change_plan.Providers = current_app.extensions["providers"]
    return found
