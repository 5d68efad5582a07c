"""What stands in the way of a change of plan, as a page: another one under way, or a wallet that is short (R8, P9)."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Conflict, InsufficientFunds
from app.http import shortfall
from app.http.auth import current_customer_id
from app.http.filters import default_currency, moment_text
from app.money import micros_to_minor
from app.payments.orders import SMALLEST
from app.subscriptions import changes
from app.web import plan_notice
from app.web.top_up_panel import figures

Way = tuple[str, str, str]  # label, address, look


def in_the_way(session: Session, refusal: Conflict) -> AnyResponse:
    """409: who began what, and that nothing was charged; or simply why not."""
    running = changes.in_flight(session, current_customer_id())
    ways: list[Way] = [("See the current plan", url_for("plan.show"), "primary")]
    if running is None:
        return _page(409, "This cannot be done now", refusal.sentence, ways)
    who, what = plan_notice.who_began(session, running), plan_notice.told(session, running)
    if running.action_url:
        ends = "It waits for an answer to the bank, which can be given or taken back on the plan’s page."
        note = f"If nobody answers by {moment_text(running.expires_at)} it is taken back by itself."
    else:
        ends, note = "It finishes when the payment is confirmed, usually within a minute.", ""
    text = f"{who} began {what} {moment_text(running.created_at)}. {ends} You were not charged."
    return _page(409, "A plan change is already under way", text, ways, note=note)


def short(refusal: InsufficientFunds, back: str) -> AnyResponse:
    """402: what is missing, and the way to fill it."""
    missing = refusal.details.get("needed_micros", 0) - refusal.details.get("available_micros", 0)
    amount = max(-micros_to_minor(-missing, default_currency()), SMALLEST)  # rounded up
    address = url_for("wallet.show", amount=figures(amount), _anchor="topup")
    ways: list[Way] = [("Top up the wallet", address, "primary"), ("Back to the plan", back, "")]
    text = f"{refusal.sentence} Nothing was charged."
    return _page(402, "The wallet cannot cover this", text, ways, bill=shortfall.bill_of(refusal.details))


def _page(status: int, title: str, text: str, ways: list[Way], **more: Any) -> AnyResponse:
    code = {402: "402, insufficient credit", 409: "409, conflict"}[status]
    shown = {"note": "", "bill": [], **more}
    return make_response(
        render_template("errors/page.html", code=code, title=title, text=text, actions=ways, **shown), status
    )
