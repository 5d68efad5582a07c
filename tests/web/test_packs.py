"""Buying a credit pack on a page: what it comes to, the way to the payment page, and what may be in the way."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from app import credits
from app.catalogue import file, publish, shipped
from app.catalogue.models import Pack
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import buy_pack
from app.payments import reads
from app.payments.models import Order
from app.providers.events import PaymentSucceeded
from app.providers.values import Cap
from tests.web.conftest import PAGE

HX = {"HX-Request": "true"}
FORM = {"form_key": "form_1", "price": "4500", "credits": "500"}


@pytest.fixture(autouse=True)
def view(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


@pytest.fixture
def coupon(session):
    def make(kind="percent", value=20):
        with transaction(session):
            return issue.make(
                session, Terms("PACK20", kind, value, Limits("A coupon"), scope={"packs": ["medium"]}), actor="usr_s"
            )

    return make


@pytest.fixture
def paid(session, clock):
    """What the worker does when a provider's event says that a pack is paid."""

    def pay(order_id):
        with transaction(session):
            order = session.query(Order).filter_by(id=order_id).populate_existing().one()
            told = PaymentSucceeded(
                provider="stripe", event_id="evt_1", raw_type="paid", occurred_at=clock.now, livemode=False,
                payment_id="pi_1", order_id=order.id, net=order_money(order), tax=0, customer_id=None, invoice_id=None,
            )  # fmt: skip
            buy_pack.paid(session, order, told, "whe_1")

    return pay


def order_money(order):
    return buy_pack.Money(order.amount_minor, order.currency)


def bought(session, ada):
    session.rollback()
    session.expire_all()
    return reads.orders_of(session, ada.customer_id)


def test_the_page_says_what_it_comes_to_in_money_and_in_credits(ada, client_of, till, session):
    with transaction(session):
        credits.grant(session, ada.customer_id, 30, source="promo", key="k", actor="system")

    browser = client_of(ada)
    has = credits.balance(session, ada.customer_id).available
    page = browser.get("/credits/packs/medium").text

    known = ("Buy 500 credits", "9.00¢ a credit, 50 × generate a model", "$45.00", "+500")
    for words in (*known, f"<dd>{has}</dd>", f"<dd>{has + 500}</dd>"):
        assert words in page
    assert "Pay $45.00" in page


def test_the_panel_offers_each_pack_with_a_dialog(app, ada, client_of, till):
    page = client_of(ada).get("/credits").text

    assert page.count("Buy 500 credits") == 2, "the button and the title of its dialog"
    assert re.findall(r"(\d+)% less per credit", page) == ["10", "20"]
    assert page.count('class="btn primary" command') == 1
    assert page.count("<dialog") == 3


def test_buying_leads_to_the_checkout_and_twice_to_the_same(ada, client_of, till, session):
    browser = client_of(ada)

    first, second = (browser.post("/credits/packs/medium", data=FORM) for _ in range(2))

    [order] = bought(session, ada)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location == PAGE + order.id
    [asked] = till.asked[:1]
    assert asked.success_url.endswith(f"/invoices/orders/{order.id}")
    assert asked.cancel_url.endswith(f"/invoices/orders/{order.id}?left=1")


def test_another_price_than_was_shown_is_told_and_nothing_is_opened(ada, client_of, till, session):
    with transaction(session):
        session.get_one(Pack, "medium").price_minor = 5_000

    answer = client_of(ada).post("/credits/packs/medium", data=FORM)

    assert answer.status_code == 409
    assert "has changed since this page was opened" in answer.text
    assert "Pay $50.00" in answer.text
    assert bought(session, ada) == []


def test_a_retired_pack_says_so_and_leads_to_the_others(ada, client_of, till, session):
    with transaction(session):
        publish.apply(session, file.read("", currency="usd"), actor="cli")
    browser = client_of(ada)

    for answer in (browser.get("/credits/packs/medium"), browser.post("/credits/packs/medium", data=FORM)):
        assert answer.status_code == 422
        assert "no longer sold" in answer.text
        assert 'href="/credits"' in answer.text
    assert browser.get("/credits/packs/nothing").status_code == 404


def test_a_provider_that_does_not_answer_charges_nothing_and_the_form_works_again(ada, client_of, till, session):
    browser, till.is_down = client_of(ada), True
    answer = browser.post("/credits/packs/medium", data=FORM)
    assert (answer.status_code, "Nothing was charged" in answer.text) == (503, True)

    till.is_down = False
    assert browser.post("/credits/packs/medium", data=FORM).status_code == 303
    assert len(bought(session, ada)) == 1


def test_a_coupon_is_shown_and_taken_off(ada, client_of, till, session, coupon):
    coupon()
    browser = client_of(ada)

    looked = browser.get("/credits/packs/medium/quote?coupon=pack20", headers=HX).text
    for words in ("−$9.00", "$36.00", 'id="pay-medium" hx-swap-oob="true">Pay $36.00'):
        assert words in looked
    browser.post("/credits/packs/medium", data=FORM | {"coupon": "pack20"})

    assert [order.amount_minor for order in bought(session, ada)] == [3_600]


