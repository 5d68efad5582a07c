"""The top-up panel: who may use it, what it offers, and what the amount typed so far would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from flask_login import current_user

from app import money
from app.customers import members
from app.http.filters import cents, currency_sign, default_currency
from app.money import EXPONENTS
from app.payments.orders import LARGEST, SMALLEST
from app.web import channel_choice
from app.web.wallet_forms import PRESETS, USUAL, TopUpForm, fresh_form_key


@dataclass(frozen=True)
class Preset:
    """An amount offered. `value` is what the form sends: figures a person could have typed."""

    value: str
    label: str


@dataclass(frozen=True)
class Quote:
    """What the button would do: the sum in minor units, or the sentence that says why there is none yet."""

    minor: int | None
    sentence: str = ""


@dataclass(frozen=True)
class Closed:
    """Why there is no form."""

    title: str
    text: str


@dataclass(frozen=True)
class Trouble:
    """A notice over the page."""

    title: str
    text: str
    tone: str = "warn"


READ_ONLY = Closed("You can look, not pay", "Ask an owner of this customer for the right to pay, on the team page.")
SWITCHED_OFF = Closed(
    "Top-ups are switched off", "No payment provider is set up here yet. What is in the wallet can be spent as ever."
)
NO_ANSWER = Trouble(
    "The payment provider does not answer",
    "Nothing was charged. Your amount is kept: try again in a minute, and no second payment is made.",
)


def panel(form: TopUpForm | None = None) -> dict[str, Any]:
    """What `wallet/_topup.html` needs: the refused form, or a fresh one, or the reason why there is none."""
    closed = closed_because()
    if form is None and closed is None:
        form = fresh_form()
    return {
        "form": None if closed else form,
        "closed": closed,
        "presets": [Preset(figures(minor), _label(minor)) for minor in PRESETS],
        "limits": f"{cents(SMALLEST)} to {cents(LARGEST)}",
        # A refused form says once, at the field, what is wrong.
        "quote": Quote(None) if form and form.errors else quote_of(form) if form else None,
        **channels(),
    }


def channels() -> dict[str, Any]:
    """On whose page it is paid, and the choice where there is one."""
    offered = channel_choice.for_top_ups()
    return {"provider_title": offered.title, "channels": offered.choices, "adds_tax": offered.adds_tax}


def closed_because() -> Closed | None:
    """Who may not top up, or why nobody can; None when the form is to be shown."""
    if not members.allows(current_user.permission, "write"):
        return READ_ONLY
    return None if channel_choice.for_top_ups().sells else SWITCHED_OFF


def fresh_form() -> TopUpForm:
    """A form nobody has typed into. `?amount=50.00` in the address fills it, after a checkout that was left."""
    form = TopUpForm(formdata=None)
    form.form_key.data = fresh_form_key()
    offered = {figures(minor) for minor in PRESETS}
    asked = request.args.get("amount", "")
    form.amount.data = asked if asked in offered else figures(USUAL)
    if asked and asked not in offered:
        form.custom.data = asked[:24]
    return form


def quote_of(form: TopUpForm) -> Quote:
    """What this form would cost; the same rules as when it is sent."""
    asked = TopUpForm(formdata=None, data={"amount": form.amount.data, "custom": form.custom.data})
    if asked.validate():
        return Quote(asked.minor)
    return Quote(None, asked.error("custom"))


def figures(minor: int) -> str:
    """Minor units as a person would type them: `50.00`."""
    return money.figures(minor, default_currency())


def _label(minor: int) -> str:
    whole, part = divmod(minor, 10 ** EXPONENTS[default_currency()])
    return cents(minor) if part else f"{currency_sign()}{whole:,}"
