"""Bytes that a browser never sends and PostgreSQL cannot hold: refused like anything else, never an error of ours."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.payments import ProviderEvent, inbox
from tests.support.fake_provider import heard, told
from tests.support.people import Person


def test_a_nul_in_the_chosen_customer_is_no_customer(client_of: Callable, ada: Person, bo: Person) -> None:
    for name in ("\0", bo.customer_id + "\0", "\ud800".encode("utf-8", "surrogatepass")):
        assert client_of(ada).post("/customer", data={"customer_id": name}).status_code == 404


def test_a_nul_in_the_reason_puts_no_event_away(client_of: Callable, session: Session, finance: Person) -> None:
    news = heard(told("other", None))
    with transaction(session):
        inbox.keep(session, provider="stripe", verified=news.verified, body=news.body, headers={})
    event = session.scalars(select(ProviderEvent)).one()

    for reason in ("not\0ours", "\x01\x02\x03\x04", " a "):
        answer = client_of(finance).post(f"/admin/webhooks/{event.id}/ignore", data={"reason": reason})
        assert answer.status_code == 422, reason

    session.refresh(event)
    assert event.state == "pending"


def test_a_nul_in_the_plan_is_no_plan(client_of: Callable, ada: Person, plans: None) -> None:
    asked = {"interval": "month", "by": "wallet", "form_key": "one"}
    for name, status in (("\0", 422), ("nothing\0", 404)):
        assert client_of(ada).post("/plan/change", data={"plan": name, **asked}).status_code == status
