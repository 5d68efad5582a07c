"""The operator's console."""

from __future__ import annotations

import pytest

from tests.support.pages import page_faults

DAY = 86400


def test_it_shows_the_clock_the_outbox_and_what_came_back(ada, visitor, sandbox, receiver):
    receiver.answers = [500]
    sandbox.deliver()

    page = visitor.get(sandbox.url + "/")

    assert "customer.created" in page.text
    assert "1 pending" in page.text
    assert "Test mode" in page.text
    assert not page_faults(sandbox.app, page.text)


def test_it_is_calm_when_nothing_happened_yet(visitor, sandbox):
    for path in ("/", "/payments"):
        page = visitor.get(sandbox.url + path)
        assert page.status_code == 200
        assert "one yet" in page.text
        assert not page_faults(sandbox.app, page.text)


def test_older_deliveries_are_a_page_away(api, visitor, sandbox):
    for number in range(52):
        api.customers.create({"name": str(number)})

    first = visitor.get(sandbox.url + "/")
    second = visitor.get(sandbox.url + "/?before=3")

    assert 'href="/?before=3"' in first.text
    assert first.text.count("Hold</button>") == 50
    assert second.text.count("Hold</button>") == 2


def test_an_event_shows_its_body_and_every_try(api, ada, visitor, sandbox, receiver):
    receiver.answers = [503]
    sandbox.deliver()
    sandbox.advance(10)
    sandbox.deliver()
    [event] = api.events.list().data

    page = visitor.get(f"{sandbox.url}/objects/{event.id}")

    assert "503" in page.text
    assert "delivered" in page.text
    assert ada.id in page.text
    assert not page_faults(sandbox.app, page.text)


def test_it_shows_payments_sessions_and_customers(visitor, top_up, sandbox):
    paid, left = top_up(amount=123_456), top_up()
    visitor.post(paid.url, data={"method": "4242424242424242"})

    page = visitor.get(sandbox.url + "/payments")

    assert "$1,234.56" in page.text
    assert left.id in page.text
    assert "ada@example.com" in page.text
    assert not page_faults(sandbox.app, page.text)


@pytest.mark.parametrize(
    ("verb", "status", "kind"), [("settle", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed")]
)
def test_a_bank_debit_can_be_decided_by_hand(api, visitor, top_up, *, sandbox, receiver, verb, status, kind):
    session = top_up()
    visitor.post(session.url, data={"method": "000123456789"})
    intent = api.checkout.sessions.retrieve(session.id).payment_intent
    offered = visitor.get(sandbox.url + "/payments").text

    first = visitor.post(f"{sandbox.url}/payments/{intent}/{verb}")
    second = visitor.post(f"{sandbox.url}/payments/{intent}/{verb}")
    sandbox.advance(4 * DAY)
    sandbox.deliver()

    assert "Settle the bank debit" in offered
    assert (first.status_code, second.status_code) == (303, 303)
    assert api.payment_intents.retrieve(intent).status == status
    receiver.only(f"checkout.session.async_payment_{kind}")


def test_a_session_can_be_expired_by_hand(api, visitor, top_up, sandbox):
    session = top_up()

    for _ in range(2):
        assert visitor.post(f"{sandbox.url}/sessions/{session.id}/expire").status_code == 303

    assert api.checkout.sessions.retrieve(session.id).status == "expired"


@pytest.mark.parametrize(("span", "seconds"), [("1h", 3600), ("31d", 31 * DAY), ("90 m", 5400), ("7", 7), ("5s", 5)])
def test_the_clock_moves_forward(visitor, sandbox, span, seconds):
    before = sandbox.sandbox.clock.offset()

    answer = visitor.post(sandbox.url + "/clock", data={"by": span})

    assert answer.status_code == 303
    assert sandbox.sandbox.clock.offset() == before + seconds


@pytest.mark.parametrize("span", ["", "0", "-1d", "1e3", "a day", "99999999d", "1.5h"])
def test_the_clock_takes_no_nonsense(visitor, sandbox, span):
    answer = visitor.post(sandbox.url + "/clock", data={"by": span})

    assert answer.status_code == 422
    assert "Give a span such as 90m, 12h or 31d" in answer.text
    assert sandbox.sandbox.clock.offset() == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/deliveries/mode", 422),
        ("/deliveries/held/burn", 404),
        ("/deliveries/1/burn", 404),
        ("/deliveries/99/now", 404),
        ("/payments/pi_none/settle", 404),
        ("/sessions/cs_none/expire", 404),
    ],
)
def test_buttons_that_do_not_exist_do_nothing(ada, visitor, sandbox, path, status):
    assert visitor.post(sandbox.url + path).status_code == status


def test_its_buttons_cannot_be_pressed_from_another_site(ada, visitor, sandbox):
    answer = visitor.post(sandbox.url + "/deliveries/1/drop", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert sandbox.deliver() == 1
