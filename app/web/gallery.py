"""The gallery: every partial of these pages in every state, for whoever changes one. Not there in production."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, render_template

from app.web import gallery_check_in, gallery_invoices, gallery_notices, gallery_states, gallery_usage

gallery = Blueprint("gallery", __name__, url_prefix="/gallery")

State = tuple[str, Callable[[], dict[str, Any]]]  # the template, and what it is shown with

STATES: dict[str, State] = {
    "parts": ("gallery/_parts.html", dict),
    "balance": ("wallet/_balance.html", gallery_states.balance),
    "balance-empty": ("wallet/_balance.html", gallery_states.balance_empty),
    "balance-below-zero": ("wallet/_balance.html", gallery_states.balance_below_zero),
    "balance-frozen": ("wallet/_balance.html", gallery_states.balance_frozen),
    "under-way": ("wallet/_under_way.html", gallery_states.under_way),
    "balance-huge": ("wallet/_balance.html", gallery_states.balance_huge),
    "top-up": ("wallet/_topup.html", gallery_states.top_up),
    "top-up-channels": ("wallet/_topup.html", gallery_states.top_up_channels),
    "channels": ("wallet/_channels.html", gallery_states.top_up_channels),
    "top-up-error": ("wallet/_topup.html", gallery_states.top_up_error),
    "top-up-read-only": ("wallet/_topup.html", gallery_states.top_up_read_only),
    "top-up-switched-off": ("wallet/_topup.html", gallery_states.top_up_switched_off),
    "quote": ("wallet/_quote.html", gallery_states.quote),
    "quote-none": ("wallet/_quote.html", gallery_states.quote_none),
    "transactions": ("wallet/_ledger.html", gallery_states.transactions),
    "transactions-none": ("wallet/_ledger.html", gallery_states.transactions_none),
    "transactions-no-match": ("wallet/_ledger.html", gallery_states.transactions_no_match),
    "transactions-bad-filter": ("wallet/_ledger.html", gallery_states.transactions_bad_filter),
    **{f"waiting-{name}": ("waiting/_status.html", shown) for name, shown in gallery_states.WAITING.items()},
    "overview-wallet": ("overview/_wallet.html", gallery_states.overview_wallet),
    "overview-start": ("overview/_start.html", gallery_states.overview_start),
    "overview-verify": ("overview/_verify.html", gallery_states.overview_verify),
    "overview-plan": ("overview/_plan.html", gallery_states.overview_plan),
    "overview-plan-none": ("overview/_plan.html", gallery_states.overview_plan_none),
    **gallery_usage.STATES,
    **gallery_invoices.STATES,
    **gallery_check_in.STATES,
    **gallery_notices.STATES,
    "trouble": ("wallet/_trouble.html", gallery_states.trouble),
    "error": ("errors/_notice.html", gallery_states.error),
    "limit": ("errors/_notice.html", gallery_states.limit),
    "team-full": ("team/_full.html", gallery_states.team_full),
}


@gallery.get("")
def index() -> str:
    """All states by name."""
    return render_template("gallery/index.html", states=STATES)


@gallery.get("/<name>")
def one(name: str) -> str:
    """One state, framed as it stands on a page."""
    if name not in STATES:
        abort(404)
    template, shown = STATES[name]
    return render_template("gallery/one.html", name=name, template=template, **shown())
