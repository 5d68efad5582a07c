"""Staff: the coupons. All see what they gave away; admins make them, change their limits and retire them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app import clock
from app.admin import before_after, coupon_form, meanwhile, words
from app.admin.meanwhile import Meanwhile
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.admin.typed import Typed
from app.catalogue import reads as catalogue
from app.catalogue.difference import Differing, of_facts
from app.coupons import issue, reads
from app.coupons.models import Coupon
from app.customers import search
from app.db import transaction
from app.errors import NotFound, Refusal
from app.extensions import db
from app.http import csv_file, hx
from app.http.filters import cents, credit_count

pages = Blueprint("admin_coupons", __name__)

STATES = {"active": "Active", "waiting": "Waiting", "used_up": "Ended", "ended": "Ended"}
FILTERS = [("", "All statuses"), ("active", "Active"), ("waiting", "Waiting"), ("ended", "Ended")]


@pages.get("/admin/coupons")
@staff_reads
def index() -> Response:
    """The coupons, with their uses and what they gave away; all of them or those in one state."""
    state, found = _asked()
    shown: dict[str, Any] = {
        "coupons": found,
        "given_away": sum(each.given for each, _ in found if each.coupon.kind != "credits"),
        "state": state,
        "filters": FILTERS,
        "csv": url_for(".index_csv", state=state or None),
        "may_edit": may_edit_catalogue(),
    }
    template = "admin/coupons/_rows.html" if hx.is_partial() else "admin/coupons/index.html"
    return hx.answer(render_template(template, **shown, **_words()))


@pages.get("/admin/coupons.csv")
@staff_reads
def index_csv() -> Response:
    """The same list as a file."""
    heading = ("code", "name", "discount", "duration", "applies_to", "used", "most", "given", "ends_at", "status")
    rows = [
        (
            each.coupon.code,
            each.coupon.name,
            discount(each.coupon),
            duration(each.coupon),
            scope(each.coupon),
            each.coupon.redeemed,
            each.coupon.most,
            each.given,
            clock.timestamp(each.coupon.ends_at) if each.coupon.ends_at else "",
            STATES[state],
        )
        for each, state in _asked()[1]
    ]
    return csv_file.answer("coupons.csv", heading, rows)


def _asked() -> tuple[str, list[tuple[reads.Listed, str]]]:
    """The status that was asked for, and the coupons that have it, each with its own."""
    now, asked = clock.now(), request.args.get("state", "")
    found = [(each, reads.state_of(each.coupon, now)) for each in reads.listed(db.session())]
    state = asked if asked in dict(FILTERS) else ""
    return state, [(each, of) for each, of in found if not state or STATES[of].lower() == state]


@pages.get("/admin/coupons/new")
@staff_edits_catalogue
def new() -> str:
    """The empty form."""
    return _new(Typed(coupon_form.blank()))


@pages.post("/admin/coupons")
@staff_edits_catalogue
def create() -> Response | str:
    """Make a coupon; it works at once, or from its first day."""
    typed, on_offer = Typed(request.form), catalogue.live(db.session())
    terms = coupon_form.terms_of(
        typed, plans=[plan.key for plan in on_offer.plans], packs=[pack.key for pack in on_offer.packs]
    )
    if not typed.errors:
        try:
            with transaction(db.session):
                coupon = issue.make(db.session(), terms, actor=actor())
        except Refusal as refusal:
            typed.wrong(coupon_form.input_of(refusal.field), refusal.sentence)
        else:
            flash(f"{coupon.code} is made", "pos")
            return hx.go(url_for(".show", coupon_id=coupon.id))
    return hx.answer(_new(typed), 422)


@pages.get("/admin/coupons/<coupon_id>")
@staff_reads
def show(coupon_id: str) -> str:
    """One coupon: what it is, who used it, and for admins what may be changed."""
    coupon = _load(coupon_id)
    return _show(coupon, Typed(coupon_form.of_limits(coupon)))


@pages.post("/admin/coupons/<coupon_id>")
@staff_edits_catalogue
def change(coupon_id: str) -> Response | str:
    """Change its name or its limits, once what that changes has been shown."""
    coupon, typed = _load(coupon_id), Typed(request.form)
    now = coupon_form.of_limits(coupon)
    other = meanwhile.look(request.form.get(meanwhile.BASE), now, typed.values)
    if other is not None:
        typed = Typed(other.values)
    limits = coupon_form.limits_of(typed, coupon)
    facts = () if typed.errors else of_facts(now, coupon_form.of_limits(limits))
    if other is not None:
        return hx.answer(_show(coupon, typed, facts, other), 409)
    if typed.errors:
        return hx.answer(_show(coupon, typed), 422)
    try:
        limits.check()
        if not before_after.was_shown(facts):
            return hx.answer(_show(coupon, typed, facts))
        with transaction(db.session):
            issue.change(db.session(), coupon.id, limits, actor=actor())
    except Refusal as refusal:
        typed.wrong(coupon_form.input_of(refusal.field), refusal.sentence)
        return hx.answer(_show(coupon, typed), 422)
    flash(f"{coupon.code} is saved", "pos")
    return hx.go(url_for(".show", coupon_id=coupon.id))


@pages.post("/admin/coupons/<coupon_id>/retire")
@staff_edits_catalogue
def retire(coupon_id: str) -> Response:
    """Nobody can use it any more."""
    with transaction(db.session):
        coupon = issue.retire(db.session(), coupon_id, actor=actor())
    flash(f"{coupon.code} has ended", "pos")
    return hx.go(url_for(".show", coupon_id=coupon.id))


def discount(coupon: Coupon) -> str:
    """`20%`, `$10.00`, `100 credits`."""
    if coupon.kind == "percent":
        return f"{coupon.value}%"
    return credit_count(coupon.value) if coupon.kind == "credits" else cents(coupon.value, coupon.currency)


def duration(coupon: Coupon) -> str:
    """`First invoice`, `First 6 months`, `Every invoice`; `Once` where no plan is invoiced with it."""
    if coupon.scope and "plans" not in coupon.scope:
        return "Once"
    if coupon.duration == "repeating":
        return "First month" if coupon.months == 1 else f"First {coupon.months} months"
    return "Every invoice" if coupon.duration == "forever" else "First invoice"


def scope(coupon: Coupon) -> str:
    """`Plans`, `Plans studio, growth; top-ups`."""
    if not coupon.scope:
        return "Plans and packs"
    said = []
    for part, word in (("plans", "Plans"), ("packs", "Packs")):
        if part in coupon.scope:
            said.append(" ".join([word, ", ".join(coupon.scope[part])]).strip())
    return "; ".join([*said, *(["Top-ups"] if coupon.scope.get("topups") else [])])


def given(amount: int, coupon: Coupon) -> str:
    """What it gave away, in money or credits."""
    return credit_count(amount) if coupon.kind == "credits" else cents(amount)


def _words() -> dict[str, Any]:
    return {"discount": discount, "duration": duration, "scope": scope, "given": given, "states": STATES}


def _new(typed: Typed) -> str:
    on_offer = catalogue.live(db.session())
    return render_template(
        "admin/coupons/new.html",
        typed=typed,
        plans=[(plan.key, plan.name) for plan in on_offer.plans if plan.monthly_minor or plan.is_custom],
        packs=[(pack.key, pack.name) for pack in on_offer.packs],
        kinds=list(coupon_form.KIND_WORDS.items()),
        durations=list(coupon_form.DURATION_WORDS.items()),
    )


def _show(coupon: Coupon, typed: Typed, facts: Differing | None = None, other: Meanwhile | None = None) -> str:
    uses = reads.uses_of(db.session(), coupon.id)
    return render_template(
        "admin/coupons/show.html",
        coupon=coupon,
        state=reads.state_of(coupon, clock.now()),
        typed=typed,
        base=meanwhile.opened(coupon_form.of_limits(coupon)),
        other=other,
        facts=facts,
        confirmed=before_after.shown(facts),
        affects=_affects(coupon),
        label="Save the changes",
        happened=words.of_subject(db.session(), coupon.id, action="coupon."),
        uses=uses,
        names=search.names(db.session(), sorted({use.customer_id for use in uses})),
        given_away=reads.given_by(db.session(), coupon.id),
        may_edit=may_edit_catalogue() and coupon.retired_at is None,
        **_words(),
    )


def _affects(coupon: Coupon) -> str:
    used = "1 use there is keeps" if coupon.redeemed == 1 else f"{coupon.redeemed:,} uses there are keep"
    return f"The {used} what was promised; this counts from the next use on."


def _load(coupon_id: str) -> Coupon:
    coupon = reads.find(db.session(), coupon_id)
    if coupon is None:
        raise NotFound("There is no such coupon.")
    return coupon
