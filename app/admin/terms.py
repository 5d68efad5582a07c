"""Staff: terms negotiated with one customer (SPEC P14). What they change is shown first, and they have a reason."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.admin import terms_form, words
from app.admin.customers import load
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.admin.terms_form import Row
from app.admin.typed import Typed
from app.catalogue import edit, reads
from app.catalogue.difference import Differing
from app.catalogue.models import OVERAGE_MODES
from app.catalogue.terms import PlanTerms
from app.customers.models import Customer
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import hx
from app.http.filters import default_currency
from app.subscriptions import overrides, standing
from app.subscriptions.models import PlanOverride
from app.subscriptions.overrides import Negotiated

pages = Blueprint("admin_terms", __name__)

MODES = {"": "As the plan", "wallet": "Charge the wallet", "invoice": "Add to the invoice", "block": "Stop"}


@dataclass(frozen=True)
class Theirs:
    """The customer, the plan they are on without anything negotiated, and what is negotiated now."""

    customer: Customer
    plan: PlanTerms | None
    live: PlanOverride | None
    rows: list[Row]


@pages.get("/admin/customers/<customer_id>/terms")
@staff_reads
def show(customer_id: str) -> str:
    """What is negotiated now, what was before, and for finance and admin the form."""
    theirs = _theirs(customer_id)
    return _page(theirs, Typed(terms_form.of_override(theirs.live, default_currency())))


@pages.post("/admin/customers/<customer_id>/terms")
@staff_moves_money
def create(customer_id: str) -> Response | str:
    """Put these terms in the place of the ones before, once what they change has been shown; else show it."""
    theirs, typed = _theirs(customer_id), Typed(request.form)
    wanted = terms_form.terms_of(typed, theirs.rows, plan_ids=[plan_id for plan_id, _ in _plans()])
    if len(typed.line("reason")) < 3:
        typed.wrong("reason", "Write a reason of 3 characters or more.")
    if typed.errors:
        return hx.answer(_page(theirs, typed), 422)
    facts = terms_form.difference(theirs.plan, theirs.live, wanted)
    if typed.raw("confirmed") != terms_form.shown(facts, wanted):
        return _page(theirs, typed, facts, wanted)
    try:
        with transaction(db.session):
            overrides.set_override(db.session(), theirs.customer.id, wanted, reason=typed.line("reason"), actor=actor())
    except Refusal as refusal:
        typed.wrong(_input_of(refusal.field), refusal.sentence)
        return hx.answer(_page(theirs, typed), 422)
    flash(f"{theirs.customer.name} has these terms from now on", "pos")
    return hx.go(url_for("admin_customers.show", customer_id=theirs.customer.id))


@pages.post("/admin/customers/<customer_id>/terms/end")
@staff_moves_money
def end(customer_id: str) -> Response | str:
    """The plan's own terms count again."""
    theirs, typed = _theirs(customer_id), Typed(request.form)
    try:
        with transaction(db.session):
            overrides.end_override(db.session(), theirs.customer.id, reason=typed.line("end_reason"), actor=actor())
    except Refusal as refusal:
        if refusal.field is None:
            raise
        again = Typed(terms_form.of_override(theirs.live, default_currency()) | dict(request.form))
        again.wrong("end_reason", refusal.sentence)
        return hx.answer(_page(theirs, again), 422)
    flash(f"{theirs.customer.name} has the plan's own terms again", "pos")
    return hx.go(url_for("admin_customers.show", customer_id=theirs.customer.id))


def _theirs(customer_id: str) -> Theirs:
    customer = load(customer_id)
    now = standing.of(db.session(), customer.id)
    sub = now.subscription
    # Without what was negotiated, which the form is about.
    plan = reads.version_of(db.session(), sub.plan_id, sub.version) if sub else reads.free_plan(db.session())
    live = overrides.live(db.session(), customer.id)
    meters = [meter.key for meter in edit.meters(db.session())]
    return Theirs(customer, plan, live, terms_form.rows_of(plan, live, meters))


def _page(theirs: Theirs, typed: Typed, facts: Differing = (), wanted: Negotiated | None = None) -> str:
    past = overrides.of_customer(db.session(), theirs.customer.id)
    return render_template(
        "admin/terms/show.html",
        theirs=theirs,
        customer=theirs.customer,
        typed=typed,
        facts=facts,
        confirmed=terms_form.shown(facts, wanted) if wanted else "",
        plans=[("", "Any plan"), *_plans()],
        modes=[(mode, MODES[mode]) for mode in ("", *OVERAGE_MODES)],
        past=past,
        names=words.names_of(db.session(), [each.created_by for each in past]),
        may_change=may_move_money(),
    )


def _plans() -> list[tuple[str, str]]:
    return [(plan.id, version.name) for plan, version in edit.every_plan(db.session())]


def _input_of(field: str | None) -> str:
    known = {"monthly_minor": "monthly", "yearly_minor": "yearly"}
    same = ("markup_percent", "commission_percent", "reason")
    return field if field in same else known.get(field or "", "monthly")
