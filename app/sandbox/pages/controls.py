"""The console's buttons: the clock, the outbox, bank debits and sessions."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Blueprint, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from app.sandbox.blanks import Object
from app.sandbox.config import DAY, HOUR, MINUTE
from app.sandbox.core import Sandbox
from app.sandbox.engine import checkout, disputes, refunds
from app.sandbox.engine.cards import CLOSED
from app.sandbox.engine.due import run_due
from app.sandbox.fault import Fault
from app.sandbox.tx import Tx
from app.sandbox.webhooks import deliveries

pages = Blueprint("controls", __name__)

_SPAN = re.compile(r"(\d{1,9})\s*([smhd]?)\Z")
_UNITS = {"": 1, "s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
_FARTHEST = 3660 * DAY

ON_DELIVERY: dict[str, Callable[[Tx, int], None]] = {
    "now": deliveries.send_now,
    "again": deliveries.send_again,
    "twice": lambda tx, delivery: deliveries.send_again(tx, delivery, times=2),
    "hold": deliveries.hold,
    "drop": deliveries.drop,
}
ON_DISPUTE: dict[str, Callable[[Tx, Object], Object]] = {
    "escalate": disputes.escalate,
    "answer": disputes.answer,
    "win": disputes.win,
    "lose": disputes.lose,
}
ON_HELD: dict[str, Callable[[Tx], None]] = {
    "shuffle": deliveries.shuffle_held,
    "release": deliveries.release_held,
}


@pages.post("/clock")
def advance_clock() -> Response:
    """Move time forward by `by`: seconds, or a number with s, m, h or d."""
    match = _SPAN.match(request.form.get("by", "").strip())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= _FARTHEST:
        abort(422, "Give a span such as 90m, 12h or 31d, up to ten years.")
    sandbox = _sandbox()
    sandbox.clock.advance(seconds)
    run_due(sandbox)
    sandbox.news.set()
    return _back()


@pages.post("/deliveries/mode")
def set_mode() -> Response:
    """What becomes of new deliveries."""
    wanted = request.form.get("mode", "")
    if wanted not in deliveries.MODES:
        abort(422, f"Choose one of {', '.join(deliveries.MODES)}.")
    with _sandbox().writing() as tx:
        deliveries.set_mode(tx, wanted)
    return _back()


@pages.post("/deliveries/held/<verb>")
def control_held(verb: str) -> Response:
    """Shuffle or release all that is held."""
    if verb not in ON_HELD:
        abort(404)
    with _sandbox().writing() as tx:
        ON_HELD[verb](tx)
    return _back()


@pages.post("/deliveries/<int:delivery>/<verb>")
def control_delivery(delivery: int, verb: str) -> Response:
    """Send now, again or twice, hold, or drop one delivery."""
    with _sandbox().writing() as tx:
        if verb not in ON_DELIVERY or deliveries.get(tx, delivery) is None:
            abort(404)
        ON_DELIVERY[verb](tx, delivery)
    return _back()


@pages.post("/payments/<intent_id>/<verb>")
def control_debit(intent_id: str, verb: str) -> Response:
    """Settle or fail a bank debit before its time."""
    with _sandbox().writing(root=request.url_root) as tx:
        intent = tx.find(intent_id)
        if intent is None or intent["object"] != "payment_intent" or verb not in ("settle", "fail"):
            abort(404)
        if verb == "settle":
            checkout.debit_settled(tx, intent)
        else:
            checkout.debit_failed(tx, intent, CLOSED)
    return _back("console.payments")


@pages.post("/payments/<intent_id>/dispute")
def dispute_payment(intent_id: str) -> Response:
    """Have the payer's bank take a payment back, or ask about it where `kind` is inquiry."""
    with _sandbox().writing(root=request.url_root) as tx:
        intent = tx.find(intent_id)
        if intent is None or intent["object"] != "payment_intent" or intent["status"] != "succeeded":
            abort(404)
        charge = tx.get("charge", intent["latest_charge"])
        _tried(lambda: disputes.begin(tx, charge, inquiry=request.form.get("kind") == "inquiry"))
    return _back("console.payments")


@pages.post("/payments/<intent_id>/refund")
def refund_payment(intent_id: str) -> Response:
    """Pay back all that is left of a payment, as somebody at the provider's own dashboard would; or `amount` cents."""
    with _sandbox().writing(root=request.url_root) as tx:
        intent = tx.find(intent_id)
        if intent is None or intent["object"] != "payment_intent" or intent["status"] != "succeeded":
            abort(404)
        charge, amount = tx.get("charge", intent["latest_charge"]), request.form.get("amount", type=int)
        _tried(lambda: refunds.refund(tx, charge, amount, reason="requested_by_customer"))
    return _back("console.payments")


@pages.post("/refunds/<refund_id>/fail")
def fail_refund(refund_id: str) -> Response:
    """Have the bank send a refund back."""
    with _sandbox().writing(root=request.url_root) as tx:
        refund = tx.find(refund_id)
        if refund is None or refund["object"] != "refund":
            abort(404)
        _tried(lambda: refunds.fail(tx, refund))
    return _back("console.payments")


@pages.post("/disputes/<dispute_id>/<verb>")
def control_dispute(dispute_id: str, verb: str) -> Response:
    """Answer, escalate, win or lose a dispute."""
    with _sandbox().writing(root=request.url_root) as tx:
        dispute = tx.find(dispute_id)
        if dispute is None or dispute["object"] != "dispute" or verb not in ON_DISPUTE:
            abort(404)
        _tried(lambda: ON_DISPUTE[verb](tx, dispute))
    return _back("console.payments")


@pages.post("/sessions/<session_id>/expire")
def expire_session(session_id: str) -> Response:
    """Let an open session run out now."""
    with _sandbox().writing(root=request.url_root) as tx:
        session = tx.find(session_id)
        if session is None or session["object"] != "checkout.session":
            abort(404)
        if session["status"] == "open":
            checkout.expire(tx, session)
    return _back("console.payments")


def _tried(do: Callable[[], object]) -> None:
    try:
        do()
    except Fault as no:
        abort(422, str(no))


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _back(page: str = "console.webhooks") -> Response:
    return redirect(url_for(page), 303)
