"""Staff: adjusting credits. Before and after are shown before it is done, and the customer reads the reason (C6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, Response
from wtforms import StringField
from wtforms.validators import ValidationError

from app import clock, credits
from app.adjustments import CREDITS
from app.admin.adjusting import AdjustmentForm, Desk
from app.admin.customers import load
from app.admin.roles import staff_moves_money
from app.credits.grants import LARGEST
from app.extensions import db
from app.http.filters import credit_count, number
from app.http.forms import DayField
from app.http.proof import recently_proved

pages = Blueprint("admin_credit_adjustments", __name__)

_WHOLE = re.compile(r"\d{1,3}(?:,\d{3})+\Z|\d{1,16}\Z", re.ASCII)


class CreditAdjustmentForm(AdjustmentForm):
    """Whole credits are typed, and the last day of those that are given, where they end."""

    ends = DayField(id="ends")

    found: int | None = None  # None until it is valid

    def validate_amount(self, field: StringField) -> None:
        typed = (field.data or "").strip()
        count = int(typed.replace(",", "")) if _WHOLE.match(typed) else 0
        if not 0 < count <= LARGEST:
            raise ValidationError(f"Enter a whole number from 1 to {LARGEST:,}.")
        self.found = count

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

    @property
    def count(self) -> int | None:
        return self.found


@pages.get("/admin/customers/<customer_id>/adjust-credits")
@staff_moves_money
def new(customer_id: str) -> Response:
    """The empty form, as a page or for the dialog on the customer's page."""
    return DESK.new(load(customer_id))


@pages.get("/admin/customers/<customer_id>/adjust-credits/preview")
@staff_moves_money
def preview(customer_id: str) -> Response:
    """Before and after for what is typed so far."""
    return DESK.preview(load(customer_id))


@pages.post("/admin/customers/<customer_id>/adjust-credits")
@staff_moves_money
@recently_proved
def create(customer_id: str) -> Response:
    """Adjust once per form."""
    return DESK.create(load(customer_id))


def _there(customer_id: str) -> tuple[int, int]:
    there = credits.balance(db.session(), customer_id).available
    return there, there


DESK = Desk(
    blueprint="admin_credit_adjustments",
    what="credits",
    typed="number",
    reads="in their history",
    done="for",
    form=CreditAdjustmentForm,
    asset=lambda: CREDITS,
    there=_there,
    unit=lambda count: count,
    limit=lambda settings: settings.credit_adjustment_limit,
    said=credit_count,
    figure=number,
)
