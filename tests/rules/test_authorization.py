"""Every route, asked by every kind of caller: what comes back is what tests/authorization.py says.

Pages are asked on both databases, so that none is first seen on PostgreSQL by a customer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import clock, invoices, ledger, notices
from app.catalogue import publish
from app.catalogue.terms import ActionTerms, Catalogue, MeterTerms, PackTerms, PlanTerms
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.customers import api_keys, invitations
from app.db import transaction
from app.invoices import Invoice
from app.notices.models import Notice
from app.outgoing import endpoints
from app.outgoing.models import WebhookDelivery
from app.payments import card_pages, inbox, orders
from app.payments.models import ProviderEvent
from app.providers.port import Verified
from tests.authorization import CALLS, KEY_CALLERS, PAGE_CALLERS, PAGES, PUBLIC, rows
from tests.support.databases import BOTH
from tests.support.people import Person
from tests.support.web import PageClient

NOT_OURS = {"static"}
PLACE = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
ROWS = Catalogue(
    meters=(MeterTerms("small", "Small things", "thing"),),
    actions=(ActionTerms("small", "Do little", 5),),
    packs=(PackTerms("small", "100 credits", 100, "usd", 1_000),),
)
UNKNOWN = {
    "customer_id": "cus_none",
    "order_id": "ord_none",
    "purchase_id": "ord_none",
    "page_id": "card_none",
    "event_id": "whe_none",
    "hold_id": "hold_none",
    "notice_id": "ntc_none",
}


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, where a test does not say otherwise."""
    return request.getfixturevalue("pg_url" if getattr(request, "param", "") == "postgresql" else "sqlite_url")


@pytest.fixture
def things(session: Session, ada: Person, cy: Person, invoice_for: Callable[..., Invoice]) -> dict[str, str]:
    """What the placeholders in addresses stand for: Ada's customer and things, and one webhook event."""
    now = clock.now()
    told = Verified(event_id="evt_1", raw_type="invoice.paid", object_id="in_1", occurred_at=now, livemode=False)
    with transaction(session):
        order = orders.open_order(
            session,
            customer_id=ada.customer_id,
            amount_minor=5000,
            currency="usd",
            channel="stripe",
            form_key="a-form",
            created_by=ada.id,
        )
        purchase = orders.open_order(
            session,
            customer_id=ada.customer_id,
            kind="subscription",
            amount_minor=2900,
            currency="usd",
            channel="stripe",
            form_key="a-plan",
            created_by=ada.id,
        )
        orders.freeze(session, purchase, {"plan": "starter", "name": "Starter", "interval": "month"})
        page = card_pages.open_page(
            session, customer_id=ada.customer_id, channel="stripe", form_key="a-card", created_by=ada.id
        )
        inbox.keep(session, provider="stripe", verified=told, body=b"{}", headers={})
        invitation, token = invitations.invite(session, ada.customer_id, "new@example.com", "read", actor=ada.id)
        made, _ = api_keys.create_customer_key(
            session, ada.customer_id, name="A key", permissions=("billing:read",), made_by=ada.id
        )
        hold = ledger.hold(session, ada.wallet, 1_000_000, key="a-hold", expires_at=now + timedelta(hours=1))
        event = session.query(ProviderEvent).one()
        publish.apply(session, ROWS, actor="cli")
        plan = publish.publish_plan(
            session, PlanTerms(key="solo", rank=0, name="Solo", description="", currency="usd", monthly_minor=900)
        )
        coupon = issue.make(session, Terms("OFF20", "percent", 20, Limits("20% off")), actor="system")
    invoice = invoice_for(ada, 4900)
    with transaction(session):
        note = invoices.credit(session, invoice, net_minor=900, reason="", returned_to="wallet", key="a-note")
    return {
        **_told(session, ada),
        "customer_id": ada.customer_id,
        "order_id": order.id,
        "purchase_id": purchase.id,
        "page_id": page.id,
        "card_id": "pm_none",
        "event_id": event.id,
        "user_id": cy.id,
        "invitation_id": invitation.id,
        "token": token,
        "plural": "packs",
        "key": "small",
        "key_id": made.id,
        "hold_id": hold.id,
        "session_id": "ses_none",
        "plan_id": plan.plan_id,
        "number": "1",
        "kind": "wallets",
        "resource_id": "wallet-7",
        "coupon_id": coupon.id,
        "invoice_id": invoice.id,
        "note_id": note.id,
        "rate_id": "tax_none",
        "channel": "stripe",
        "name": "nothing",
        "filename": "purser.css",
    }


