"""POST /payment/webhook/<channel>: verified on the raw bytes, kept once, answered at once; nothing is applied here."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app.activity.models import Activity
from app.flows import settle, top_up
from app.payments import ProviderEvent, bell
from tests.support.fake_provider import SECRET, FakeProvider
from tests.support.payments import wallet_minor

ADDRESS = "/payment/webhook/stripe"


def event(kind: str = "checkout.session.completed", event_id: str = "evt_1", **session: Any) -> bytes:
    """A signed-to-be Stripe event about a paid checkout session."""
    about = {
        "id": "cs_1",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "client_reference_id": "ord_1",
        "metadata": {"intent_id": "ord_1"},
        "payment_intent": "pi_1",
        "amount_total": 5000,
        "currency": "usd",
        "total_details": {"amount_tax": 0},
        "livemode": False,
    } | session
    envelope = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(the_clock.now().timestamp()),
        "livemode": False,
        "type": kind,
        "data": {"object": about},
    }
    return json.dumps(envelope).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    from stripe import WebhookSignature

    now = int(the_clock.real_now().timestamp())
    header = WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=now)
    return {"Stripe-Signature": header, "Content-Type": "application/json"}


def count(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(ProviderEvent)) or 0


@pytest.fixture
def post(client: FlaskClient) -> Callable[..., Any]:
    def send(body: bytes, headers: dict[str, str] | None = None, **how: Any) -> Any:
        return client.post(ADDRESS, data=body, headers=signed(body) if headers is None else headers, **how)

    return send


def test_a_verified_event_is_kept_and_answered(post, session: Session) -> None:
    body = event()
    answer = post(body)

    assert (answer.status_code, answer.json) == (200, {"received": True, "new": True})
    kept = session.scalars(select(ProviderEvent)).one()
    assert (kept.state, kept.body, kept.event_id) == ("pending", body, "evt_1")


def test_the_same_event_again_is_answered_and_not_kept_again(post, session: Session) -> None:
    body = event()
    answers = [post(body).status_code for _ in range(20)]

    assert set(answers) == {200}
    assert count(session) == 1


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/octet-stream",
        "",
    ],
)
def test_corpus_019_the_raw_bytes_are_verified_whatever_the_content_type(post, session: Session, kind: str) -> None:
    body = event(note="ä & ü = 1")
    answer = post(body, signed(body) | {"Content-Type": kind})

    assert answer.status_code == 200
    assert session.scalars(select(ProviderEvent.body)).one() == body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=1,v1=00"},
        {"X-Signature": "00"},
        signed(event(), "whsec_of_somebody_else"),
    ],
)
def test_corpus_017_a_bad_signature_leaves_no_trace_in_the_books(
    post, session: Session, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = post(event(note="4242424242424242"), headers)

    assert answer.status_code == 400
    assert answer.json["error"]["code"] == "BAD_SIGNATURE"
    assert count(session) == 0
    assert session.scalar(select(func.count()).select_from(Activity)) == 0
    assert "was refused" in caplog.text
    assert "4242424242424242" not in caplog.text, "never the body"


def test_one_more_header_of_the_same_name_is_refused(client: FlaskClient, session: Session) -> None:
    body = event()
    header = signed(body)["Stripe-Signature"]
    twice = [("Stripe-Signature", header), ("Stripe-Signature", header)]

    assert client.post(ADDRESS, data=body, headers=twice).status_code == 400
    assert count(session) == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"object":"event"}'])
def test_signed_nonsense_is_a_bad_payload(post, session: Session, body: bytes) -> None:
    answer = post(body)

    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_PAYLOAD")
    assert count(session) == 0


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\x80" * 100])
def test_signed_bytes_that_are_no_text_are_a_bad_payload(client: FlaskClient, body: bytes) -> None:
    import hashlib
    import hmac

    now = int(the_clock.real_now().timestamp())
    mac = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()

    answer = client.post(ADDRESS, data=body, headers={"Stripe-Signature": f"t={now},v1={mac}"})

    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_PAYLOAD")


def test_a_body_over_half_a_megabyte_is_refused_unread(post, session: Session) -> None:
    assert post(event(note="x" * 512 * 1024)).status_code == 413
    assert post(event(note="x" * 500 * 1024)).status_code == 200
    assert count(session) == 1


@pytest.mark.parametrize("channel", ["polar", "creem", "lemonsqueezy", "STRIPE", "nobody", "..%2fstripe"])
def test_a_channel_without_keys_is_not_there(client: FlaskClient, session: Session, channel: str) -> None:
    body = event()

    assert client.post(f"/payment/webhook/{channel}", data=body, headers=signed(body)).status_code == 404
    assert count(session) == 0


@pytest.mark.parametrize("verb", ["get", "put", "patch", "delete"])
def test_only_post_is_answered(client: FlaskClient, verb: str) -> None:
    assert getattr(client, verb)(ADDRESS).status_code == 405


def test_no_form_token_and_no_session_are_asked_for(app: Flask, session: Session) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    body = event()

    assert app.test_client().post(ADDRESS, data=body, headers=signed(body)).status_code == 200


def test_a_flood_is_never_rate_limited_into_loss(post, session: Session) -> None:
    for number in range(150):
        assert post(event(event_id=f"evt_{number}")).status_code == 200

    assert count(session) == 150


def test_corpus_008_twenty_deliveries_at_once_all_succeed_and_one_is_kept(app: Flask, session: Session) -> None:
    body, ready = event(), threading.Barrier(20)

    def deliver(_number: int) -> int:
        ready.wait()
        return app.test_client().post(ADDRESS, data=body, headers=signed(body)).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(deliver, range(20))) == {200}

    assert count(session) == 1


def test_it_rings_the_bell_for_a_worker_in_this_process(post) -> None:
    bell.wait(0)
    post(event())

    assert bell.wait(0)


def test_a_top_up_is_credited_by_its_webhook_through_the_worker(post, app: Flask, session: Session, sessions, payer):
    order = top_up.start(
        session, FakeProvider(), payer, 5000, form_key="f", return_url="https://x.example/", actor="usr_1"
    )
    for kind in ("checkout.session.completed", "checkout.session.async_payment_succeeded"):
        assert post(event(kind, kind, metadata={"intent_id": order.id})).status_code == 200

    settle.apply_pending(sessions, app.extensions["providers"])

    assert wallet_minor(session, payer.id) == 5000
