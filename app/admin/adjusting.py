"""Adjusting by hand, the wallet or credits: what is typed, before and after shown first, and once per form.

Above the limit nothing moves: it waits in the queue (`adjustment_queue`) for a second person, and the button says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Response, current_app, flash, render_template, request, url_for
from wtforms import StringField
from wtforms.validators import AnyOf

from app import adjustments, ids
from app.adjustments import Asked, Wish
from app.admin.roles import actor
from app.config import Settings
from app.customers.models import Customer
from app.db import transaction
from app.errors import IdempotencyKeyReused, Refusal
from app.extensions import db
from app.http import hx
from app.http.auth import current_session
from app.http.forms import Form

DIRECTIONS = {"add": "Add", "take": "Take"}
FORM_KEY = re.compile(r"frm_[0-9a-z]{26}\Z")


class AdjustmentForm(Form):
    """What is typed. `confirmed` is the signed amount whose before and after the person has seen."""

    direction = StringField(
        default="add", validators=[AnyOf(DIRECTIONS, message="Choose Add or Take.")], id="direction"
    )
    amount = StringField(id="amount")
    reason = StringField(id="reason")
    ticket = StringField(id="ticket")
    confirmed = StringField()
    form_key = StringField()

    @property
    def count(self) -> int | None:
        """The amount typed, in the unit that people type; None until it is valid."""
        raise NotImplementedError

    @property
    def signed(self) -> int | None:
        """The same, below zero when it is taken."""
        return None if self.count is None else (-self.count if self.direction.data == "take" else self.count)

    @property
    def expires_at(self) -> datetime | None:
        """When what is given ends; None where it does not."""
        return None


@dataclass(frozen=True)
class Preview:
    """What an adjustment would do, in the ledger's unit, whether it can be borne, and whether a second must agree."""

    before: int
    change: int
    available: int
    needs_second: bool = False

    @property
    def after(self) -> int:
        return self.before + self.change

    @property
    def possible(self) -> bool:
        return self.change >= 0 or self.available + self.change >= 0


@dataclass(frozen=True)
class Desk:
    """Where one of them is adjusted. `blueprint` has the pages `new`, `preview` and `create`.

    `there` is what a customer has and what of it can be taken, in the ledger's unit, which `unit` makes of what is
    typed; above `limit`, as typed, a second person is needed. `said` and `figure` write an amount with and without
    its unit. `reads` is where the customer reads the reason.
    """

    blueprint: str
    what: str
    typed: str
    reads: str
    done: str
    form: type[AdjustmentForm]
    asset: Callable[[], str]
    there: Callable[[str], tuple[int, int]]
    unit: Callable[[int], int]
    limit: Callable[[Settings], int]
    said: Callable[..., str]
    figure: Callable[..., str]

    def new(self, customer: Customer) -> Response:
        """The empty form, as a page or for the dialog on the customer's page."""
        return self._form(customer, self.form(formdata=None, form_key=ids.new("frm")))

    def preview(self, customer: Customer) -> Response:
        """Before and after for what is typed so far; nothing while it is no amount yet."""
        form = self.form(formdata=request.args)
        form.validate()
        told = {"customer": customer, "preview": self._preview(customer, form.signed), "form": form, "desk": self}
        body = render_template("admin/adjustments/_preview.html", **told)
        return hx.answer(body + render_template("admin/adjustments/_go.html", **told, swapped=True))

    def create(self, customer: Customer) -> Response:
        """Adjust once per form, when the amount asked for is the one whose result was shown; else show it."""
        form = self.form()
        if not form.validate() or form.signed is None:
            return self._form(customer, form, 422)
        if form.confirmed.data != str(form.signed) or not FORM_KEY.match(form.form_key.data or ""):
            return self._ask(customer, form)
        try:
            asked = self._adjust(customer, form, form.signed)
        except IdempotencyKeyReused:
            form.form_key.data, form.confirmed.data = ids.new("frm"), ""
            sentence = f"This form was sent before with another {self.typed} or reason. Check the sum once more."
            form.amount.errors = [*form.amount.errors, sentence]
            return self._form(customer, form, 409)
        except Refusal as refusal:
            form.refuse(refusal, "amount")
            return self._form(customer, form, 422)
        said = self.said(self.unit(form.signed), sign=True)
        return _told(asked, f"{said} {self.done} {customer.name}")

    def _adjust(self, customer: Customer, form: AdjustmentForm, signed: int) -> Asked:
        wish = Wish(
            customer_id=customer.id,
            asset=self.asset(),
            amount=self.unit(signed),
            reason=form.reason.data or "",
            key=form.form_key.data or "",
            ticket=form.ticket.data or None,
            expires_at=form.expires_at,
        )
        by = {"by": actor(), "person": current_session().id}
        with transaction(db.session):
            return adjustments.ask(db.session(), wish, **by, limit=self._most(), base_url=_settings().base_url)

    def _ask(self, customer: Customer, form: AdjustmentForm) -> Response:
        """The step in between, which a browser without script sees: the reason is checked, the result shown."""
        if not FORM_KEY.match(form.form_key.data or ""):
            form.form_key.data = ids.new("frm")
        if len((form.reason.data or "").strip()) < 3:
            form.reason.errors = ["Write a reason of 3 characters or more. The customer reads it."]
            return self._form(customer, form, 422)
        return self._form(customer, form)

    def _form(self, customer: Customer, form: AdjustmentForm, status: int = 200) -> Response:
        body = render_template(
            "admin/adjustments/_form.html" if hx.is_partial() else "admin/adjustments/new.html",
            customer=customer,
            form=form,
            preview=self._preview(customer, None if form.amount.errors else form.signed),
            in_page=not hx.is_partial(),
            directions=DIRECTIONS,
            desk=self,
        )
        return hx.answer(body, status)

    def _preview(self, customer: Customer, signed: int | None) -> Preview | None:
        if signed is None:
            return None
        before, available = self.there(customer.id)
        change = self.unit(signed)
        return Preview(before, change, available, adjustments.needs_second(change, self._most()))

    def _most(self) -> int:
        return self.unit(self.limit(_settings()))


def _told(asked: Asked, words: str) -> Response:
    """Where staff go from the form: to the customer when it was made, else to where it waits."""
    if asked.row.state == "made":
        flash(words, "pos")
        return hx.go(url_for("admin_customers.show", customer_id=asked.row.customer_id))
    flash(f"{words} waits for a second person. Nothing has moved.", "warn")
    return hx.go(url_for("admin_adjustment_queue.show", adjustment_id=asked.row.id))


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found
