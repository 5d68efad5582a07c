"""Staff: adjusting credits. Before and after are shown before it is done, and the customer reads the reason (C6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, Response, render_template, request
from wtforms import StringField
from wtforms.validators import AnyOf, ValidationError

from app import adjustments, clock, credits, ids
from app.adjustments import CREDITS, Asked, Wish
from app.admin.adjustments import DIRECTIONS, FORM_KEY, settings, told
from app.admin.customers import load
from app.admin.roles import actor, staff_moves_money
from app.credits.grants import LARGEST
from app.customers.models import Customer
from app.db import transaction
from app.errors import IdempotencyKeyReused, Refusal
from app.extensions import db
from app.http import hx
from app.http.auth import current_session
from app.http.filters import credit_count
from app.http.forms import DayField, Form
from app.http.proof import recently_proved

pages = Blueprint("admin_credit_adjustments", __name__)

_WHOLE = re.compile(r"\d{1,3}(?:,\d{3})+\Z|\d{1,16}\Z", re.ASCII)


class CreditAdjustmentForm(Form):
    """What is typed. `confirmed` is the signed number of credits whose before and after the person has seen."""

    direction = StringField(
        default="add", validators=[AnyOf(DIRECTIONS, message="Choose Add or Take.")], id="direction"
    )
    amount = StringField(id="amount")
    reason = StringField(id="reason")
    ticket = StringField(id="ticket")
    ends = DayField(id="ends")
    confirmed = StringField()
    form_key = StringField()

    signed: int | None = None  # below zero when it is taken; None until it is valid

    def validate_amount(self, field: StringField) -> None:
        typed = (field.data or "").strip()
        count = int(typed.replace(",", "")) if _WHOLE.match(typed) else 0
        if not 0 < count <= LARGEST:
            raise ValidationError(f"Enter a whole number from 1 to {LARGEST:,}.")
        self.signed = -count if self.direction.data == "take" else count

    def validate_ends(self, field: DayField) -> None:
        if field.day is None:
            return
        if self.direction.data == "take":
            raise ValidationError("Only credits that are given end. Leave this empty to take some.")
        if field.day < clock.now().date():
            raise ValidationError("Choose today or a later day.")

    @property
    def expires_at(self) -> datetime | None:
        """The end of the day chosen, in UTC."""
        return datetime.combine(self.ends.day + timedelta(days=1), time(), UTC) if self.ends.day else None


@dataclass(frozen=True)
class Preview:
    """What an adjustment would do, in credits, whether there are enough, and whether a second person is needed."""

    before: int
    change: int
    needs_second: bool = False

    @property
    def after(self) -> int:
        return self.before + self.change

    @property
    def possible(self) -> bool:
        return self.change >= 0 or self.after >= 0


@pages.get("/admin/customers/<customer_id>/adjust-credits")
@staff_moves_money
def new(customer_id: str) -> Response | str:
    """The empty form, as a page or for the dialog on the customer's page."""
    return _form(load(customer_id), CreditAdjustmentForm(formdata=None, form_key=ids.new("frm")))


@pages.get("/admin/customers/<customer_id>/adjust-credits/preview")
@staff_moves_money
def preview(customer_id: str) -> Response:
    """Before and after for what is typed so far; nothing while it is no number yet."""
    customer = load(customer_id)
    form = CreditAdjustmentForm(formdata=request.args)
    form.validate()
    shown = {"preview": _preview(customer, form.signed), "form": form}
    body = render_template("admin/credit_adjustments/_preview.html", customer=customer, **shown)
    return hx.answer(body + render_template("admin/credit_adjustments/_go.html", swapped=True, **shown))


@pages.post("/admin/customers/<customer_id>/adjust-credits")
@staff_moves_money
@recently_proved
def create(customer_id: str) -> Response | str:
    """Adjust once per form, when the number asked for is the one whose result was shown; else show it."""
    customer = load(customer_id)
    form = CreditAdjustmentForm()
    if not form.validate() or form.signed is None:
        return _form(customer, form, 422)
    if form.confirmed.data != str(form.signed) or not FORM_KEY.match(form.form_key.data or ""):
        return _ask(customer, form)
    try:
        asked = _adjust(customer, form, form.signed)
    except IdempotencyKeyReused:
        form.form_key.data, form.confirmed.data = ids.new("frm"), ""
        sentence = "This form was sent before with another number or reason. Check the sum once more."
        form.amount.errors = [*form.amount.errors, sentence]
        return _form(customer, form, 409)
    except Refusal as refusal:
        form.refuse(refusal, "amount")
        return _form(customer, form, 422)
    return told(asked, f"{credit_count(form.signed, sign=True)} for {customer.name}")


def _adjust(customer: Customer, form: CreditAdjustmentForm, signed: int) -> Asked:
    wish = Wish(
        customer_id=customer.id,
        asset=CREDITS,
        amount=signed,
        reason=form.reason.data or "",
        key=form.form_key.data or "",
        ticket=form.ticket.data or None,
        expires_at=form.expires_at,
    )
    by = {"by": actor(), "person": current_session().id}
    with transaction(db.session):
        return adjustments.ask(db.session(), wish, **by, limit=_limit(), base_url=settings().base_url)


def _ask(customer: Customer, form: CreditAdjustmentForm) -> Response | str:
    """The step in between, which a browser without script sees: the reason is checked, the result shown."""
    if not FORM_KEY.match(form.form_key.data or ""):
        form.form_key.data = ids.new("frm")
    if len((form.reason.data or "").strip()) < 3:
        form.reason.errors = ["Write a reason of 3 characters or more. The customer reads it."]
        return _form(customer, form, 422)
    return _form(customer, form)


def _form(customer: Customer, form: CreditAdjustmentForm, status: int = 200) -> Response | str:
    template = "admin/credit_adjustments/_form.html" if hx.is_partial() else "admin/credit_adjustments/new.html"
    body = render_template(
        template,
        customer=customer,
        form=form,
        preview=_preview(customer, None if form.amount.errors else form.signed),
        in_page=not hx.is_partial(),
        directions=DIRECTIONS,
    )
    return hx.answer(body, status)


def _preview(customer: Customer, signed: int | None) -> Preview | None:
    if signed is None:
        return None
    there = credits.balance(db.session(), customer.id).available
    return Preview(there, signed, adjustments.needs_second(signed, _limit()))


def _limit() -> int:
    return settings().credit_adjustment_limit
