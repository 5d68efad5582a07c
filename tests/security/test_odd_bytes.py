"""Bytes that a browser never sends and PostgreSQL cannot hold: refused like anything else, never an error of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue import file, publish, shipped
from app.db import transaction
from app.payments import ProviderEvent, inbox
from tests.support.fake_provider import heard, told
from tests.support.people import Person
from tests.support.programs import Program


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


@pytest.mark.both_databases
def test_a_nul_names_no_pack_no_order_and_no_coupon(
    app: Flask, client_of: Callable, session: Session, ada: Person, admin: Person, service_key: str
) -> None:
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")
    browser, staff, host = client_of(ada), client_of(admin), Program(app, service_key, ada.customer_id)

    for address in ("/credits/packs/a%00", "/credits/packs/small/quote?coupon=%00", "/invoices/orders/a%00"):
        assert browser.get(address).status_code == 404, address
    for address in ("/invoices/orders?before=a%00", "/invoices/orders?kind=a%00"):
        assert browser.get(address).status_code in (404, 422), address
    assert browser.post("/credits/packs/small", data={"form_key": "\0", "coupon": "a\0"}).status_code == 409
    assert staff.get("/admin/packs/a%00").status_code == 404
    typed = {"name": "a\0", "key": "a\0", "credits": "\0", "price": "1", "position": "\0"}
    assert staff.post("/admin/packs/new-one", data=typed).status_code == 422
    body = {"channel": "stripe", "type": "credit_pack", "pack_id": "a\0"}
    assert host.post("/payment/create-session", body, key="k").status_code in (404, 422, 503)
    assert host.get("/orders/a%00").status_code == 404
