"""What time itself does: sessions run out, banks pay or refuse."""

from __future__ import annotations

from collections.abc import Callable

from app.sandbox.blanks import Object
from app.sandbox.core import Sandbox
from app.sandbox.engine import checkout, methods
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


REACTIONS: dict[str, Callable[[Tx, Object], None]] = {"session_expiry": session_expiry, "bank_debit": bank_debit}


def run_due(sandbox: Sandbox) -> int:
    """Do everything whose time has come, oldest first, each at the moment it was due; says how many there were."""
    with sandbox.reading() as tx:
        if not tx.sql.execute("SELECT 1 FROM timers WHERE due <= ? LIMIT 1", (tx.now,)).fetchone():
            return 0
    with sandbox.writing() as tx:
        present = tx.now
        rows = tx.sql.execute(
            "SELECT id, due, kind, object FROM timers WHERE due <= ? ORDER BY due, id", (present,)
        ).fetchall()
        for timer, due, kind, identifier in rows:
            subject = tx.find(identifier)
            if subject is not None:
                tx.now = due  # what happens is dated when it happened, however late we look
                REACTIONS[kind](tx, subject)
            tx.sql.execute("DELETE FROM timers WHERE id = ?", (timer,))
        tx.now = present
    return len(rows)
