"""What the authorization matrix asks for, and who asks: Ada's things, everybody's browser, every kind of key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import adjustments, clock, invoices, ledger, notices
from app.catalogue import publish
from app.catalogue.terms import ActionTerms, Catalogue, MeterTerms, PackTerms, PlanTerms
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.customers import api_keys, invitations
from app.db import transaction
from app.invoices import Invoice
from app.money import Money
from app.moves.models import MovedSubscriber, VersionMove
from app.notices.models import Notice
from app.outgoing import endpoints
from app.outgoing.models import WebhookDelivery
from app.payments import card_pages, disputes, inbox, orders, reconciliations, refunds
from app.payments.disputes import Paid
from app.payments.models import ProviderEvent
from app.people import staff
from app.people.models import User
from app.providers.events import DisputeChanged
from app.providers.port import Verified
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.random_business import put
from tests.support.web import PageClient

Ask = Callable[[str], FlaskClient]

ROWS = Catalogue(
    meters=(MeterTerms("small", "Small things", "thing"),),
    actions=(ActionTerms("small", "Do little", 5),),
    packs=(PackTerms("small", "100 credits", 100, "usd", 1_000),),
)


@pytest.fixture
def things(
    app: Flask, session: Session, ada: Person, cy: Person, invoice_for: Callable[..., Invoice]
) -> dict[str, str]:
    """What the placeholders in addresses stand for: Ada's customer and things, and one webhook event."""
    app.extensions["providers"] = {"stripe": FakeProvider()}
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
        "asset": "usd",
        "account": "promotions",
        "session_id": "ses_none",
        "plan_id": plan.plan_id,
        "draft_id": "draft_none",
        "move_id": _moved(session, plan.plan_id, ada),
        "number": "1",
        "kind": "wallets",
        "resource_id": "wallet-7",
        "coupon_id": coupon.id,
        "invoice_id": invoice.id,
        "note_id": note.id,
        "rate_id": "tax_none",
        "month": f"{now:%Y-%m}",
        "dispute_id": _disputed(session, ada),
        "run_id": _reconciled(session),
        **_given_and_asked_back(session, ada),
        "channel": "stripe",
        "name": "nothing",
        "what": "timeline",
        "filename": "purser.css",
    }


def _given_and_asked_back(session: Session, ada: Person) -> dict[str, str]:
    """Her gift on signing up, which is no top-up; that she asked for her balance, and a program for a gift."""
    with transaction(session):
        gift = ledger.history(session, ada.wallet, kinds=["signup_credit"])[0].entry_id
        money = {"net_minor": 500, "tax_minor": 0, "currency": "usd"}
        about = {"kind": "balance", "state": "requested", "reason": "", "requested_by": ada.id}
        refund, _ = refunds.make(session, customer_id=ada.customer_id, key="asked", **about, **money)
        wish = adjustments.Wish(ada.customer_id, "usd", 5_000_000, "Goodwill", "a-gift")
        waiting = adjustments.ask(session, wish, by="key_program", person=None, limit=0).row
    return {"entry_id": gift, "txn_id": gift, "refund_id": refund.id, "adjustment_id": waiting.id}


def _moved(session: Session, plan_id: str, ada: Person) -> str:
    """A move of subscribers that is over, and left her as she was."""
    told = {"plan_id": plan_id, "from_version": 1, "to_version": 2, "times": "renewal", "notice_days": 30, "count": 1}
    with transaction(session):
        put(session, VersionMove, id="mov_1", state="done", is_chosen=False, reason="Costs", **told)
        put(session, MovedSubscriber, customer_id=ada.customer_id, move_id="mov_1", state="left", why="She leaves.")
    return "mov_1"


def _reconciled(session: Session) -> str:
    with transaction(session):
        run = reconciliations.begin(session, "stripe", actor="system")
        assert run is not None
        return reconciliations.end(session, run.id, reconciliations.Report()).id


