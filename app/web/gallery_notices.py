"""What the gallery shows of notices and automatic top-up, in every state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from app import clock
from app.notices.models import Notice
from app.wallet.auto_top_up import WHY
from app.wallet.models import AutoTopUp
from app.web.auto_panel import AutoTopUpForm, sentences
from app.web.notices import ChoicesForm, place_of

_LONG = "Your model generations with the very long name of the nightly re-indexing batch are used up"


def auto(state: str = "on", why: str = "", *, edited: bool = False, may_change: bool = True) -> dict[str, Any]:
    row = AutoTopUp(
        state=state, threshold_micros=10_000_000, amount_minor=2_500, ceiling_minor=10_000, currency="usd", why=why
    )
    form = AutoTopUpForm(formdata=None, data={"threshold": "10.00", "step": "25.00", "ceiling": "5"})
    form.validate()
    return {
        "auto": row if state else None,
        "auto_why": WHY.get(why, ""),
        "auto_may_change": may_change,
        "auto_form": form if edited else None,
        "auto_rules": sentences(row),
    }


def told(*, read: bool = False) -> dict[str, Any]:
    now = clock.now()
    words = (
        ("usage_exhausted", "warn", _LONG),
        ("wallet_recovered", "pos", "Your wallet holds $25.00 again"),
        ("topup_declined", "neg", "Your automatic top-up of $1,250.00 did not go through"),
    )
    rows = [
        Notice(
            id=f"ntc_{place}", kind=kind, tone=tone, title=title, sentence="You have used 10,000 of the 10,000 views.",
            next="Replace your card.", at=now - timedelta(hours=place), read_at=now if read else None,
        )
        for place, (kind, tone, title) in enumerate(words)
    ]  # fmt: skip
    return {"rows": rows, "place_of": place_of, "unread": 0 if read else 3, "older": "/notices", "newest": ""}


def nothing() -> dict[str, Any]:
    return {"rows": [], "place_of": place_of, "unread": 0, "older": "", "newest": ""}


def choices(*, wrong: bool = False, may_change: bool = True, saved: bool = False) -> dict[str, Any]:
    form = ChoicesForm(formdata=None, data={"percents": "80, 100", "low": "much" if wrong else "5.00", "mails": True})
    form.validate()
    return {"form": form, "may_change": may_change, "address": "accounts@analytical-engines.example", "saved": saved}


STATES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "auto-on": ("wallet/_auto.html", auto),
    "auto-off": ("wallet/_auto.html", partial(auto, "")),
    "auto-paused": ("wallet/_auto.html", partial(auto, "paused", "confirm")),
    "auto-declined": ("wallet/_auto.html", partial(auto, "off", "declined")),
    "auto-form": ("wallet/_auto.html", partial(auto, edited=True)),
    "auto-read-only": ("wallet/_auto.html", partial(auto, may_change=False)),
    "notices": ("notices/_list.html", told),
    "notices-read": ("notices/_list.html", partial(told, read=True)),
    "notices-none": ("notices/_list.html", nothing),
    "notices-choices": ("notices/_choices.html", choices),
    "notices-choices-saved": ("notices/_choices.html", partial(choices, saved=True)),
    "notices-choices-error": ("notices/_choices.html", partial(choices, wrong=True)),
    "notices-choices-read-only": ("notices/_choices.html", partial(choices, may_change=False)),
}
