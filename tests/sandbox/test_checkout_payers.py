"""Who pays on the hosted checkout page, and which cards it saves: customers, guests, and setup mode."""

from __future__ import annotations

from tests.support.pages import page_faults


def pay(visitor, session, **form):
    return visitor.post(session.url, data=form)


def read(api, session):
    return api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})


def test_a_card_is_saved_when_the_shop_wants_it_for_later(api, ada, visitor, top_up, sandbox, receiver):
    session = top_up(payment_intent_data={"setup_future_usage": "off_session"})

    pay(visitor, session, method="4000002500003155")
    visitor.post(session.url + "/authenticate", data={"answer": "approve"})
    sandbox.deliver()

    [card] = api.customers.payment_methods.list(ada.id).data
    later = api.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "customer": ada.id,
            "payment_method": card.id,
            "off_session": True,
            "confirm": True,
        }
    )
    assert card.allow_redisplay == "limited"
    assert receiver.only("payment_method.attached").data.object.id == card.id
    assert later.status == "succeeded"


def test_a_card_is_saved_when_the_payer_asks_and_offered_the_next_time(api, ada, visitor, top_up, sandbox):
    offer = {"saved_payment_method_options": {"payment_method_save": "enabled"}}
    pay(visitor, top_up(**offer), method="4242424242424242", save="1")
    [card] = api.customers.payment_methods.list(ada.id).data

    session = top_up(**offer)
    page = visitor.get(session.url)
    answer = pay(visitor, session, method=card.id)

    assert card.allow_redisplay == "always"
    assert f'value="{card.id}" checked' in page.text
    assert "Visa ending 4242" in page.text
    assert answer.status_code == 303
    assert read(api, session).payment_intent.payment_method == card.id


def test_a_card_is_not_saved_unless_somebody_wants_it(api, ada, visitor, top_up):
    pay(visitor, top_up(), method="4242424242424242")

    assert api.customers.payment_methods.list(ada.id).data == []


def test_somebody_elses_saved_card_cannot_be_chosen(api, visitor, top_up):
    bo = api.customers.create({"name": "Bo"})
    theirs = api.payment_methods.attach("pm_card_visa", {"customer": bo.id})

    assert pay(visitor, top_up(), method=theirs.id).status_code == 422


def guest_session(api, **more):
    price = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Pack"}}
    return api.checkout.sessions.create(
        {"line_items": [{"price_data": price, "quantity": 1}], "success_url": "http://shop.example/", **more}
    )


def test_a_guest_is_asked_for_an_email_and_stays_a_guest(api, visitor):
    session = guest_session(api)

    missing = pay(visitor, session, method="4242424242424242", email="nobody")
    paid = pay(visitor, session, method="4242424242424242", email="cy@example.com", name="Cy")

    now = read(api, session)
    assert missing.status_code == 422
    assert "Enter an email address" in missing.text
    assert paid.status_code == 303
    assert (now.customer, now.customer_details.email) == (None, "cy@example.com")


def test_a_guest_becomes_a_customer_when_the_shop_wants_one(api, visitor, sandbox, receiver):
    session = guest_session(api, customer_creation="always", customer_email="cy@example.com")

    pay(visitor, session, method="4000000000000002")
    pay(visitor, session, method="4242424242424242")
    sandbox.deliver()

    assert receiver.only("customer.created").data.object.email == "cy@example.com"
    assert read(api, session).customer == receiver.only("customer.created").data.object.id


def test_setup_mode_saves_a_card_and_takes_nothing(api, ada, visitor, sandbox, receiver):
    session = api.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "usd",
            "customer": ada.id,
            "success_url": "http://shop.example/?s={CHECKOUT_SESSION_ID}",
        }
    )

    page = visitor.get(session.url)
    refused = pay(visitor, session, number="4000000000000002")
    answer = pay(visitor, session, method="4242424242424242")
    sandbox.deliver()

    done = receiver.only("checkout.session.completed").data.object
    assert "Save a card" in page.text
    assert not page_faults(sandbox.app, page.text)
    assert refused.status_code == 402
    assert answer.headers["Location"] == f"http://shop.example/?s={session.id}"
    assert (done.payment_status, done.payment_intent, done.amount_total) == ("no_payment_required", None, None)
    assert api.setup_intents.retrieve(done.setup_intent).status == "succeeded"
    assert [card.card.last4 for card in api.customers.payment_methods.list(ada.id).data] == ["4242"]
    assert api.payment_intents.list().data == []


def test_setup_mode_asks_3d_secure_too(api, ada, visitor):
    session = api.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": ada.id, "success_url": "http://shop.example/"}
    )

    pay(visitor, session, method="4000002500003155")
    failed = visitor.post(session.url + "/authenticate", data={"answer": "fail"})
    pay(visitor, session, method="4000002500003155")
    visitor.post(session.url + "/authenticate", data={"answer": "approve"})

    assert failed.status_code == 402
    assert read(api, session).status == "complete"


def test_a_bank_account_cannot_be_saved_as_a_card(api, ada, visitor):
    session = api.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": ada.id, "success_url": "http://shop.example/"}
    )

    assert pay(visitor, session, number="000123456789").status_code == 422
