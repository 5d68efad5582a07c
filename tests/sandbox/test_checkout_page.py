"""The hosted checkout page, used as a browser without script uses it."""

from __future__ import annotations

import re
import threading

import httpx
import pytest

from tests.support.pages import page_faults

DAY = 86400


def pay(visitor, session, **form):
    return visitor.post(session.url, data=form)


def read(api, session):
    return api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})


def test_it_shows_what_is_bought_and_that_no_money_moves(visitor, top_up, sandbox):
    page = visitor.get(top_up().url)

    assert page.status_code == 200
    assert "Test mode" in page.text
    assert "Wallet top-up" in page.text
    assert "Pay $50.00" in page.text
    assert not page_faults(sandbox.app, page.text)


def test_its_policy_allows_no_script_and_the_way_back(visitor, top_up):
    page = visitor.get(top_up().url)

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "form-action 'self' http://shop.example" in policy
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.text)


def test_a_good_card_pays_and_leads_back(api, visitor, top_up):
    session = top_up()

    answer = pay(visitor, session, method="4242424242424242")

    now = read(api, session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://shop.example/done?session_id={session.id}"
    assert (now.status, now.payment_status, now.url) == ("complete", "paid", None)
    assert now.customer_details.email == "ada@example.com"


def test_session_payment_and_charge_agree_on_the_amount(api, visitor, top_up):
    session = top_up(amount=123_457)

    pay(visitor, session, number="4242 4242 4242 4242")

    now = read(api, session)
    intent, charge = now.payment_intent, now.payment_intent.latest_charge
    assert {now.amount_total, intent.amount, intent.amount_received, charge.amount, charge.amount_captured} == {123_457}
    assert {now.currency, intent.currency, charge.currency} == {"usd"}


def test_the_metadata_of_session_and_payment_stay_apart(api, visitor, top_up):
    session = top_up()

    pay(visitor, session, method="4242424242424242")

    now = read(api, session)
    assert now.metadata.to_dict() == {"of": "session"}
    assert now.payment_intent.metadata.to_dict() == {"of": "payment"}


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
    ],
)
def test_a_declined_card_is_told_and_another_may_be_tried(api, visitor, top_up, *, sandbox, receiver, card, words):
    session = top_up()

    refused = pay(visitor, session, number=card)
    between = read(api, session)
    paid = pay(visitor, session, number="4242424242424242")
    after = read(api, session)
    sandbox.deliver()

    assert refused.status_code == 402
    assert words in refused.text
    assert "Nothing was taken" in refused.text
    assert (between.status, between.payment_status, between.payment_intent.amount_received) == ("open", "unpaid", 0)
    assert paid.status_code == 303
    assert after.payment_intent.id == between.payment_intent.id
    assert receiver.only("payment_intent.payment_failed").data.object.id == after.payment_intent.id
    assert receiver.only("checkout.session.completed").data.object.payment_status == "paid"


def test_3d_secure_approved_pays(api, visitor, top_up, sandbox):
    session = top_up()

    asked = pay(visitor, session, method="4000002500003155")
    question = visitor.get(session.url + "/authenticate")
    waiting = read(api, session)
    answer = visitor.post(session.url + "/authenticate", data={"answer": "approve"})

    assert asked.headers["Location"] == f"/c/pay/{session.id}/authenticate"
    assert "Confirm it is you" in question.text
    assert not page_faults(sandbox.app, question.text)
    assert (waiting.status, waiting.payment_intent.status) == ("open", "requires_action")
    assert answer.headers["Location"].startswith("http://shop.example/done")
    assert (
        read(api, session).payment_intent.latest_charge.payment_method_details.card.three_d_secure.result
        == "authenticated"
    )


def test_3d_secure_failed_takes_nothing_and_may_be_tried_again(api, visitor, top_up):
    session = top_up()
    pay(visitor, session, method="4000002500003155")

    answer = visitor.post(session.url + "/authenticate", data={"answer": "fail"})

    now = read(api, session)
    assert answer.status_code == 402
    assert "unable to authenticate" in answer.text
    assert (now.status, now.payment_intent.status, now.payment_intent.latest_charge) == (
        "open",
        "requires_payment_method",
        None,
    )
    assert pay(visitor, session, method="4242424242424242").status_code == 303


