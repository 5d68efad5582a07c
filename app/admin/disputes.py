"""Staff: disputes. What banks took back, until when evidence can be sent, and thawing a wallet by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from sqlalchemy.orm import Session

from app import ledger
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.customers import search
from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict, Invalid, Refusal, UnsupportedByChannel
from app.extensions import db
from app.figures import waiting
from app.flows import dispute_ended
from app.http import csv_file, hx
from app.http.errors import status_of
from app.http.filters import default_currency
from app.http.proof import recently_proved
from app.payments import disputes
from app.payments.dispute_table import PHASES, Dispute
from app.providers.port import Provider
from app.wallet import frozen
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_disputes", __name__)

PER_PAGE = 25
IN_A_FILE = 500  # rows fetched at once while a file is streamed
LIVE = "live"  # inquiries and open ones: something can still be done about them
# Word, icon and tone of each phase.
LOOKS = {
    "inquiry": ("Inquiry", "info", "warn"),
    "closed_inquiry": ("Inquiry closed", "void", ""),
    "open": ("Open", "flag", "neg"),
    "lost": ("Lost", "fail", "neg"),
    "prevented": ("Prevented", "ok", ""),
    "won": ("Won", "ok", "pos"),
}
OUTCOMES = {
    "won": ("Won", "What was taken out of the wallet comes back."),
    "lost": ("Lost", "What was taken stays taken, and the wallet frozen until the hole is filled."),
}
_COLUMNS: dict[str, Callable[[Dispute], object]] = {
    "id": lambda row: row.id,
    "opened_at": lambda row: csv_file.instant(row.opened_at),
    "customer_id": lambda row: row.customer_id,
    "paid_for": lambda row: row.paid_for,
    "state": lambda row: row.phase,
    "reason": lambda row: row.reason,
    "amount": lambda row: csv_file.price(row.amount_minor, row.currency),
    "taken_from_wallet": lambda row: csv_file.price(row.reversed_minor, row.currency),
    "currency": lambda row: row.currency.upper(),
    "evidence": lambda row: row.evidence,
    "evidence_due": lambda row: csv_file.instant(row.due_by),
    "freezes_wallet": lambda row: "yes" if row.freezes else "no",
    "channel": lambda row: row.channel,
    "provider_dispute": lambda row: row.provider_dispute_id,
    "payment": lambda row: row.payment_id,
    "order": lambda row: row.order_id,
    "invoice": lambda row: row.invoice_id,
    "closed_at": lambda row: csv_file.instant(row.closed_at),
}
EVIDENCE = {"none": "None yet", "saved": "Saved, not sent", "sent": "Sent to the bank", "late": "Too late"}
PAID_FOR = {"wallet": "Top-up", "pack": "Credit pack", "subscription": "Subscription", "invoice": "Invoice"}


@pages.get("/admin/disputes")
@staff_reads
def index() -> Response | str:
    """Disputes, newest first; for htmx the list alone."""
    if hx.is_partial():
        return hx.answer(render_template("admin/disputes/_rows.html", **_list()))
    return render_template("admin/disputes/index.html", **_list(), **_summary(db.session()))


@pages.get("/admin/disputes.csv")
@staff_reads
def index_csv() -> Response:
    """The same disputes as a file."""
    session, phases = db.session(), _phases()
    return csv_file.of_list(session, "disputes", _COLUMNS, lambda place: _read(session, phases, place, IN_A_FILE))


@pages.get("/admin/disputes/<dispute_id>")
@staff_reads
def show(dispute_id: str) -> Response | str:
    """One dispute: the case, the money, and what it did here."""
    return _dispute(disputes.one(db.session(), dispute_id))


@pages.post("/admin/disputes/<dispute_id>/thaw")
@staff_moves_money
@recently_proved
def thaw(dispute_id: str) -> Response | str:
    """Let the customer spend again whatever becomes of this case, with a reason."""
    reason = request.form.get("reason", "")
    try:
        with transaction(db.session()):
            dispute = disputes.one(db.session(), dispute_id)
            if not dispute.freezes:
                raise Conflict("This dispute freezes no wallet.", dispute_id=dispute_id)
            frozen.thaw(db.session(), dispute, reason=reason, actor=actor())
    except (Conflict, Invalid) as refusal:
        return _dispute(disputes.one(db.session(), dispute_id), refusal, reason)
    flash("The wallet no longer waits for this dispute.", "pos")
    return hx.go(url_for(".show", dispute_id=dispute_id))


@pages.post("/admin/disputes/<dispute_id>/outcome")
@staff_moves_money
@recently_proved
def outcome(dispute_id: str) -> Response | str:
    """Enter how it ended, where the provider never tells: the same happens as by its news."""
    reason, ended = request.form.get("reason", ""), request.form.get("outcome", "")
    try:
        dispute_ended.enter(db.session(), _providers(), dispute_id, ended, reason=reason, actor=actor())
    except (Conflict, Invalid, UnsupportedByChannel) as refusal:
        return _dispute(disputes.one(db.session(), dispute_id), refusal, reason)
    flash("The dispute was won." if ended == "won" else "The dispute was lost.", "pos")
    return hx.go(url_for(".show", dispute_id=dispute_id))


def _providers() -> Mapping[str, Provider]:
    return cast("Mapping[str, Provider]", current_app.extensions["providers"])


def _dispute(dispute: Dispute, refusal: Refusal | None = None, typed: str = "") -> Response | str:
    session, code = db.session(), status_of(refusal) if refusal else 200
    entries = [dispute.entry_id, dispute.restored_entry_id, dispute.loss_entry_id]
    found = [ledger.entry(session, dispute.customer_id, each) for each in entries if each]
    shown = {
        "dispute": dispute,
        "customer": session.get(Customer, dispute.customer_id),
        "balance": ledger.balance(session, wallet_of(dispute.customer_id, dispute.currency)),
        "entries": [entry for entry in found if entry is not None],
        "evidence": EVIDENCE[dispute.evidence],
        "may_act": may_move_money(),
        "outcomes": OUTCOMES if dispute_ended.may_be_entered(_providers(), dispute) else {},
        "error": refusal.sentence if refusal else "",
        "typed": typed,
        **_words(),
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/disputes/_dispute.html", **shown), code)
    page = render_template("admin/disputes/index.html", **{**_list(), **_summary(session), **shown})
    return hx.answer(page, code)


def _list() -> dict[str, Any]:
    session, phase, phases = db.session(), request.args.get("phase", ""), _phases()
    start = request.args.get("before") or None
    rows, older = _read(session, phases, start, PER_PAGE)
    kept: dict[str, Any] = {"phase": phase or None}
    return {
        "dispute": None,
        "rows": rows,
        "names": search.names(session, sorted({row.customer_id for row in rows})),
        "phase": phase,
        "phases": [("", "Any"), (LIVE, "Not decided"), *((each, LOOKS[each][0]) for each in PHASES)],
        "sum": waiting.disputes(session, phases, default_currency()) if phases else None,
        "older": url_for(".index", before=older, **kept) if older else "",
        "newest": url_for(".index", **kept) if start else "",
        "csv": url_for(".index_csv", **kept),
        **_words(),
    }


def _phases() -> Sequence[str]:
    """The states that were asked for; none for all."""
    phase = request.args.get("phase", "")
    if phase and phase not in (LIVE, *PHASES):
        raise Invalid("There is no such state.", field="phase")
    return waiting.LIVE_DISPUTES if phase == LIVE else (phase,) if phase else ()


def _read(
    session: Session, phases: Sequence[str], start: str | None, limit: int
) -> tuple[Sequence[Dispute], str | None]:
    """So many disputes older than `start`, and where those after them begin."""
    before = disputes.one(session, start) if start else None
    wanted = disputes.page(session, phases=phases, before=before, limit=limit + 1)
    return wanted[:limit], wanted[limit - 1].id if len(wanted) > limit else None


def _summary(session: Session) -> dict[str, Any]:
    count, wallets, due_by = disputes.due(session)
    return {"open_count": count, "frozen_count": wallets, "next_due": due_by}


def _words() -> dict[str, Any]:
    return {"looks": LOOKS, "paid_for": PAID_FOR}
