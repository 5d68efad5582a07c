"""What stands beside the lines of a wallet about refunds: what can still go back and until when, what has gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from flask_login import current_user
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app import clock
from app.customers import members
from app.http.filters import day_text
from app.ledger import Line
from app.money import micros_to_minor
from app.payments import returned
from app.payments.models import Payment, Refund
from app.providers.values import Cap
from app.wallet import refundable
from app.wallet.refundable import TopUp

Tag = tuple[str, str, str]  # word, icon, tone

# The fixed words for a refund's states, wherever its customer reads one. Staff have their own.
STATES: Mapping[str, Tag] = {
    "requested": ("Waiting for an answer", "clock", "warn"),
    "denied": ("Turned down", "void", ""),
    "reserved": ("On its way", "clock", ""),
    "sent": ("On its way", "clock", ""),
    "succeeded": ("Paid back", "return", ""),
    "failed": ("Did not arrive", "fail", "neg"),
}
_WHOLE, _PART = ("Refunded", "return", ""), ("Partly refunded", "return", "")


@dataclass(frozen=True)
class Mark:
    """Beside one line. `open` is a top-up of which its customer may refund something by themselves; `note` is words."""

    tag: Tag | None = None
    open: TopUp | None = None
    note: str = ""


PLAIN = Mark()


def marks(session: Session, customer_id: str, currency: str, lines: Sequence[Line], *, frozen: bool) -> dict[str, Mark]:
    """By entry id; nothing is offered of a `frozen` wallet.

    Three queries at most beside those for what is unspent, and none where no line is about refunds.
    """
    found = {**_of_refunds(session, customer_id, lines), **_of_top_ups(session, currency, lines)}
    since = clock.now() - refundable.WINDOW
    recent = [line for line in lines if line.recorded_at > since and refundable.payment_of(line)]
    if not recent or frozen or not members.allows(current_user.permission, "write"):
        return found
    able = {name for name, one in current_app.extensions["providers"].items() if Cap.REFUND_FULL in one.capabilities}
    for top_up in refundable.top_ups(session, customer_id, currency, since=since):
        if top_up.channel in able and top_up.is_open:
            before = found.get(top_up.entry_id, PLAIN)
            found[top_up.entry_id] = Mark(before.tag, top_up)
    return found


def _of_refunds(session: Session, customer_id: str, lines: Sequence[Line]) -> dict[str, Mark]:
    ours = [line for line in lines if line.kind == "refund" and "refund" in line.data]
    named = {line.entry_id: str(line.data["refund"]) for line in ours}
    if not named:
        return {}
    paid = and_(Payment.channel == Refund.channel, Payment.payment_id == Refund.payment_id)
    its = (
        select(Refund.id, Refund.state, Refund.parent_id, Refund.reason, Payment.at)
        .outerjoin(Payment, paid)
        .where(Refund.customer_id == customer_id, Refund.id.in_(named.values()))
    )
    rows = {row.id: row for row in session.execute(its)}
    return {
        entry: Mark(STATES[rows[name].state], note=_about(rows[name].at, rows[name].parent_id, rows[name].reason))
        for entry, name in named.items()
        if name in rows
    }


def _about(topped_up_at: datetime | None, parent_id: str | None, reason: str) -> str:
    """Which top-up went back; and why, where the whole balance was asked for."""
    said = [f"Of the top-up of {day_text(topped_up_at)}"] if topped_up_at else []
    return ", ".join([*said, reason] if parent_id and reason else said)


def _of_top_ups(session: Session, currency: str, lines: Sequence[Line]) -> dict[str, Mark]:
    names = {line.entry_id: name for line in lines if (name := refundable.payment_of(line))}
    if not names:
        return {}
    back = returned.returned_of(session, set(names.values()))
    by_id = {line.entry_id: line for line in lines}
    found = {}
    for entry, name in names.items():
        if minor := back[name].refunded:
            paid = micros_to_minor(by_id[entry].amount, currency)
            found[entry] = Mark(_WHOLE if minor >= paid else _PART)
    return found
