"""The page behind the checkout: it waits, finds out by itself, and says how it ended and what to do next."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import PAGE

HX = {"HX-Request": "true"}


def look(browser, order, seen="", **query):
    address = f"/wallet/topups/{order.id}/status"
    return browser.get(address, query_string={"seen": seen, **query}, headers=HX)


def next_look(page: str) -> str:
    found = re.search(r'id="waiting"[^>]* hx-get="([^"]+)"', page)
    assert found, "the page does not ask again"
    return found[1].replace("&amp;", "&")


def test_while_it_is_open_it_asks_again_by_itself(ada, client_of, order_of):
    page = client_of(ada).get(f"/wallet/topups/{order_of(ada).id}").text

    assert "Waiting for your payment to be confirmed" in page
    assert 'hx-trigger="every 2s"' in page
    assert "Check again" in page


def test_nothing_new_is_an_empty_answer(ada, client_of, order_of):
    browser = client_of(ada)
    page = browser.get(f"/wallet/topups/{order_of(ada).id}").text

    answer = browser.get(next_look(page), headers=HX)

    assert answer.status_code == 204
    assert answer.data == b""


def test_the_payment_ends_the_waiting_and_tells_the_balance(ada, client_of, order_of, pay):
    browser, order = client_of(ada), order_of(ada)
    page = browser.get(f"/wallet/topups/{order.id}").text
    pay(order.id)

    answer = browser.get(next_look(page), headers=HX)

    assert "$50.00 is in your wallet" in answer.text
    assert "$55.00" in answer.text
    assert "hx-get" not in answer.text
    assert answer.headers["HX-Trigger"] == "wallet-changed"
    assert 'id="flash" hx-swap-oob="innerHTML"' in answer.text


def test_after_two_minutes_it_looks_less_often(ada, client_of, order_of, clock):
    browser, order = client_of(ada), order_of(ada)
    seen = next_look(browser.get(f"/wallet/topups/{order.id}").text)
    clock.advance(minutes=3)

    answer = browser.get(seen, headers=HX)

    assert 'hx-trigger="every 10s"' in answer.text
    assert "This takes longer than usual." in answer.text


@pytest.mark.parametrize(
    ("state", "word", "words"),
    [
        ("processing", "Processing", "bank debit"),
        ("failed", "Payment failed", "Your bank said no. Nothing was added"),
        ("expired", "Expired", "Nothing was charged."),
        ("canceled", "Canceled", "Nothing was charged."),
        ("paid", "Paid", "can be spent now"),
    ],
)
def test_every_state_says_what_happened(ada, client_of, order_of, state, word, words):
    more = {"failure": "Your bank said no."} if state == "failed" else {}

    page = client_of(ada).get(f"/wallet/topups/{order_of(ada, state, **more).id}").text

    assert word in page
    assert words in page
    assert "Top-up of $50.00" in page


@pytest.mark.parametrize("state", ["failed", "expired", "canceled"])
def test_what_went_wrong_offers_the_same_amount_again(ada, client_of, order_of, till, state):
    browser = client_of(ada)

    page = browser.get(f"/wallet/topups/{order_of(ada, state, cents=7_500).id}").text

    again = re.search(r'href="(/wallet\?amount=75\.00)#topup">Top up \$75\.00 again', page)
    assert again
    assert 'value="75.00"' in browser.get(again[1]).text


@pytest.mark.parametrize("state", ["failed", "expired", "canceled", "paid"])
def test_the_end_is_the_end_of_asking(ada, client_of, order_of, state):
    order = order_of(ada, state)
    browser = client_of(ada)

    assert "every" not in browser.get(f"/wallet/topups/{order.id}").text
    assert "every" not in look(browser, order).text


def test_who_comes_back_unpaid_is_told_that_nothing_was_charged(ada, client_of, order_of, pay):
    browser, order = client_of(ada), order_of(ada)

    page = browser.get(f"/wallet/topups/{order.id}?left=1").text

    assert "Nothing was charged." in page
    assert f'href="{PAGE}{order.id}">Go on and pay $50.00' in page
    assert "Change the amount" in page
    assert browser.get(next_look(page), headers=HX).status_code == 204

    pay(order.id)
    assert "$50.00 is in your wallet" in browser.get(next_look(page), headers=HX).text


def test_who_may_only_look_is_not_offered_to_pay(ada, cy, client_of, order_of):
    order, failed = order_of(ada), order_of(ada, "failed")
    browser = client_of(cy)

    pages = [browser.get(f"/wallet/topups/{order.id}?left=1"), look(browser, order, left="1")]
    pages += [browser.get(f"/wallet/topups/{failed.id}")]

    for answer in pages:
        assert answer.status_code == 200
        assert "Nothing was" in answer.text
        for offer in (PAGE, "Go on and pay", "Change the amount", "Top up $50.00 again"):
            assert offer not in answer.text, offer


def test_another_customers_order_is_not_there(ada, bo, client_of, order_of):
    order = order_of(ada)
    browser = client_of(bo)

    for address in (f"/wallet/topups/{order.id}", f"/wallet/topups/{order.id}/status", "/wallet/topups/ord_none"):
        answer = browser.get(address)
        assert answer.status_code == 404, address
        assert "$50.00" not in answer.text


def test_signed_out_it_asks_to_sign_in_and_stops_asking(client, ada, order_of):
    order = order_of(ada)

    page, partial = client.get(f"/wallet/topups/{order.id}"), look(client, order)

    assert page.status_code == 303
    assert partial.status_code == 401
    assert partial.headers["HX-Redirect"].startswith("/sign-in")


def test_a_member_who_may_only_read_sees_it(cy, ada, client_of, order_of):
    assert client_of(cy).get(f"/wallet/topups/{order_of(ada).id}").status_code == 200
