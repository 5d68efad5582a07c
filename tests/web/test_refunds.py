"""Refunds on the wallet page: what can go back and until when, seen to the cent before it is done (SPEC W4)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy.orm import sessionmaker

from app.db import transaction
from app.errors import Conflict
from app.flows import refund_request
from app.payments.models import Refund
from app.wallet import auto_top_up
from tests.support.fake_refunds import RefundProvider
from tests.support.payments import wallet_minor
from tests.support.refunding import Wallet
from tests.web.test_wallet import queries

SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def provider(app) -> RefundProvider:
    """The application's provider: one that pays money back."""
    made = RefundProvider()
    app.extensions["providers"] = {"stripe": made}
    return made


@pytest.fixture
def wallet(session, ada, provider, sessions) -> Wallet:
    """Ada's, who topped up $50 on 14 March at 09:30."""
    there = Wallet(session, provider, ada.customer_id, None, sessions)
    there.tops_up(5000)
    return there


@pytest.fixture
def sessions(engine):
    return sessionmaker(engine, expire_on_commit=False)


def form_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def link_of(page: str) -> str | None:
    found = re.search(r'href="(/wallet/refunds/wtxn_\w+)"', page)
    return found[1] if found else None


def test_a_top_up_says_what_can_go_back_and_until_when(ada, client_of, wallet):
    wallet.spends(1200)  # the $5 she was given on signing up, and seven of her own

    page = client_of(ada).get("/wallet").text

    assert "$43.00 can go back until" in page
    assert f"21{SPACE}Mar{SPACE}2026,{SPACE}09:30" in page
    assert link_of(page) == f"/wallet/refunds/{wallet.entry()}"


def test_it_is_shown_to_the_cent_and_then_done_without_script(session, ada, client_of, wallet):
    wallet.spends(1200)
    browser, here = client_of(ada), f"/wallet/refunds/{wallet.entry()}"
    page = browser.get(here).text
    for words in (
        "Keep the money in",
        "Up to $43.00",
        "Refund $43.00",
        "$0.00 balance",
        "It goes back to what you paid with",
    ):
        assert words in page, words

    other = browser.post(here, data={**form_of(page), "amount": "20"})
    assert "Refund $20.00" in other.text
    assert wallet_minor(session, ada.customer_id) == 4300, "another sum is shown before it is done"
    answer = browser.post(here, data={**form_of(other.text), "amount": "20"})

    assert (answer.status_code, answer.location) == (303, "/wallet")
    assert wallet_minor(session, ada.customer_id) == 2300
    after = browser.get("/wallet").text
    for words in ("$20.00 is on its way back to you", "Paid back", "Partly refunded", "$23.00 can go back until"):
        assert words in after, words
    assert f"Of the top-up of 14{SPACE}Mar{SPACE}2026<" in after


def test_what_a_coupon_gave_on_top_is_told_to_go_with_it(session, ada, client_of, wallet):
    wallet.tops_up_with_bonus("pay_2")
    browser, here = client_of(ada), f"/wallet/refunds/{wallet.entry('pay_2')}"

    page = browser.get(here).text
    assert "The $5.00 that a coupon gave on top of it goes with it." in page
    assert "$55.00 balance" in page
    assert "What coupons gave on top of these top-ups goes with them." in browser.get("/wallet/balance-refund").text
    browser.post(here, data={**form_of(page), "amount": "50"})

    assert wallet_minor(session, ada.customer_id) == 5500


def test_the_same_form_sent_twice_refunds_once(session, ada, client_of, wallet, provider):
    browser, here = client_of(ada), f"/wallet/refunds/{wallet.entry()}"
    sent = {**form_of(browser.get(here).text), "amount": "50"}

    assert [browser.post(here, data=sent).status_code for _ in range(2)] == [303, 303]

    assert (wallet_minor(session, ada.customer_id), provider.gone()) == (500, 5000)


