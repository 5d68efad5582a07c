"""The panel of automatic top-up: whether it is on, its rules as they are enforced, and the form to set them (W6)."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from app.customers import members
from app.extensions import db
from app.flows.charge_card import NEEDED
from app.http.auth import current_customer_id
from app.http.filters import cents, money
from app.http.forms import Form, MoneyField
from app.money import micros_to_minor
from app.payments.orders import LARGEST, SMALLEST
from app.providers import registry
from app.providers.port import Provider
from app.wallet import auto_top_up as rules
from app.wallet.models import AutoTopUp
from app.web import channel_choice
from app.web.top_up_panel import figures

_USUAL = {"threshold": 1_000, "step": 2_500, "ceiling": 10_000}  # what the fields hold before anybody chose


class AutoTopUpForm(Form):
    """When to charge, how much, and how much at most."""

    threshold = MoneyField(id="threshold", minimum=0, maximum=rules.LARGEST_THRESHOLD)
    step = MoneyField(id="step", minimum=SMALLEST, maximum=LARGEST)
    ceiling = MoneyField(id="ceiling", minimum=SMALLEST, maximum=rules.LARGEST_CEILING)

    @property
    def chosen(self) -> dict[str, int]:
        """The rules in minor units, once the form has validated."""
        fields = {"threshold_minor": self.threshold, "amount_minor": self.step, "ceiling_minor": self.ceiling}
        return {name: field.minor or 0 for name, field in fields.items()}


def panel(*, form: AutoTopUpForm | None = None, edit: bool = False) -> dict[str, Any]:
    """What `wallet/_auto.html` needs."""
    row = rules.of(db.session(), current_customer_id())
    may_change = members.allows(current_user.permission, "write") and provider() is not None
    is_on = row is not None and row.state == "on"
    opened = may_change and (form is not None or edit)
    return {
        "auto": row,
        "auto_why": rules.WHY.get(row.why or "", "") if row is not None and not is_on else "",
        "auto_may_change": may_change,
        "auto_form": (form or _form(row)) if opened else None,
        "auto_is_offered": may_change or row is not None,
        "auto_rules": sentences(row),
    }


def provider() -> Provider | None:
    """Who can charge a saved card by itself; None where nobody can."""
    return registry.able(channel_choice.all_of_them(), *NEEDED)


def _form(row: AutoTopUp | None) -> AutoTopUpForm:
    known = _USUAL
    if row is not None:
        low = micros_to_minor(row.threshold_micros, row.currency)
        known = {"threshold": low, "step": row.amount_minor, "ceiling": row.ceiling_minor}
    return AutoTopUpForm(formdata=None, data={name: figures(minor) for name, minor in known.items()})


def sentences(row: AutoTopUp | None) -> list[str]:
    """The rules as they are enforced, with this customer's figures once there are some."""
    low = money(row.threshold_micros, row.currency) if row else "the level you choose"
    step = cents(row.amount_minor, row.currency) if row else "the amount you choose"
    most = cents(row.ceiling_minor, row.currency) if row else "the ceiling you choose"
    pause, wait = int(rules.COOL_OFF.total_seconds() // 60), int(rules.AFTER_A_DECLINE.total_seconds() // 60)
    when = (
        f"When {low} or less is available, your default card is charged once: as many times {step} as bring the "
        f"wallet above {low}."
    )
    limits = (
        f"Never more than {most} in a calendar month (UTC), never twice within {pause} minutes, and not while "
        "another top-up is under way."
    )
    declines = (
        f"After a decline we wait {wait} minutes; after {rules.MOST_DECLINES} in a row, or when the bank forbids it, "
        "it is switched off and we tell you."
    )
    stops = (
        "When your bank asks for you in person, money is refunded to you or a payment is disputed, it stops until you "
        "switch it on again. Buying something never switches it on."
    )
    return [when, limits, declines, stops]
