"""The wallet page's forms: how much to top up, and which transactions to show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import request
from wtforms import StringField
from wtforms.validators import ValidationError

from app import ids
from app.errors import Invalid
from app.http.day_range import DayRangeForm
from app.http.forms import Form, MoneyField
from app.payments.orders import LARGEST, SMALLEST
from app.wallet import kinds

_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z", re.ASCII)
PRESETS = (2_500, 5_000, 10_000, 25_000)  # minor units (SPEC W2)
USUAL = 5_000


class TopUpForm(Form):
    """A preset or an own amount; the own amount wins. Errors stand beside the own amount."""

    form_key = StringField()
    amount = StringField()
    custom = MoneyField(minimum=SMALLEST, maximum=LARGEST, instead="amount")
    coupon = StringField(id="coupon")

    @property
    def minor(self) -> int:
        """The amount in minor units, once the form has validated."""
        assert self.custom.minor is not None
        return self.custom.minor

    @property
    def order_key(self) -> str:
        """What makes a second submit the same order. Going back and choosing another sum or coupon makes another."""
        code = self.typed("coupon").strip().upper()[:40]
        return f"{self.form_key.data}:{self.minor}" + (f":{code}" if code.isprintable() and code else "")


class FilterForm(DayRangeForm):
    """Type and days of the transactions shown."""

    kinds_chosen: Sequence[str] | None = None  # ledger kinds to show; None for all

    type = StringField()

    def validate_type(self, field: StringField) -> None:
        try:
            self.kinds_chosen = kinds.of_type(field.data) if field.data else None
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from refusal

    @property
    def dated(self) -> bool:
        return self.first_instant is not None or self.end is not None

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        return {**({"type": self.type.data} if self.type.data else {}), **self.days}


def fresh_form_key() -> str:
    """A key for one rendered form, so that sending it twice opens one checkout."""
    return ids.new("form")


def form_key_sent() -> str:
    """The key of the form that was sent; a fresh one where it is missing or strange."""
    sent = request.form.get("form_key", "")
    return sent if _FORM_KEY.match(sent) else fresh_form_key()


def filters_from_address() -> FilterForm:
    """The filter of this request, validated; its errors say what was ignored."""
    form = FilterForm(formdata=request.args)
    form.validate()
    return form
