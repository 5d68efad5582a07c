"""The timeline in words: what happened to a customer, whoever it was that wrote it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from app.admin import words
from app.dossier.timeline import Happened
from app.http.filters import cents
from app.notices.models import Notice
from app.payments.models import Payment, ProviderEvent

SOURCES = {"activity": "Audit log", "payment": "Payment", "notice": "Notice", "webhook": "Webhook"}
_EVENT_STATES = {"done": "applied", "ignored": "nothing for us", "dead": "gave up", "pending": "waits"}


@dataclass(frozen=True)
class Line:
    """One thing that happened. `href` leads to what there is of it, "" where there is nothing more."""

    source: str
    at: datetime
    id: str
    title: str
    detail: str = ""
    by: str = ""
    amount: str = ""
    href: str = ""


def told(session: Session, lines: Sequence[Happened]) -> list[Line]:
    """The lines in words, in the same order; the names of people are looked up once for all."""
    logged = [line.row for line in lines if line.source == "activity"]
    in_words = dict(zip((row.id for row in logged), words.told(session, logged, of_one=True), strict=True))
    return [_told(line, in_words) for line in lines]


def _told(line: Happened, in_words: dict[str, words.Told]) -> Line:
    if line.source == "payment":
        return _payment(line)
    if line.source == "notice":
        notice: Notice = line.row
        return Line(line.source, line.at, line.id, f"They were told: {notice.title}", notice.sentence)
    if line.source == "webhook":
        return _webhook(line)
    said = in_words[line.id]
    changed = f"{said.before} to {said.after}" if said.before or said.after else ""
    detail = ", ".join(part for part in (said.detail, changed) if part)
    return Line(line.source, line.at, line.id, said.title, detail, said.by, said.amount)


def _payment(line: Happened) -> Line:
    paid: Payment = line.row
    amount = cents(paid.net_minor + paid.tax_minor, paid.currency)
    again = "A second payment of the same order" if paid.is_extra else "Payment received"
    return Line(line.source, line.at, line.id, again, f"{paid.payment_id}, order {paid.order_id}",
                paid.channel.capitalize(), amount)  # fmt: skip


def _webhook(line: Happened) -> Line:
    event: ProviderEvent = line.row
    state = _EVENT_STATES[event.state]
    if event.state == "pending" and event.error:
        state = "tried again"
    detail = f"{state}: {event.error}" if event.error else state.capitalize()
    href = url_for("admin_webhooks.show", event_id=event.id, _anchor="event")
    return Line(line.source, line.at, line.id, event.type, detail[:1].upper() + detail[1:],
                event.provider.capitalize(), href=href)  # fmt: skip
