"""The wallet page's forms: how much to top up, and which transactions to show."""

from __future__ import annotations

import re

from flask import request
from wtforms import StringField

from app import ids
from app.http.forms import Form, MoneyField
from app.payments.orders import LARGEST, SMALLEST
from app.wallet import kinds
from app.web.account_history import KindFilterForm

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


class FilterForm(KindFilterForm):
    """Type and days of the transactions shown."""

    kinds_of = staticmethod(kinds.of_type)


def fresh_form_key() -> str:
    """A key for one rendered form, so that sending it twice opens one checkout."""
    return ids.new("form")


def form_key_sent() -> str:
    """The key of the form that was sent; a fresh one where it is missing or strange."""
    sent = request.form.get("form_key", "")
    return sent if _FORM_KEY.match(sent) else fresh_form_key()
