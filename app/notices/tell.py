"""Telling a customer: the row on their page, the mail and the outgoing webhook, once for each cause (SPEC U4)."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ids, outgoing
from app.customers import customers
from app.customers.models import Customer
from app.notices import outbox, phrases
from app.notices.choices import mails_wanted
from app.notices.kinds import KINDS, Kind
from app.notices.models import Notice
from app.notices.phrases import Fact


def tell(session: Session, customer_id: str, kind: str, *, key: str, **facts: Fact) -> bool:
    """Tell the customer once per `key`; whether it was news. Everything is written in the caller's transaction.

    `facts` are those that `kinds.KINDS` names beside the kind: counts and money (`…_micros`, `…_minor`, with
    `currency`) as integers, times as aware datetimes. Raises KeyError for a missing one.
    """
    told, customer = KINDS[kind], customers.by_id(session, customer_id)
    assert customer is not None, "only customers are told"
    words = phrases.in_words(facts, clock.zone(customer.time_zone))
    row = {
        "customer_id": customer_id,
        "id": ids.new("ntc"),
        "kind": kind,
        "key": key,
        "title": told.title.format_map(words),
        "sentence": told.sentence.format_map(words),
        "next": told.next.format_map(words),
        "tone": told.tone,
        "facts": phrases.for_programs(facts),
        "at": clock.now(),
    }
    once = insert(Notice).values(row).on_conflict_do_nothing(index_elements=["customer_id", "key"])
    if session.scalar(once.returning(Notice.id)) is None:
        return False
    if told.mail == "always" or (told.mail == "asked" and mails_wanted(session, customer_id)):
        _mail(session, customer, told, row, words)
    if told.event:
        outgoing.emit(session, customer_id, told.event, _data(kind, row), key=key)
    return True


def _mail(session: Session, customer: Customer, told: Kind, row: dict[str, object], words: dict[str, str]) -> None:
    if told.letter:
        outbox.queue(session, told.letter, customer.email, customer=customer.name, **words)
        return
    title, sentence, advice = str(row["title"]), str(row["sentence"]), str(row["next"])
    template = "notice" if advice else "short_notice"
    outbox.queue(session, template, customer.email, customer=customer.name, title=title, text=sentence, next=advice)


def _data(kind: str, row: dict[str, object]) -> dict[str, object]:
    facts = row["facts"]
    assert isinstance(facts, dict), "phrases made it"
    return {"kind": kind, "message": f"{row['title']}. {row['sentence']}", **facts}
