"""Staff: changing or ending a customer's plan for them. What it costs or gives back is shown first; it has a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app import activity
from app.admin.customers import load
from app.admin.roles import actor, staff_moves_money
from app.catalogue import reads
from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict, Invalid, Refusal
from app.extensions import db
from app.flows import cancel_plan, change_plan
from app.http import hx
from app.http.errors import status_of
from app.http.filters import cents, day_text
from app.http.proof import recently_proved
from app.subscriptions import changes, standing
from app.subscriptions.models import SubscriptionChange
from app.wallet import words

pages = Blueprint("admin_customer_changes", __name__)

INTERVALS = [("month", "Monthly"), ("year", "Annual")]
RETURNS = {"card": "to the card it was paid with", "wallet": "to the wallet", "nowhere": ""}


@dataclass(frozen=True)
class Shown:
    """What a press of the button would do: its bill, and what goes on in the form."""

    title: str
    bill: list[tuple[str, str, str]]
    button: str
    kept: dict[str, str]
    action: str


@pages.get("/admin/customers/<customer_id>/plan")
@staff_moves_money
def show(customer_id: str) -> Response:
    """The plan now, and the forms to change or end it."""
    return _page(load(customer_id))


@pages.post("/admin/customers/<customer_id>/plan/preview")
@staff_moves_money
def preview(customer_id: str) -> Response:
    """What the change would cost, to the cent; nothing is changed yet."""
    customer = load(customer_id)

    def ask() -> Response:
        words.reason(_typed("reason"))
        plan, interval = _typed("plan"), _typed("interval")
        change = change_plan.preview(db.session(), _providers(), customer.id, plan, interval, actor=actor())
        return _page(customer, shown=_of_change(customer, change))

    return _pressed(customer, ask)


@pages.post("/admin/customers/<customer_id>/plan")
@staff_moves_money
@recently_proved
def create(customer_id: str) -> Response:
    """Carry out the change that was shown. The customer pays for it as they pay for their plan."""
    customer, change_id = load(customer_id), _typed("change_id")

    def change() -> Response:
        _note(customer, "subscription.change_by_staff", change=change_id)
        done = change_plan.confirm(db.session(), _providers(), customer.id, change_id, actor=actor())
        flash(*_outcome(done))
        return _back(customer)

    return _pressed(customer, change)


@pages.post("/admin/customers/<customer_id>/plan/cancel")
@staff_moves_money
@recently_proved
def cancel(customer_id: str) -> Response:
    """End the plan with its period, or now; what goes back is shown before it ends now."""
    customer, when = load(customer_id), _typed("when")

    def end() -> Response:
        words.reason(_typed("reason"))
        if when == "now":
            return _now(customer)
        if when != "period_end":
            raise Invalid("Say when the plan is to end.", field="when")
        _note(customer, "subscription.cancel_by_staff", when=when)
        kept = cancel_plan.at_period_end(db.session(), _providers(), customer.id, reason=None, actor=actor())
        flash(f"The plan ends {day_text(kept.period_end)}", "pos")
        return _back(customer)

    return _pressed(customer, end)


def _now(customer: Customer) -> Response:
    minor, to = cancel_plan.preview_now(db.session(), _providers(), customer.id)
    live = standing.of(db.session(), customer.id).subscription
    currency = live.currency if live else ""
    if _typed("confirmed") != f"{minor}:{to}":
        return _page(customer, shown=_of_end(customer, minor, to, currency))
    _note(customer, "subscription.cancel_by_staff", when="now")
    done = cancel_plan.now(db.session(), _providers(), customer.id, reason=None, actor=actor())
    where = RETURNS.get(str(done.details.get("returned_to")), "")
    back = f"; {cents(-done.due_minor, done.currency)} goes back {where}" if done.due_minor < 0 and where else ""
    flash(f"The plan has ended{back}", "pos")
    return _back(customer)


def _pressed(customer: Customer, verb: Callable[[], Response]) -> Response:
    """Do it; a refusal is told on the page, with what was typed."""
    try:
        return verb()
    except Refusal as refusal:
        return _page(customer, refusal)


def _note(customer: Customer, action: str, **told: str) -> None:
    """The reason, under the name of staff, before a provider is asked: what comes of it follows in the log."""
    reason = words.reason(_typed("reason"))
    with transaction(db.session()):
        live = standing.of(db.session(), customer.id).subscription
        if live is None:
            raise Conflict("This customer has no paid plan.", customer_id=customer.id)
        activity.record(db.session(), actor(), action, live.id, customer_id=customer.id, reason=reason, **told)


def _of_change(customer: Customer, change: SubscriptionChange) -> Shown:
    name = reads.version_of(db.session(), change.plan_id, change.version).name
    told, currency = change.details, change.currency
    later = told.get("effect") == "period_end"
    bill = [(str(line["description"]), cents(line["amount"], currency), "") for line in told.get("lines", [])]
    bill += [(str(tax["name"]), cents(tax["amount"], currency), "") for tax in told.get("taxes", [])]
    if told.get("discount"):
        bill.append(("Coupon", cents(-told["discount"], currency), ""))
    if told.get("from_balance"):
        bill.append(("From the balance at the provider", cents(-told["from_balance"], currency), ""))
    bill.append(("Charged today", cents(change.due_minor, currency), ""))
    return Shown(
        title=f"{name}, {'annual' if change.interval == 'year' else 'monthly'}, "
        + (f"from {day_text(change.effective_at)}" if later else "from today"),
        bill=bill,
        button=f"Change to {name}",
        kept={"change_id": change.id, "reason": _typed("reason")},
        action=url_for(".create", customer_id=customer.id),
    )


def _of_end(customer: Customer, minor: int, to: str, currency: str) -> Shown:
    where = RETURNS.get(to, "")
    bill = [(f"Goes back {where}" if where else "Goes back", cents(minor, currency), "")]
    if ending := cancel_plan.credits_now(db.session(), customer.id, minor):
        bill.append(("Unspent credits of that time, taken back", f"{ending:,}", ""))
    return Shown(
        title="The plan ends today",
        bill=bill,
        button="End the plan now",
        kept={"when": "now", "confirmed": f"{minor}:{to}", "reason": _typed("reason")},
        action=url_for(".cancel", customer_id=customer.id),
    )


def _outcome(done: SubscriptionChange) -> tuple[str, str]:
    name = reads.version_of(db.session(), done.plan_id, done.version).name
    if done.state == "applied":
        return f"They are on {name} now", "pos"
    if done.state == "scheduled":
        return f"From {day_text(done.effective_at)} they are on {name}", "pos"
    if done.state == "failed":
        return f"{done.failure or 'The payment did not go through.'} Nothing was charged.", "neg"
    return "The payment waits for the customer, who must confirm it with their bank", "warn"


def _page(customer: Customer, refusal: Refusal | None = None, shown: Shown | None = None) -> Response:
    session = db.session()
    now = standing.of(session, customer.id)
    page = render_template(
        "admin/customers/plan.html",
        customer=customer,
        standing=now,
        plans=[("", "Choose"), *((plan.key, plan.name) for plan in reads.offered_plans(session) if plan.monthly_minor)],
        intervals=INTERVALS,
        shown=shown,
        typed={name: _typed(name) for name in ("plan", "interval", "reason", "when")},
        refusal=refusal,
        error=refusal.sentence if refusal and refusal.field == "reason" else "",
        in_flight=changes.in_flight(session, customer.id),
    )
    return hx.answer(page, status_of(refusal) if refusal else 200)


def _back(customer: Customer) -> Response:
    return hx.go(url_for("admin_customers.show", customer_id=customer.id))


def _typed(name: str) -> str:
    return request.form.get(name, "").replace("\0", "").strip()


def _providers() -> Any:
    return current_app.extensions["providers"]
