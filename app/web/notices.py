"""The notices page: what the customer was told, newest first, and what they want to be told of (SPEC U4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import BooleanField

from app.customers import members
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import csv_file, hx, refused
from app.http.auth import current_customer, current_customer_id, customer_required
from app.http.filters import default_currency
from app.http.forms import MoneyField
from app.money import micros_to_minor, minor_to_micros
from app.notices import choices, reads
from app.notices.models import Notice
from app.web.top_up_panel import figures
from app.web.usage_limits import ThresholdForm

notices = Blueprint("notices", __name__)

ROWS = 25
IN_A_FILE = 500  # notices fetched at once while a file is streamed
LARGEST_LOW = 10_000_000  # minor units
# Where to do something about it, and what the link says.
_PLACES = {
    "usage": ("usage.show", "Usage"),
    "wallet": ("wallet.show", "Wallet"),
    "plan": ("plan.show", "Plan"),
    "invoice": ("invoices.show", "Invoices"),
}
_ABOUT = {
    "usage_threshold": "usage",
    "usage_exhausted": "usage",
    "spend_cap_reached": "usage",
    "payment_failed": "plan",
    "access_restricted": "plan",
    "plan_ended_unpaid": "plan",
    "plan_terms_change": "plan",
    "plan_terms_changed": "plan",
    "plan_terms_stay": "plan",
    "invoice_unpaid": "invoice",
}

_COLUMNS: dict[str, Callable[[Notice], object]] = {
    "time": lambda notice: csv_file.instant(notice.at),
    "about": lambda notice: _PLACES[_ABOUT.get(notice.kind, "wallet")][1],
    "title": lambda notice: notice.title,
    "sentence": lambda notice: notice.sentence,
    "read_at": lambda notice: csv_file.instant(notice.read_at),
}


class ChoicesForm(ThresholdForm):
    """When to tell, and whether to mail it. An empty field is never."""

    low = MoneyField(id="low", minimum=0, maximum=LARGEST_LOW)
    mails = BooleanField(id="mails")

    @property
    def low_micros(self) -> int | None:
        """What was typed, once the form has validated."""
        if not self.typed("low").strip():
            return None
        return minor_to_micros(self.low.minor or 0, default_currency())

    def validates(self) -> bool:
        """Whether the amount can be read, or is left empty."""
        return not self.typed("low").strip() or bool(self.validate())


@notices.get("/notices")
@customer_required("read")
def show() -> str:
    """The whole page; for htmx only the list, at the same address."""
    if hx.is_partial():
        return render_template("notices/_list.html", **_list())
    return _page(_form())


@notices.get("/notices.csv")
@customer_required("read")
def listed_csv() -> Response:
    """Every notice as a file."""
    session, whose = db.session(), current_customer_id()

    def page(place: str | None) -> tuple[Sequence[Notice], str | None]:
        found = reads.page(session, whose, before=place, limit=IN_A_FILE)
        return found.notices, found.older

    return csv_file.of_list(session, "notices", _COLUMNS, page)


@notices.post("/notices/read")
@customer_required("read")
def read_all() -> Response:
    """Mark everything as read."""
    with transaction(db.session()):
        reads.mark_read(db.session(), current_customer_id())
    return _after_reading()


@notices.post("/notices/<notice_id>/read")
@customer_required("read")
def read_one(notice_id: str) -> Response:
    """Mark one as read."""
    with transaction(db.session()):
        reads.mark_read(db.session(), current_customer_id(), notice_id)
    return _after_reading()


@notices.post("/notices/choices")
@customer_required("write")
def choose() -> ResponseReturnValue:
    """Keep what they want to be told of."""
    form = ChoicesForm()
    if not form.validates():
        return refused.answer(_choices_or_page(form))
    try:
        with transaction(db.session()):
            choices.choose(
                db.session(),
                current_customer_id(),
                percents=form.chosen,
                low_micros=form.low_micros,
                mails=bool(form.mails.data),
                actor=current_user.id,
            )
    except Refusal as refusal:
        form.refuse(refusal, "percents")
        return refused.answer(_choices_or_page(form), refusal)
    if hx.is_partial():
        return render_template("notices/_choices.html", **_choices(_form(), saved=True))
    flash("Your choice is saved.", "pos")
    return hx.go(url_for("notices.show"))


def _after_reading() -> Response:
    if hx.is_partial():
        return hx.answer(render_template("notices/_after_reading.html", **_list()))
    return hx.go(url_for("notices.show"))


def _choices_or_page(form: ChoicesForm) -> str:
    if hx.is_partial():
        return render_template("notices/_choices.html", **_choices(form))
    return _page(form)


def _page(form: ChoicesForm) -> str:
    return render_template("notices/show.html", **_list(), **_choices(form))


def _list() -> dict[str, Any]:
    session, customer_id = db.session(), current_customer_id()
    before = request.args.get("before") or None
    found = reads.page(session, customer_id, before=before, limit=ROWS)
    return {
        "rows": found.notices,
        "place_of": place_of,
        "unread": reads.unread(session, customer_id),
        "older": url_for("notices.show", before=found.older) if found.older else "",
        "newest": url_for("notices.show") if before else "",
    }


def place_of(kind: str) -> tuple[str, str]:
    """The address where something can be done about a kind of notice, and what the link says."""
    endpoint, label = _PLACES[_ABOUT.get(kind, "wallet")]
    return url_for(endpoint), label


def _choices(form: ChoicesForm, *, saved: bool = False) -> dict[str, Any]:
    return {
        "saved": saved,
        "form": form,
        "may_change": members.allows(current_user.permission, "write"),
        "address": current_customer().email,
    }


def _form() -> ChoicesForm:
    chosen = choices.of(db.session(), current_customer_id())
    low = choices.LOW_MICROS if chosen is None else chosen.low_micros
    shown = {
        "percents": ", ".join(str(percent) for percent in (choices.PERCENTS if chosen is None else chosen.percents)),
        "low": "" if low is None else figures(micros_to_minor(low, default_currency())),
        "mails": chosen is None or chosen.mails,
    }
    return ChoicesForm(formdata=None, data=shown)