def test_a_coupon_that_is_refused_is_told_beside_its_field_and_kept(ada, client_of, till, session, coupon):
    coupon()
    form = {"form_key": "form_1", "price": "1000", "credits": "100", "coupon": "PACK20"}

    answer = client_of(ada).post("/credits/packs/small", data=form)

    assert answer.status_code == 422
    assert 'id="coupon-e"' in answer.text
    assert 'value="PACK20"' in answer.text
    assert bought(session, ada) == []


def test_a_coupon_that_takes_off_everything_needs_no_payment_page(ada, client_of, till, session, coupon):
    coupon("percent", 100)
    browser = client_of(ada)

    answer = browser.post("/credits/packs/medium", data=FORM | {"coupon": "PACK20"})

    [order] = bought(session, ada)
    assert answer.location == f"/invoices/orders/{order.id}"
    page = browser.get(answer.location).text
    for words in ("500 credits are yours", "The coupon paid for it", "−$45.00", "$0.00"):
        assert words in page
    assert till.asked == []


def test_who_may_only_look_is_offered_no_button(ada, cy, client_of, till):
    page = client_of(cy).get("/credits/packs/medium").text

    assert "You can look, not pay" in page
    assert "Pay $45.00" not in page
    assert client_of(cy).post("/credits/packs/medium", data=FORM).status_code == 403


def test_without_a_provider_nothing_is_sold(app, ada, client_of):
    app.extensions["providers"] = {}

    page = client_of(ada).get("/credits/packs/medium").text

    assert "Packs cannot be bought now" in page
    assert client_of(ada).post("/credits/packs/medium", data=FORM).status_code == 422


def test_the_order_page_waits_and_says_when_the_credits_are_there(ada, client_of, till, session, paid):
    browser = client_of(ada)
    browser.post("/credits/packs/medium", data=FORM)
    [order] = bought(session, ada)
    waiting = browser.get(f"/invoices/orders/{order.id}").text
    [asks] = re.findall(r'hx-get="([^"]+)" hx-trigger="every 2s"', waiting)
    asks = asks.replace("&amp;", "&")
    assert browser.get(asks, headers=HX).status_code == 204

    paid(order.id)
    news = browser.get(asks, headers=HX)

    assert "500 credits are yours" in news.text
    assert "hx-get" not in news.text, "the waiting ends"
    assert news.headers["HX-Trigger"] == "credits-changed"
    assert 'id="facts" hx-get' in waiting, "what it comes to and what happened follow the news"
    found = credits.find_grant(session, ada.customer_id, "pack:stripe:pi_1")
    assert found.entry_id in browser.get(f"/invoices/orders/{order.id}").text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("open", "You left the payment page"),
        ("processing", "The payment is on its way"),
        ("failed", "Your bank said no."),
        ("expired", "The payment page has closed"),
    ],
)
def test_each_state_has_its_words(ada, client_of, till, session, state, words):
    browser = client_of(ada)
    browser.post("/credits/packs/medium", data=FORM)
    [order] = bought(session, ada)
    with transaction(session):
        buy_pack.orders.move(session, order, state, failure="Your bank said no." if state == "failed" else None)

    page = browser.get(f"/invoices/orders/{order.id}?left=1").text

    assert words in page
    assert "500 credits" in page


def test_a_pack_is_no_top_up_and_shows_where_it_belongs_while_it_is_on_its_way(ada, client_of, till, session):
    browser = client_of(ada)
    browser.post("/credits/packs/medium", data=FORM)
    [order] = bought(session, ada)
    with transaction(session):
        buy_pack.orders.move(session, order, "processing")

    assert browser.get(f"/wallet/topups/{order.id}").status_code == 404
    assert order.id not in browser.get("/wallet").text
    assert f'href="/invoices/orders/{order.id}"' in browser.get("/credits").text


def test_a_coupon_on_a_page_that_was_left_counts_for_the_next_pack(app, ada, client_of, till, session, coupon):
    till.capabilities = frozenset({Cap.CUSTOM_AMOUNT, Cap.EXPIRE_CHECKOUT})
    till.expire_checkout = lambda page: replace(till.get_checkout(page), status="expired")
    coupon()
    browser = client_of(ada)
    browser.post("/credits/packs/medium", data=FORM | {"coupon": "PACK20"})

    assert "Pay $36.00" in browser.get("/credits/packs/medium/quote?coupon=PACK20", headers=HX).text
    again = browser.post("/credits/packs/medium", data=FORM | {"coupon": "PACK20", "form_key": "form_2"})

    states = {order.state: order.amount_minor for order in bought(session, ada)}
    assert again.status_code == 303
    assert states == {"expired": 3_600, "open": 3_600}
