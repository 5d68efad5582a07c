"""The plan's page: what the customer has and pays, all plans with the way to each, and what is the matter (SPEC §3)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template, request
from flask_login import current_user

from app.catalogue import reads
from app.catalogue.terms import Catalogue
from app.customers import members
from app.errors import NotFound, Refusal
from app.extensions import db
from app.http import hx, pricing_table
from app.http.auth import current_customer_id, customer_required
from app.http.pricing_list import contact_of
from app.invoices import reads as invoices
from app.payments import reads as payments
from app.payments.models import Order
from app.providers.values import Cap
from app.subscriptions import standing
from app.subscriptions.periods import Interval
from app.web import next_charge, plan_cards, plan_notice, plan_order_status, plan_powers
from app.web.waiting import Status

plan = Blueprint("plan", __name__, url_prefix="/plan")


@plan.get("")
@customer_required("read")
def show() -> str:
    """The whole page; for htmx only its changing part, at the same address."""
    return page("plan/_plan.html" if hx.is_partial() else "plan/show.html")


@plan.get("/orders/<purchase_id>")
@customer_required("read")
def order(purchase_id: str) -> str:
    """Where the checkout of a plan sends people back to: it waits, and says how it ended."""
    mine = _mine(purchase_id)
    return render_template("plan/order.html", reference=mine.id, status=_status(mine))


@plan.get("/orders/<purchase_id>/status")
@customer_required("read")
def order_status(purchase_id: str) -> Response:
    """The waiting part alone; nothing new is an empty answer."""
    mine = _mine(purchase_id)
    now = _status(mine)
    if request.args.get("seen") == now.seen:
        return make_response("", 204)
    template = "waiting/_status.html" if now.poll_seconds else "waiting/_news.html"
    return make_response(render_template(template, reference=mine.id, status=now))


def page(template: str = "plan/show.html", *, trouble: Refusal | None = None) -> str:
    """The page as it is now; `trouble` is what refused the last press of a button."""
    session, customer_id = db.session(), current_customer_id()
    now, live = standing.of(session, customer_id), reads.live(session)
    return render_template(
        template,
        standing=now,
        charge=next_charge.of(session, now),
        each=next_charge.EACH,
        included=plan_cards.included(now, live),
        notice=plan_notice.of(session, now),
        trouble=trouble,
        may_pay=members.allows(current_user.permission, "write"),
        **_offers(now, live),
    )


def _offers(now: standing.Standing, live: Catalogue) -> dict[str, Any]:
    """The plans as this customer sees them, by the month or by the year."""
    catalogue, asked = plan_cards.seen_by(live, now), request.args.get("interval")
    yearly = asked == "year" or (asked is None and now.interval is Interval.YEAR)
    may_change = members.allows(current_user.permission, "write")
    is_ours = plan_powers.can(now.subscription, Cap.CHANGE_NOW)
    contact = contact_of(current_app.extensions["settings"])
    return {
        "yearly": yearly,
        "has_yearly": any(one.yearly_minor is not None for one in catalogue.plans),
        "months_free": pricing_table.months_free(live.plans),
        "offers": plan_cards.offers(
            catalogue, now, yearly=yearly, may_change=may_change, contact=contact, is_ours=is_ours
        ),
        "changed_at": None if is_ours else plan_powers.page_of(now.subscription),
        "can_end_now": plan_powers.can(now.subscription, Cap.CANCEL_NOW),
        "plans_shown": catalogue.plans,
        "sections": pricing_table.sections(catalogue),
    }


def _mine(purchase_id: str) -> Order:
    found = payments.order(db.session(), current_customer_id(), purchase_id)
    if found.kind != "subscription":
        raise NotFound("There is no such order.")
    return found


def _status(mine: Order) -> Status:
    may_pay = members.allows(current_user.permission, "write")
    left = request.args.get("left") == "1"
    now = standing.of(db.session(), mine.customer_id)
    live = now.subscription if mine.state == "paid" else None
    first = invoices.first_of(db.session(), mine.customer_id, live.id) if live else None
    return plan_order_status.of(mine, now, may_pay=may_pay, left=left, first=first)
