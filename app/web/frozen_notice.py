"""Why the wallet is frozen, and what the customer can do about it: over the wallet, and first on the overview (W5)."""

from __future__ import annotations

from flask import url_for
from sqlalchemy.orm import Session

from app import ledger
from app.http.filters import cents, day_text, exact
from app.payments.dispute_table import Dispute
from app.wallet import frozen
from app.web.plan_notice import Notice, Press

TITLE = "Your wallet is frozen"


def of(session: Session, customer_id: str, balance: ledger.Balance) -> Notice | None:
    """What to say; None for a wallet that is not frozen."""
    why = frozen.why(session, customer_id, balance)
    if why is None:
        return None
    if not why.disputes:
        return Notice(TITLE, _by_staff(why), "neg", [])
    missing, taken = exact(why.owed), _taken(why.disputes)
    presses = [Press("Top up", href=url_for("wallet.show", _anchor="topup"))] if why.owed else []
    if not why.is_open:
        text = f"{taken} The bank decided so, and {missing} is missing. Add that much, and you can spend again."
        return Notice(TITLE, f"{text}{_and_staff(why)}", "neg", presses)
    text = f"{taken} Nothing can be spent until that is decided; what is withdrawn or won comes back in full."
    if why.owed:
        text += f" {missing} is missing, and what you add fills that first."
    return Notice(TITLE, f"{text}{_and_staff(why)}", "neg", presses)


def _by_staff(why: frozen.Why) -> str:
    """The reason staff gave; money still comes in."""
    said = f" {why.by_staff.reason.rstrip('.')}." if why.by_staff else ""
    return f"We have frozen it for now.{said} You can still add money; write to us to have it thawed."


def _and_staff(why: frozen.Why) -> str:
    return f" It stays frozen after that, until we thaw it: {why.by_staff.reason}" if why.by_staff else ""


def _taken(disputes: list[Dispute]) -> str:
    """What was taken back, and when; of several, how many."""
    if len(disputes) != 1:
        return "Payments of yours were disputed with the bank, and went out of the wallet again."
    [one] = disputes
    amount = cents(one.amount_minor, one.currency)
    return f"Your payment of {amount} was disputed with the bank on {day_text(one.opened_at)} and taken back."
