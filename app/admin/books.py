"""Staff: the books. The trial balance, what the last audit found, and running a full one now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, flash, render_template, url_for

from app import activity, ledger
from app.activity.models import Activity
from app.admin import audit_chain, words
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.db import transaction
from app.extensions import db
from app.flows import audit_books
from app.http import hx
from app.http.filters import exact, number
from app.money import EXPONENTS

pages = Blueprint("admin_books", __name__)

AUDITED = "books.audited"
MOST_FAULTS = 200  # kept with one audit; a book with more faults than that needs a person, not a longer list


@dataclass(frozen=True)
class Sheet:
    """The trial balance of one asset: its lines, and their sum, which is zero when the books are right."""

    asset: str
    rows: list[ledger.TrialRow]

    @property
    def total(self) -> int:
        return sum(row.balance for row in self.rows)


@pages.get("/admin/books")
@staff_reads
def show() -> Response | str:
    """The trial balance and the last audit's result."""
    if hx.is_partial():
        return hx.answer(render_template("admin/books/_audit.html", **_audited()))
    return hx.answer(render_template("admin/books/show.html", chain=audit_chain.state(), **_audited(), sheets=sheets()))


@pages.post("/admin/books/audit")
@staff_moves_money
def audit() -> Response | str:
    """Recompute everything now and keep what was found in the activity log."""
    # Read outside of a writing transaction: an audit takes long on large books, and nobody shall wait for it.
    found = audit_books.audit(db.session, full=True)
    with transaction(db.session):
        activity.record(
            db.session,
            actor(),
            AUDITED,
            "books",
            faults=found.faults[:MOST_FAULTS],
            fault_count=len(found.faults),
            checked=found.checked,
        )
    if hx.is_partial():
        return hx.answer(render_template("admin/books/_audit.html", **_audited()))
    flash(
        "The audit found no fault." if found.clean else f"Faults found: {len(found.faults)}.",
        "pos" if found.clean else "neg",
    )
    return hx.go(url_for(".show"))


def sheets() -> list[Sheet]:
    """The trial balance, asset by asset."""
    rows = ledger.trial_balance(db.session)
    return [Sheet(asset, list(of_asset)) for asset, of_asset in groupby(rows, key=lambda row: row.asset)]


def amount(value: int, asset: str) -> str:
    """An amount of any asset as text: money to the micro, other units whole."""
    return exact(value, asset) if asset in EXPONENTS else number(value)


def _audited() -> dict[str, Any]:
    # Also the worker's word, which it records only when it finds something wrong.
    last: Activity | None = next(iter(activity.of_everyone(db.session, action="books.", limit=1).lines), None)
    return {
        "audit": last,
        "told": words.told(db.session, [last])[0] if last else None,
        "may_audit": may_move_money(),
        "amount": amount,
    }
