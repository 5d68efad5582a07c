"""Staff: refunds. What customers ask for, what is on its way, what failed; approving and turning down (SPEC W4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app import clock, coupons, ledger
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.admin.words import names_of
from app.coupons import gifts
from app.customers import search
from app.errors import Invalid, NotFound, Refusal
from app.extensions import db
from app.figures import waiting
from app.flows import refund_request, refund_top_up
from app.http import csv_file, hx
from app.http.errors import status_of
from app.http.filters import default_currency
from app.http.proof import recently_proved
from app.invoices import CreditNote
from app.money import minor_to_micros
from app.payments import refund_reads
from app.payments import refunds as rows
from app.payments.models import Refund
from app.payments.refund_reads import STATES
from app.wallet.accounts import wallet_of
from app.wallet.refundable import TopUp

pages = Blueprint("admin_refunds", __name__)

PER_PAGE = 25
IN_A_FILE = 500  # rows fetched at once while a file is streamed
# Word, icon and tone of each state.
LOOKS = {
    "requested": ("To decide", "alert", "warn"),
    "denied": ("Turned down", "void", ""),
    "reserved": ("Being asked for", "clock", ""),
    "sent": ("On its way", "clock", ""),
    "succeeded": ("Paid back", "return", ""),
    "failed": ("Did not arrive", "fail", "neg"),
}
WHAT = {"topup": "Top-up", "balance": "Whole balance", "pack": "Credit pack", "invoice": "Invoice"}
_CHOICES = (
    ("", "Any"),
    ("requested", "To decide"),
    ("under_way", "On its way"),
    ("paid", "Paid back"),
    ("failed", "Did not arrive"),
    ("denied", "Turned down"),
)


@pages.get("/admin/refunds")
@staff_reads
def index() -> Response | str:
    """Refunds, newest first; for htmx the list alone."""
    if hx.is_partial():
        return hx.answer(render_template("admin/refunds/_rows.html", **_list()))
    return render_template("admin/refunds/index.html", **_list())


@pages.get("/admin/refunds.csv")
@staff_reads
def index_csv() -> Response:
    """The same refunds as a file."""
    asked = _asked()
    heading = (
        "id", "time", "customer_id", "kind", "state", "net", "tax", "amount", "currency", "channel", "payment",
        "provider_refund", "order", "invoice", "reason", "requested_by", "decided_by", "ended",
    )  # fmt: skip
    return csv_file.answer(f"refunds-{clock.now():%Y-%m-%d}.csv", heading, _csv_rows(asked))


@pages.get("/admin/refunds/<refund_id>")
@staff_reads
def show(refund_id: str) -> Response | str:
    """One refund: what of, how far it is, what it did to the books."""
    return _refund(_one(refund_id))


@pages.post("/admin/refunds/<refund_id>/approve")
@staff_moves_money
@recently_proved
def approve(refund_id: str) -> Response | str:
    """Pay the balance back, newest top-up first."""
    try:
        done = refund_request.approve(db.session(), current_app.extensions["providers"], refund_id, actor=actor())
    except Refusal as refusal:
        return _refund(_one(refund_id), refusal)
    return _decided(done, "The balance is on its way back.")


@pages.post("/admin/refunds/<refund_id>/deny")
@staff_moves_money
def deny(refund_id: str) -> Response | str:
    """Turn the request down, with a reason that the customer reads."""
    why = request.form.get("reason", "")
    try:
        done = refund_request.deny(db.session(), refund_id, why=why, actor=actor())
    except Refusal as refusal:
        return _refund(_one(refund_id), refusal, why)
    return _decided(done, "The request is turned down, and the customer is told.")


def _decided(done: Refund, words: str) -> Response:
    flash(words, "pos")
    return hx.go(url_for(".show", refund_id=done.id))


def _one(refund_id: str) -> Refund:
    found = rows.find(db.session(), refund_id)
    if found is None:
        raise NotFound("There is no such refund.")
    return found


def _refund(refund: Refund, refusal: Refusal | None = None, typed: str = "") -> Response | str:
    session, code = db.session(), status_of(refusal) if refusal else 200
    posted = [each for each in (refund.entry_id, refund.end_entry_id) if each]
    entries = [*(ledger.entry(session, refund.customer_id, each) for each in posted), _bonus_taken(refund)]
    note = session.get(CreditNote, (refund.customer_id, refund.credit_note_id)) if refund.credit_note_id else None
    shown = {
        "refund": refund,
        "customer": search.names(session, [refund.customer_id]).get(refund.customer_id, refund.customer_id),
        "people": names_of(session, [who for who in (refund.requested_by, refund.decided_by) if who]),
        "balance": ledger.balance(session, wallet_of(refund.customer_id, refund.currency)),
        "parts": refund_request.parts_of(session, refund) if refund.kind == "balance" else [],
        "possible": (possible := _possible(refund)),
        "possible_tax": refund_top_up.tax_on(session, possible),
        "entries": [entry for entry in entries if entry is not None],
        "note": note,
        "may_act": may_move_money(),
        "error": refusal.sentence if refusal else "",
        "typed": typed,
        **_words(),
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/refunds/_refund.html", **shown), code)
    return hx.answer(render_template("admin/refunds/index.html", **{**_list(), **shown}), code)


def _bonus_taken(refund: Refund) -> ledger.Entry | None:
    """The entry that took back what a coupon gave on top of the payment; None where nothing went with it."""
    session = db.session()
    used = coupons.redeemed_for(session, refund.customer_id, refund.order_id) if refund.order_id else None
    return ledger.find_entry(session, refund.customer_id, f"{gifts.key_of(used.id)}:{refund.id}") if used else None


def _possible(refund: Refund) -> Sequence[TopUp]:
    """What approving would pay back now."""
    if refund.kind != "balance" or refund.state != "requested":
        return ()
    providers = current_app.extensions["providers"]
    return refund_top_up.possible(db.session(), providers, refund.customer_id, refund.currency)


def _asked() -> dict[str, Any]:
    state, customer_id = request.args.get("state", ""), request.args.get("customer", "").strip()[:64]
    if state and state not in STATES:
        raise Invalid("There is no such state.", field="state")
    return {"state": state, "customer_id": customer_id or None}


def _list() -> dict[str, Any]:
    session, asked = db.session(), _asked()
    start = request.args.get("before") or None
    found = refund_reads.page(session, **asked, before=start, limit=PER_PAGE)
    kept: dict[str, Any] = {"state": asked["state"] or None, "customer": asked["customer_id"]}
    return {
        "refund": None,
        "rows": found.refunds,
        "names": search.names(session, sorted({row.customer_id for row in found.refunds})),
        "state": asked["state"],
        "customer_typed": asked["customer_id"] or "",
        "states": _CHOICES,
        "to_decide": refund_reads.waiting(session),
        "sum": _sum(asked) if asked["state"] else None,
        "older": url_for(".index", before=found.older, **kept) if found.older else "",
        "newest": url_for(".index", **kept) if start else "",
        "csv": url_for(".index_csv", **kept),
        **_words(),
    }


def _sum(asked: dict[str, Any]) -> waiting.Sum:
    return waiting.refunds(db.session(), STATES[asked["state"]], default_currency(), asked["customer_id"])


def _words() -> dict[str, Any]:
    return {"looks": LOOKS, "what": WHAT}


def _csv_rows(asked: dict[str, Any]) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(before: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = refund_reads.page(session, **asked, before=before, limit=IN_A_FILE)
        return [_csv_row(row) for row in found.refunds], found.older

    return csv_file.walked(session, page)


def _csv_row(row: Refund) -> Sequence[object]:
    minor = row.net_minor, row.tax_minor, row.amount_minor
    sums = (csv_file.decimal(minor_to_micros(each, row.currency)) for each in minor)
    ended = clock.timestamp(row.ended_at) if row.ended_at else ""
    return (
        row.id, clock.timestamp(row.created_at), row.customer_id, row.kind, row.state, *sums, row.currency.upper(),
        row.channel, row.payment_id, row.provider_refund_id, row.order_id, row.invoice_id, row.reason,
        row.requested_by, row.decided_by, ended,
    )  # fmt: skip
