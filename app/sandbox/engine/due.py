"""What time itself does: sessions run out, banks answer, subscriptions renew, are tried again and end."""

from __future__ import annotations

from collections.abc import Callable

from app.sandbox.blanks import Object
from app.sandbox.core import Sandbox
from app.sandbox.engine import changes, checkout, methods, previews, renewals, schedules, subscriptions
from app.sandbox.engine.cards import BankAccount
from app.sandbox.tx import Tx


def session_expiry(tx: Tx, session: Object) -> None:
    """24 hours, or the session's own `expires_at`, have passed."""
    if session["status"] == "open":
        checkout.expire(tx, session)


def bank_debit(tx: Tx, intent: Object) -> None:
    """The bank answers, as its test account says."""
    if intent["status"] != "processing":
        return
    account = methods.source_of(tx, tx.get("payment_method", intent["payment_method"]))
    assert isinstance(account, BankAccount), "only bank debits are waited for"
    if account.failure:
        checkout.debit_failed(tx, intent, account.failure)
    else:
        checkout.debit_settled(tx, intent)


_AT_ONCE = 50

REACTIONS: dict[str, Callable[[Tx, Object], None]] = {
    "session_expiry": session_expiry,
    "bank_debit": bank_debit,
    "period_end": renewals.period_end,
    "cancel_date": renewals.cancel_date,
    "finalize_invoice": renewals.finalize_invoice,
    "retry_payment": renewals.retry_payment,
    "trial_ends": renewals.trial_ends,
    "upcoming_invoice": previews.announce,
    "first_payment_over": subscriptions.first_payment_over,
    "pending_update_over": changes.pending_update_over,
    "phase_end": schedules.phase_end,
}


def run_due(sandbox: Sandbox) -> int:
    """Do everything whose time has come, oldest first, each at the moment it was due; says how many there were.

    What one reaction puts off to another moment that has come too is done in its turn, so a clock that jumps over
    several periods meets each of them in order.
    """
    done = 0
    while _is_anything_due(sandbox):
        with sandbox.writing() as tx:
            done += _some(tx)
    return done


def _is_anything_due(sandbox: Sandbox) -> bool:
    with sandbox.reading() as tx:
        return tx.sql.execute("SELECT 1 FROM timers WHERE due <= ? LIMIT 1", (tx.now,)).fetchone() is not None


def _some(tx: Tx) -> int:
    """As much as one transaction should hold, so that others get a turn when years pass at once."""
    present = tx.now
    for done in range(_AT_ONCE):
        row = tx.sql.execute(
            "SELECT id, due, kind, object FROM timers WHERE due <= ? ORDER BY due, id LIMIT 1", (present,)
        ).fetchone()
        if row is None:
            return done
        timer, due, kind, identifier = row
        tx.sql.execute("DELETE FROM timers WHERE id = ?", (timer,))
        subject = tx.find(identifier)
        if subject is not None:
            tx.now = due  # what happens is dated when it happened, however late we look
            REACTIONS[kind](tx, subject)
    return _AT_ONCE
