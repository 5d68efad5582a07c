"""Staff: adjustments by hand, made and waiting; a second person agrees to large ones or turns them down (SPEC C6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app import adjustments, clock, credits, ledger
from app.adjustments import CREDITS, STATES, Adjustment
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.admin.words import names_of
from app.customers import search
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal
from app.extensions import db
from app.http import csv_file, hx
from app.http.auth import current_session
from app.http.errors import status_of
from app.http.filters import credit_count, exact
from app.http.proof import recently_proved
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_adjustment_queue", __name__)

PER_PAGE = 25
IN_A_FILE = 500  # rows fetched at once while a file is streamed
# Word, icon and tone of each state.
LOOKS = {
    "waiting": ("Needs a second person", "alert", "warn"),
    "made": ("Made", "ok", "pos"),
    "denied": ("Turned down", "void", ""),
    "withdrawn": ("Withdrawn", "void", ""),
}
_HEADING = (
    "id", "time", "customer_id", "asset", "amount", "before", "after", "state", "reason", "ticket", "asked_by",
    "decided_by", "decided", "decision", "entry_id",
)  # fmt: skip


@pages.get("/admin/adjustments")
@staff_reads
def index() -> Response | str:
    """Every adjustment, newest first; for htmx the list alone."""
    if hx.is_partial():
        return hx.answer(render_template("admin/adjustment_queue/_rows.html", **_list()))
    return render_template("admin/adjustment_queue/index.html", **_list(), **_summary())


@pages.get("/admin/adjustments.csv")
@staff_reads
def index_csv() -> Response:
    """The same adjustments as a file."""
    return csv_file.answer(f"adjustments-{clock.now():%Y-%m-%d}.csv", _HEADING, _csv_rows(_asked()))


@pages.get("/admin/adjustments/<adjustment_id>")
@staff_reads
def show(adjustment_id: str) -> Response | str:
    """One adjustment: before and after, who asked and why, and what was decided."""
    return _one(adjustment_id)


@pages.post("/admin/adjustments/<adjustment_id>/approve")
@staff_moves_money
@recently_proved
def approve(adjustment_id: str) -> Response | str:
    """Make it. Whoever asked for it may not."""
    return _decide(adjustment_id, adjustments.approve, "{what} for {customer}. The second person was you.")


@pages.post("/admin/adjustments/<adjustment_id>/deny")
@staff_moves_money
def deny(adjustment_id: str) -> Response | str:
    """Turn it down, with a reason that the asker reads."""
    return _decide(
        adjustment_id, adjustments.deny, "Turned down. Nothing moved.", reason=request.form.get("reason", "")
    )


@pages.post("/admin/adjustments/<adjustment_id>/withdraw")
@staff_moves_money
def withdraw(adjustment_id: str) -> Response | str:
    """Take back one's own."""
    return _decide(adjustment_id, adjustments.withdraw, "Withdrawn. Nothing moved.")


def what(row: Adjustment) -> str:
    """The amount in words: `+$250.00`, `−1,200 credits`."""
    return credit_count(row.amount, sign=True) if row.asset == CREDITS else exact(row.amount, row.asset, sign=True)


def _decide(adjustment_id: str, decide: Callable[..., Adjustment], words: str, **typed: str) -> Response | str:
    try:
        with transaction(db.session):
            row = decide(db.session(), adjustment_id, by=actor(), person=current_session().id, **typed)
    except NotFound:
        raise
    except Refusal as refusal:
        return _one(adjustment_id, refusal, typed.get("reason", ""))
    customer = search.names(db.session(), [row.customer_id]).get(row.customer_id, row.customer_id)
    flash(words.format(what=what(row), customer=customer), "pos")
    return hx.go(url_for(".show", adjustment_id=row.id))


def _one(adjustment_id: str, refusal: Refusal | None = None, typed: str = "") -> Response | str:
    session, code = db.session(), status_of(refusal) if refusal else 200
    row = adjustments.find(session, adjustment_id)
    if row is None:
        raise NotFound("There is no such adjustment.")
    shown = {
        "one": row,
        "customer": search.names(session, [row.customer_id]).get(row.customer_id, row.customer_id),
        "people": names_of(session, [who for who in (row.asked_by, row.decided_by) if who]),
        "now": _now(row),
        "entry": ledger.entry(session, row.customer_id, row.entry_id) if row.entry_id else None,
        "mine": adjustments.is_theirs(row, current_session().id),
        "may_act": may_move_money(),
        "error": refusal.sentence if refusal else "",
        "typed": typed,
        **_words(),
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/adjustment_queue/_adjustment.html", **shown), code)
    page = {**_list(), **_summary(), **shown}
    return hx.answer(render_template("admin/adjustment_queue/index.html", **page), code)


def _now(row: Adjustment) -> int:
    """The balance as it is now, which approving starts from."""
    if row.asset == CREDITS:
        return credits.balance(db.session(), row.customer_id).available
    return ledger.balance(db.session(), wallet_of(row.customer_id, row.asset)).balance


def _asked() -> dict[str, Any]:
    state, customer_id = request.args.get("state", ""), request.args.get("customer", "").strip()[:64]
    if state and state not in STATES:
        raise Invalid("There is no such state.", field="state")
    return {"state": state or None, "customer_id": customer_id or None}


def _list() -> dict[str, Any]:
    session, asked = db.session(), _asked()
    start = request.args.get("before") or None
    found = adjustments.page(session, **asked, before=start, limit=PER_PAGE)
    kept: dict[str, Any] = {"state": asked["state"], "customer": asked["customer_id"]}
    return {
        "one": None,
        "rows": found.rows,
        "names": search.names(session, sorted({row.customer_id for row in found.rows})),
        "askers": names_of(session, sorted({row.asked_by for row in found.rows})),
        "state": asked["state"] or "",
        "customer_typed": asked["customer_id"] or "",
        "states": [("", "Any"), *((each, LOOKS[each][0]) for each in STATES)],
        "older": url_for(".index", before=found.older, **kept) if found.older else "",
        "newest": url_for(".index", **kept) if start else "",
        "csv": url_for(".index_csv", **kept),
        **_words(),
    }


def _summary() -> dict[str, Any]:
    return {"waiting": adjustments.waiting(db.session())}


def _words() -> dict[str, Any]:
    return {"looks": LOOKS, "what": what, "in_words": _in_words}


def _in_words(row: Adjustment, amount: int) -> str:
    return credit_count(amount) if row.asset == CREDITS else exact(amount, row.asset)


def _csv_rows(asked: dict[str, Any]) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(before: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = adjustments.page(session, **asked, before=before, limit=IN_A_FILE)
        return [_csv_row(row) for row in found.rows], found.older

    return csv_file.walked(session, page)


def _csv_row(row: Adjustment) -> Sequence[object]:
    figures = (row.amount, row.before, row.after)
    amounts = figures if row.asset == CREDITS else tuple(csv_file.decimal(each) for each in figures)
    decided = clock.timestamp(row.decided_at) if row.decided_at else ""
    return (
        row.id, clock.timestamp(row.asked_at), row.customer_id, row.asset.upper() if row.asset != CREDITS else CREDITS,
        *amounts, row.state, row.reason, row.ticket, row.asked_by, row.decided_by, decided, row.decision, row.entry_id,
    )  # fmt: skip