def test_3d_secure_that_nobody_asked_for_leads_back_to_the_page(visitor, top_up):
    session = top_up()

    assert visitor.get(session.url + "/authenticate").status_code == 303
    assert visitor.post(session.url + "/authenticate", data={"answer": "approve"}).status_code == 303


def test_a_bank_debit_completes_unpaid_and_pays_days_later(api, visitor, top_up, sandbox, receiver):
    session = top_up()

    answer = pay(visitor, session, method="000123456789")
    sandbox.deliver()
    first = receiver.only("checkout.session.completed").data.object
    sandbox.advance(3 * DAY)
    sandbox.deliver()

    assert answer.status_code == 303
    assert (first.status, first.payment_status) == ("complete", "unpaid")
    assert receiver.only("checkout.session.async_payment_succeeded").data.object.payment_status == "paid"
    assert read(api, session).payment_intent.amount_received == 5000


def test_a_bank_debit_can_fail_days_later(api, visitor, top_up, sandbox, receiver):
    session = top_up()
    pay(visitor, session, method="000111111116")

    sandbox.advance(3 * DAY)
    sandbox.deliver()

    assert receiver.only("checkout.session.async_payment_failed").data.object.payment_status == "unpaid"
    assert "checkout.session.async_payment_succeeded" not in receiver.kinds
    assert read(api, session).payment_intent.status == "requires_payment_method"


def test_it_takes_test_numbers_only_and_keeps_what_was_typed(visitor, top_up, sandbox):
    answer = pay(visitor, top_up(), number="4111 1111 1111 1111")

    assert answer.status_code == 422
    assert "Never type a real card number" in answer.text
    assert 'value="4111 1111 1111 1111"' in answer.text
    assert not page_faults(sandbox.app, answer.text)


def test_choosing_nothing_is_told(visitor, top_up):
    assert "Choose how to pay" in pay(visitor, top_up()).text


def test_leaving_is_a_link_to_the_shop(visitor, top_up):
    assert 'href="http://shop.example/wallet"' in visitor.get(top_up().url).text


def test_an_expired_page_takes_nothing(api, visitor, top_up, sandbox):
    session = top_up()
    sandbox.advance(DAY + 1)

    page, answer = visitor.get(session.url), pay(visitor, session, method="4242424242424242")

    assert "This checkout has expired" in page.text
    assert answer.headers["Location"] == f"/c/pay/{session.id}"
    assert read(api, session).payment_intent is None


def test_paying_twice_takes_the_money_once(api, visitor, top_up):
    session = top_up()

    first = pay(visitor, session, method="4242424242424242")
    second = pay(visitor, session, method="4242424242424242")

    assert first.headers["Location"] == second.headers["Location"]
    assert len(api.payment_intents.list().data) == 1
    assert "You are all done here" in visitor.get(session.url).text


def test_two_clicks_at_once_take_the_money_once(api, top_up):
    session = top_up()
    together = threading.Barrier(2)
    statuses = []

    def click():
        together.wait()
        statuses.append(httpx.post(session.url, data={"method": "4242424242424242"}, timeout=10).status_code)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [303, 303]
    assert len(api.charges.list().data) == 1


@pytest.mark.parametrize(
    "path", ["/c/pay/cs_test_none", "/p/bps_none", "/i/in_none", "/r/ch_none", "/objects/none", "/nowhere"]
)
def test_an_address_that_leads_nowhere_says_so(visitor, sandbox, path):
    page = visitor.get(sandbox.url + path)

    assert page.status_code == 404
    assert "Nothing is here" in page.text
    assert not page_faults(sandbox.app, page.text)


def test_a_post_from_another_site_is_refused(visitor, top_up, sandbox, api):
    session = top_up()
    form = {"method": "4242424242424242"}

    foreign = visitor.post(session.url, data=form, headers={"Sec-Fetch-Site": "cross-site"})
    sibling = visitor.post(session.url, data=form, headers={"Sec-Fetch-Site": "same-site"})
    older = httpx.post(session.url, data=form, headers={"Origin": "http://evil.example"})
    hidden = httpx.post(session.url, data=form, headers={"Origin": "null"})

    assert {answer.status_code for answer in (foreign, sibling, older, hidden)} == {403}
    assert read(api, session).status == "open"
    assert httpx.post(session.url, data=form, headers={"Origin": sandbox.url}).status_code == 303