@pytest.mark.parametrize(("typed", "sentence"), [("50.01", "Enter $50.00 or less."), ("0", "Enter $0.01 or more.")])
def test_a_sum_that_cannot_go_back_is_refused_at_the_field(ada, client_of, wallet, typed, sentence):
    browser, here = client_of(ada), f"/wallet/refunds/{wallet.entry()}"

    answer = browser.post(here, data={**form_of(browser.get(here).text), "amount": typed})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_outside_the_window_it_leads_to_asking_for_the_balance(session, ada, client_of, wallet, clock):
    clock.advance(days=7)
    browser = client_of(ada)

    assert link_of(browser.get("/wallet").text) is None
    answer = browser.get(f"/wallet/refunds/{wallet.entry()}")
    assert answer.status_code == 403
    assert "more than seven days old" in answer.text
    page = browser.get("/wallet/balance-refund").text
    assert "Ask for $50.00" in page
    asked = browser.post("/wallet/balance-refund", data={**form_of(page), "reason": "We leave"})

    assert asked.location == "/wallet"
    shown = browser.get("/wallet").text
    assert "You asked for $50.00 back" in shown
    assert wallet_minor(session, ada.customer_id) == 5500, "nothing moves before staff approve"
    again = browser.get("/wallet/balance-refund").text
    assert "We answer by mail." in again
    assert '<form method="post" action="/wallet/balance-refund"' not in again


def test_a_request_is_taken_back_while_nobody_has_decided(session, ada, finance, client_of, wallet, provider):
    browser = client_of(ada)
    browser.post("/wallet/balance-refund", data={**form_of(browser.get("/wallet/balance-refund").text), "reason": ""})
    [asked] = session.query(Refund).filter_by(kind="balance").all()
    session.rollback()
    page = browser.get("/wallet/balance-refund").text
    assert "Take it back" in page

    browser.post("/wallet/balance-refund/withdraw", data=form_of(page))

    assert "You took your request back" in browser.get("/wallet").text
    with pytest.raises(Conflict):
        refund_request.approve(session, {"stripe": provider}, asked.id, actor=f"staff:{finance.id}")
    browser.post("/wallet/balance-refund/withdraw", data=form_of(page))
    assert "Nothing waits for an answer any more" in browser.get("/wallet").text
    assert "Ask for $50.00" in browser.get("/wallet/balance-refund").text, "it can be asked for again"


def test_a_balance_that_was_paid_back_says_of_which_top_up_and_why(session, ada, finance, client_of, wallet, provider):
    browser = client_of(ada)
    page = browser.get("/wallet/balance-refund").text
    browser.post("/wallet/balance-refund", data={**form_of(page), "reason": "We leave"})
    [asked] = session.query(Refund).filter_by(kind="balance").all()
    session.rollback()

    refund_request.approve(session, {"stripe": provider}, asked.id, actor=f"staff:{finance.id}")

    assert f"Of the top-up of 14{SPACE}Mar{SPACE}2026, We leave" in browser.get("/wallet").text
    logged = client_of(finance).get("/admin/activity?action=refund.approved").text
    assert "We leave" in logged


def test_with_nothing_paid_there_is_nothing_to_ask_for(ada, client_of, provider):
    browser = client_of(ada)

    assert "Nothing to pay back" in browser.get("/wallet/balance-refund").text
    answer = browser.post("/wallet/balance-refund", data={})

    assert answer.status_code == 422
    assert "Only what you paid in" in answer.text or "only what you paid in" in answer.text
    assert "Ask for your balance" not in browser.get("/wallet").text


def test_it_warns_that_automatic_top_up_is_paused(session, ada, client_of, wallet):
    rules: dict[str, Any] = {"threshold_minor": 1000, "amount_minor": 2000, "ceiling_minor": 20_000}
    with transaction(session):
        auto_top_up.switch_on(session, ada.customer_id, **rules, currency="usd", actor=ada.id)

    assert "Automatic top-up is paused" in client_of(ada).get(f"/wallet/refunds/{wallet.entry()}").text


def test_who_only_reads_is_not_offered_it(cy, client_of, wallet):
    page = client_of(cy).get("/wallet").text

    assert link_of(page) is None
    assert "Ask for your balance" not in page


def test_its_order_tells_of_it(session, ada, client_of, wallet, provider):
    provider.status = "pending"
    wallet.refunds(2000)
    with transaction(session):
        order_id = session.query(Refund).one().order_id

    page = client_of(ada).get(f"/invoices/orders/{order_id}").text

    for words in ("Refunds", "On its way", "−$20.00", "Receipt ref_"):
        assert words in page, words
    assert "Partly refunded" in client_of(ada).get("/invoices/orders").text


def test_a_wallet_with_top_ups_and_refunds_stays_within_21_queries(ada, client_of, wallet, app, clock):
    wallet.refunds(1000)
    few = queries(app, client_of(ada), "/wallet")
    for number in range(2, 6):
        clock.advance(minutes=1)
        wallet.tops_up(2000, f"pay_{number}")
        wallet.refunds(1000, key=f"k{number}", payment=f"pay_{number}")

    assert few == queries(app, client_of(ada), "/wallet") <= 21
