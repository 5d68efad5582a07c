"""A frozen wallet on the customer's pages: why, what is missing, and what to do (SPEC W5)."""

from __future__ import annotations

import re

import pytest

from app.db import transaction
from app.providers.values import Cap
from app.wallet import debit, frozen
from tests.support import disputed
from tests.support.fake_provider import FakeProvider


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def spends(session, ada, cents):
    with transaction(session):
        debit.debit(session, ada.customer_id, cents * 10_000, description="Work", key="spent", by="key_1")


def test_the_wallet_and_the_overview_say_why_it_is_frozen(session, ada, client_of):
    disputed.tops_up(session, ada.customer_id)
    spends(session, ada, 5_200)
    disputed.disputes(session)
    browser = client_of(ada)

    for address in ("/wallet", "/"):
        page = browser.get(address).text
        for words in (
            "Your wallet is frozen",
            "Your payment of $50.00 was disputed",
            "$47.00 is missing",
            "frozen for now",
        ):
            assert words in page, (address, words)
    assert "Frozen" in browser.get("/wallet/balance").text


def test_while_it_is_frozen_no_refund_is_offered_and_it_says_what_can_be_done(
    app, session, ada, client_of, monkeypatch
):
    fake = FakeProvider()
    fake.capabilities = frozenset({Cap.REFUND_FULL})
    monkeypatch.setitem(app.extensions["providers"], fake.name, fake)
    disputed.tops_up(session, ada.customer_id)
    browser = client_of(ada)
    before = browser.get("/wallet").text
    refund = re.search(r"/wallet/refunds/\w+", before)[0]
    assert browser.get(refund).status_code == 200
    with transaction(session):
        frozen.freeze_by_hand(session, ada.customer_id, "usd", reason="Card testing", actor="staff:usr_1")

    page = browser.get("/wallet").text

    refused = browser.get(refund)
    assert refused.status_code == 403
    assert "nothing can be refunded from it until it is thawed" in refused.text
    for offered in ("Ask for your balance", "<dt>Available</dt>", "Refund…"):
        assert offered in before
        assert offered not in page
    assert "You can add money, pay by card and spend credits." in page
    assert "<dt>Frozen</dt>" in page
    assert "<dt>Frozen</dt>" in browser.get("/").text


def test_a_lost_case_says_how_much_fills_the_hole(session, ada, client_of):
    disputed.tops_up(session, ada.customer_id)
    spends(session, ada, 5_200)
    disputed.disputes(session, "lost")

    assert "$47.00 is missing. Add that much, and you can spend again." in client_of(ada).get("/wallet").text

    disputed.tops_up(session, ada.customer_id, 4_700, "pay_2")
    assert "frozen" not in client_of(ada).get("/wallet").text


def test_the_host_product_is_refused_with_wallet_frozen(session, ada, app, service_key):
    disputed.tops_up(session, ada.customer_id)
    disputed.disputes(session, minor=2_000)
    headers = {"Authorization": f"Bearer {service_key}", "Purser-Customer": ada.customer_id}

    for call, body in (
        ("debits", {"amount_cents": 100, "description": "Work"}),
        ("holds", {"amount_cents": 100}),
    ):
        answer = app.test_client().post(f"/v1/wallet/{call}", json=body, headers=headers | {"Idempotency-Key": call})

        assert (answer.status_code, answer.json["error"]["code"]) == (403, "WALLET_FROZEN")
        assert "is frozen" in answer.json["error"]["message"]
