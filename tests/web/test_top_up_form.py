"""The top-up form: what it accepts, what it says otherwise, and that sending it twice makes one checkout."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from app import coupons
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.payments.models import Order
from tests.web.conftest import PAGE

WRONG = {
    "9.99": "Enter $10.00 or more.",
    "10,000.01": "Enter $10,000.00 or less.",
    "0": "Enter $10.00 or more.",
    "0.00": "Enter $10.00 or more.",
    "-5": "Enter an amount in figures, like 50 or 50.00.",
    "\N{MINUS SIGN}50": "Enter an amount in figures, like 50 or 50.00.",
    "1e3": "Enter an amount in figures, like 50 or 50.00.",
    "NaN": "Enter an amount in figures, like 50 or 50.00.",
    "Infinity": "Enter an amount in figures, like 50 or 50.00.",
    "0x32": "Enter an amount in figures, like 50 or 50.00.",
    "50.001": "Use at most 2 digits after the point.",
    "1,00": "Enter an amount in figures, like 50 or 50.00.",
    "50 50": "Enter an amount in figures, like 50 or 50.00.",
    "5_0": "Enter an amount in figures, like 50 or 50.00.",
    "fifty": "Enter an amount in figures, like 50 or 50.00.",
    "٥٠": "Enter an amount in figures, like 50 or 50.00.",
    "５０": "Enter an amount in figures, like 50 or 50.00.",
    "9" * 13: "Enter $10,000.00 or less.",
    "9" * 5000: "Enter $10,000.00 or less.",
    "999999999999": "Enter $10,000.00 or less.",
    "50\x00": "Enter an amount in figures, like 50 or 50.00.",
    "<script>alert(1)</script>": "Enter an amount in figures, like 50 or 50.00.",
}

GOOD = {"10": 1_000, "10.00": 1_000, "10000": 1_000_000, "10,000.00": 1_000_000, " $1,250.5 ": 125_050, "049.99": 4_999}


def orders_in(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(Order))


def form_key(page: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(("typed", "words"), WRONG.items(), ids=lambda value: repr(value)[:24])
def test_a_wrong_amount_is_told_at_the_field_and_kept(session, ada, client_of, till, typed, words):
    answer = client_of(ada).post("/wallet/topups", data={"amount": "50.00", "custom": typed, "form_key": "form_1"})

    assert answer.status_code == 422
    assert '<p class="tag neg" id="custom-e">' in answer.text
    assert words in answer.text
    assert '<a href="#custom">' in answer.text
    assert "<script>alert" not in answer.text
    if typed.isascii() and typed.isprintable() and "<" not in typed:
        assert f'value="{typed}"' in answer.text
    assert orders_in(session) == 0
    assert till.asked == []


@pytest.mark.parametrize("typed", ["", "   ", "9.99", "-5", "1e3", "NaN"])
def test_the_preset_is_checked_as_well(session, ada, client_of, till, typed):
    answer = client_of(ada).post("/wallet/topups", data={"amount": typed, "custom": ""})

    assert answer.status_code == 422
    assert 'id="custom-e"' in answer.text
    assert orders_in(session) == 0


def test_nothing_at_all_is_told_at_the_field(ada, client_of, till):
    answer = client_of(ada).post("/wallet/topups", data={})

    assert answer.status_code == 422
    assert "Enter an amount in figures" in answer.text


@pytest.mark.parametrize(("typed", "minor"), GOOD.items())
def test_a_good_amount_leads_to_the_checkout(session, ada, client_of, till, typed, minor):
    answer = client_of(ada).post("/wallet/topups", data={"amount": "50.00", "custom": typed, "form_key": "form_1"})

    assert answer.status_code == 303
    assert answer.location.startswith(PAGE)
    assert till.asked[0].amount.minor == minor


def test_a_preset_is_taken_when_nothing_was_typed(ada, client_of, till):
    client_of(ada).post("/wallet/topups", data={"amount": "250.00", "custom": "", "form_key": "form_1"})

    assert till.asked[0].amount.minor == 25_000


def test_a_used_up_limit_keeps_the_amount(session, ada, client_of, till):
    browser = client_of(ada)
    for number in range(20):
        browser.post("/wallet/topups", data={"amount": "50.00", "form_key": f"form_{number}"})

    answer = browser.post("/wallet/topups", data={"amount": "50.00", "custom": "123.45", "form_key": "form_x"})

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many tries." in answer.text
    assert 'value="123.45"' in answer.text
    assert 'value="form_x"' in answer.text
    assert orders_in(session) == 20


def test_it_names_the_provider_as_the_provider_names_itself(ada, client_of, till):
    assert "You pay on The Till’s page." in client_of(ada).get("/wallet").text


def test_the_journey_without_script_is_one_form_and_one_redirect(ada, client_of, till):
    browser = client_of(ada)
    page = browser.get("/wallet").text

    answer = browser.post("/wallet/topups", data={"amount": "50.00", "custom": "", "form_key": form_key(page)})

    assert answer.status_code == 303
    asked = till.asked[0]
    assert answer.location == PAGE + asked.order_id
    assert asked.success_url == f"http://localhost/wallet/topups/{asked.order_id}"
    assert asked.cancel_url == f"http://localhost/wallet/topups/{asked.order_id}?left=1"


def test_the_form_leaves_the_site_as_a_whole_page(ada, client_of, till):
    form = re.search(r'<form class="panel-body"[^>]+>', client_of(ada).get("/wallet").text)

    assert form
    assert 'method="post" action="/wallet/topups"' in form[0]
    assert "hx-" not in form[0]


def test_the_same_form_sent_twice_leads_to_the_same_checkout(session, ada, client_of, till):
    browser = client_of(ada)
    sent = {"amount": "50.00", "custom": "", "form_key": form_key(browser.get("/wallet").text)}

    first, second = browser.post("/wallet/topups", data=sent), browser.post("/wallet/topups", data=sent)

    assert first.location == second.location
    assert orders_in(session) == 1


def test_the_same_form_with_another_amount_is_another_order(session, ada, client_of, till):
    browser = client_of(ada)
    key = form_key(browser.get("/wallet").text)

    browser.post("/wallet/topups", data={"amount": "50.00", "form_key": key})
    answer = browser.post("/wallet/topups", data={"amount": "100.00", "form_key": key})

    assert answer.status_code == 303
    assert [asked.amount.minor for asked in till.asked] == [5_000, 10_000]


def test_the_same_form_after_the_payment_says_that_it_is_paid(session, ada, client_of, till, pay):
    browser = client_of(ada)
    sent = {"amount": "50.00", "custom": "", "form_key": "form_1"}
    order_id = browser.post("/wallet/topups", data=sent).location.removeprefix(PAGE)
    pay(order_id)

    again = browser.post("/wallet/topups", data=sent, follow_redirects=True)

    assert again.request.path == f"/wallet/topups/{order_id}"
    assert "$50.00 is already paid." in again.text
    assert len(till.asked) == 1
    assert ada.balance() == 55_000_000


def test_the_page_after_the_payment_tells_what_the_coupon_gave_on_top(session, ada, client_of, till, pay):
    browser = client_of(ada)
    with transaction(session):
        terms = Terms("TOP10", "percent", 10, Limits("10 % on top"), scope={"topups": True})
        issue.make(session, terms, actor="staff:usr_ann")
    sent = {"amount": "50.00", "custom": "", "coupon": "TOP10", "form_key": "form_1"}
    order_id = browser.post("/wallet/topups", data=sent).location.removeprefix(PAGE)
    pay(order_id)
    with transaction(session):
        coupons.redeem(session, ada.customer_id, order_id)

    for address in (f"/wallet/topups/{order_id}", f"/invoices/orders/{order_id}"):
        page = browser.get(address).text

        assert "Coupon TOP10" in page
        assert "+$5.00" in page


def test_every_rendered_form_has_a_key_of_its_own(ada, client_of, till):
    browser = client_of(ada)

    assert form_key(browser.get("/wallet").text) != form_key(browser.get("/wallet").text)


@pytest.mark.parametrize("key", ["", "x" * 500, "\x00", "a b", "<b>"])
def test_a_strange_form_key_is_replaced(ada, client_of, till, key):
    answer = client_of(ada).post("/wallet/topups", data={"amount": "50.00", "form_key": key})

    assert answer.status_code == 303


def test_a_refused_form_keeps_its_key(ada, client_of, till):
    answer = client_of(ada).post("/wallet/topups", data={"custom": "5", "form_key": "form_1"})

    assert form_key(answer.text) == "form_1"


def test_a_provider_that_is_down_is_told_and_the_same_form_goes_on_later(session, ada, client_of, till):
    browser, sent = client_of(ada), {"amount": "50.00", "custom": "75", "form_key": "form_1"}
    till.is_down = True

    down = browser.post("/wallet/topups", data=sent)
    till.is_down = False
    later = browser.post("/wallet/topups", data=sent)

    assert down.status_code == 503
    assert "Nothing was charged." in down.text
    assert 'value="75"' in down.text
    assert "Transactions" in down.text
    assert later.status_code == 303
    assert orders_in(session) == 1


def test_without_a_provider_the_panel_says_so_and_the_page_works(app, ada, client_of):
    app.extensions["providers"] = {}
    browser = client_of(ada)

    page, sent = browser.get("/wallet"), browser.post("/wallet/topups", data={"amount": "50.00"})

    assert "Top-ups are switched off" in page.text
    assert sent.status_code == 422


def test_signed_out_it_asks_to_sign_in(session, client, till):
    answer = client.post("/wallet/topups", data={"amount": "50.00"})

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in")
    assert orders_in(session) == 0


def test_a_member_who_may_only_read_has_no_form_and_cannot_send_one(session, cy, client_of, till):
    browser = client_of(cy)

    page, sent = browser.get("/wallet"), browser.post("/wallet/topups", data={"amount": "50.00", "form_key": "f"})

    assert "You can look, not pay" in page.text
    assert 'action="/wallet/topups"' not in page.text
    assert sent.status_code == 403
    assert orders_in(session) == 0


def test_a_member_who_may_write_can(di, client_of, till):
    assert client_of(di).post("/wallet/topups", data={"amount": "50.00"}).status_code == 303


def test_a_form_without_a_token_is_refused(app, session, ada, client_of, till):
    app.config["WTF_CSRF_ENABLED"] = True

    answer = client_of(ada).post("/wallet/topups", data={"amount": "50.00"})

    assert answer.status_code in (400, 403)
    assert orders_in(session) == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"amount": "100.00"}, "Pay $100.00"),
        ({"amount": "50.00", "custom": "1234.5"}, "Pay $1,234.50"),
        ({"custom": "9.99"}, "Enter $10.00 or more."),
        ({"custom": "<b>"}, "Enter an amount in figures, like 50 or 50.00."),
        ({}, "Enter an amount in figures, like 50 or 50.00."),
    ],
)
def test_the_quote_says_what_the_button_would_do(ada, client_of, till, query, words):
    answer = client_of(ada).get("/wallet/quote", query_string=query, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert words in answer.text


def test_the_address_can_offer_an_amount_again(ada, client_of, till):
    browser = client_of(ada)

    own, preset = browser.get("/wallet?amount=75.00").text, browser.get("/wallet?amount=100.00").text

    assert 'value="75.00"' in own
    assert "Pay $75.00" in own
    assert re.search(r'value="100.00"[^>]* checked', preset)
    assert browser.get("/wallet", query_string={"amount": '"><script>alert(1)</script>'}).text.count("<script>") == 0