def _disputed(session: Session, ada: Person) -> str:
    """A dispute that her wallet waits for."""
    told = DisputeChanged(
        provider="stripe",
        event_id="evt_2",
        raw_type="charge.dispute.created",
        occurred_at=clock.now(),
        livemode=False,
        dispute_id="dp_1",
        payment_id="pi_1",
        amount=Money(5000, "usd"),
        phase="open",
        reason=None,
        due_by=None,
    )
    with transaction(session):
        dispute = disputes.keep(session, told, Paid(ada.customer_id, "wallet", 5000, 0, "usd"))
        dispute.freezes = True
    return dispute.id


def _told(session: Session, ada: Person) -> dict[str, str]:
    """A notice, and an endpoint of the host product with one delivery that it is to get."""
    with transaction(session):
        endpoint, _ = endpoints.open_endpoint(session, "https://example.com/", (), private=False, actor="system")
        facts = {"available_micros": 1, "threshold_micros": 2}
        notices.tell(session, ada.customer_id, "wallet_low", key="a-notice", **facts)
        notice, delivery = session.query(Notice).one(), session.query(WebhookDelivery).one()
        return {"notice_id": notice.id, "endpoint_id": endpoint.id, "delivery_id": delivery.id}


@pytest.fixture
def browsers(request: pytest.FixtureRequest, app: Flask, client_of: Callable[[Person], PageClient]) -> Iterator[Ask]:
    """The browser of one caller, signed in at the moment it is asked for. Its pages are checked elsewhere."""
    app.test_client_class = FlaskClient

    def browser(name: str) -> FlaskClient:
        return app.test_client() if name == "nobody" else client_of(request.getfixturevalue(name))

    yield browser
    app.test_client_class = PageClient


@pytest.fixture
def keys(session: Session, ada: Person, bo: Person, service_key: str) -> dict[str, dict[str, str]]:
    """What each kind of key sends."""
    made = {"reads": ada.key("billing:read"), "writes": ada.key(), "bo": bo.key(), "host": service_key}
    with transaction(session):
        for role, name in {"support": "supp", "finance": "fin", "admin": "admin"}.items():
            _, made[name] = api_keys.create_staff_key(session, name=name, role=role)
        for scope in api_keys.SERVICE_SCOPES:
            _, made[scope] = api_keys.create_service_key(session, name=scope, scopes=[scope])
    sent = {name: {"Authorization": f"Bearer {text}"} for name, text in made.items()}
    sent |= {scope: sent[scope] | {"Purser-Customer": ada.customer_id} for scope in api_keys.SERVICE_SCOPES}
    sent["to_ada"] = sent["host"] | {"Purser-Customer": ada.customer_id}
    sent["to_bo"] = sent["host"] | {"Purser-Customer": bo.customer_id}
    return sent


@pytest.fixture
def dead_keys(session: Session, ada: Person) -> dict[str, dict[str, str]]:
    """What those send whose key opens nothing: none, a wrong one, one of each kind that was revoked, a leaver's."""
    eve = ada.hires("Eve", "write")
    with transaction(session):
        revoked = {
            "customer": api_keys.create_customer_key(
                session, ada.customer_id, name="Old", permissions=api_keys.CUSTOMER_PERMISSIONS, made_by=ada.id
            ),
            "service": api_keys.create_service_key(session, name="Old"),
            "staff": api_keys.create_staff_key(session, name="Old", role="admin"),
        }
        for key, _ in revoked.values():
            api_keys.revoke(session, key.customer_id, key.id, actor="system")
        _, left = api_keys.create_customer_key(
            session, ada.customer_id, name="Eve's", permissions=("billing:read",), made_by=eve.id
        )
        staff.disable(session, session.get_one(User, eve.id), actor="system")
    texts = {name: text for name, (_, text) in revoked.items()} | {"wrong": "pur_live_" + "0" * 49, "leaver": left}
    return {"none": {}} | {name: {"Authorization": f"Bearer {text}"} for name, text in texts.items()}