def _told(session: Session, ada: Person) -> dict[str, str]:
    """A notice, and an endpoint of the host product with one delivery that it is to get."""
    with transaction(session):
        endpoint, _ = endpoints.open_endpoint(session, "https://example.com/", (), private=False, actor="system")
        facts = {"available_micros": 1, "threshold_micros": 2}
        notices.tell(session, ada.customer_id, "wallet_low", key="a-notice", **facts)
        notice, delivery = session.query(Notice).one(), session.query(WebhookDelivery).one()
        return {"notice_id": notice.id, "endpoint_id": endpoint.id, "delivery_id": delivery.id}


@pytest.fixture
def callers(
    request: pytest.FixtureRequest, app: Flask, client_of: Callable[[Person], PageClient]
) -> Callable[[str], PageClient]:
    """The browser of one caller, signed in at the moment it is asked for."""

    def browser(name: str) -> PageClient:
        return app.test_client() if name == "nobody" else client_of(request.getfixturevalue(name))

    return browser


@pytest.fixture
def headers(session: Session, ada: Person, bo: Person, service_key: str) -> dict[str, dict[str, str]]:
    """What each kind of key sends."""
    with transaction(session):
        _, staff = api_keys.create_staff_key(session, name="Staff", role="finance")
    sent = {"Idempotency-Key": "a-key-of-the-matrix"}
    bearer = {
        "badkey": "pur_live_" + "0" * 49,
        "reads": ada.key("billing:read"),
        "writes": ada.key("billing:read", "billing:write"),
        "bo_key": bo.key(),
        "service": service_key,
        "for_ada": service_key,
        "staff": staff,
    }
    all_of_them = {name: {**sent, "Authorization": f"Bearer {text}"} for name, text in bearer.items()}
    all_of_them["for_ada"]["Purser-Customer"] = ada.customer_id
    return {"nokey": sent, **all_of_them}


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
@pytest.mark.parametrize("route", rows(PAGES), ids=str)
def test_a_page_answers_each_person_as_the_table_says(
    route: str, things: dict[str, str], bo: Person, callers: Callable[[str], PageClient]
) -> None:
    verb, path = route.split()
    address = filled(path, things)

    told = tuple(callers(name).open(address, method=verb).status_code for name in PAGE_CALLERS)

    assert dict(zip(PAGE_CALLERS, told, strict=True)) == dict(zip(PAGE_CALLERS, rows(PAGES)[route], strict=True))


@pytest.mark.parametrize("route", rows(CALLS), ids=str)
def test_a_call_answers_each_key_as_the_table_says(
    route: str, app: Flask, things: dict[str, str], headers: dict[str, dict[str, str]]
) -> None:
    verb, path = route.split()
    body: dict[str, Any] = {"json": {}} if verb in ("POST", "PUT", "PATCH") else {}

    told = {}
    for name in KEY_CALLERS:
        answer = app.test_client().open(filled(path, things), method=verb, headers=headers[name], **body)
        told[name] = answer.status_code

    assert told == dict(zip(KEY_CALLERS, rows(CALLS)[route], strict=True))


@pytest.mark.parametrize("route", rows(PUBLIC), ids=str)
def test_a_public_route_answers_anybody(route: str, app: Flask, things: dict[str, str]) -> None:
    verb, path = route.split()

    answer = app.test_client().open(filled(path, things), method=verb)

    assert (answer.status_code,) == rows(PUBLIC)[route]


@pytest.mark.parametrize("route", [route for route in rows(PAGES) if "_id>" in route], ids=str)
def test_another_customers_thing_looks_like_nothing(
    route: str, things: dict[str, str], bo: Person, client_of: Callable[[Person], PageClient]
) -> None:
    verb, path = route.split()
    browser = client_of(bo)

    theirs = browser.open(filled(path, things), method=verb)
    nothing = browser.open(filled(path, {**things, **UNKNOWN}), method=verb)

    assert theirs.status_code == nothing.status_code


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    routes = {
        f"{verb} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_OURS
    }
    listed = [*rows(PAGES), *rows(CALLS), *rows(PUBLIC)]

    assert not routes - set(listed), "a route without a row in tests/authorization.py"
    assert not set(listed) - routes, "a row for a route that is gone"
    assert len(listed) == len(set(listed)), "a route in two tables"


def filled(path: str, things: dict[str, str]) -> str:
    """The address with its placeholders filled in."""
    return PLACE.sub(lambda found: things[found[1]], path)
