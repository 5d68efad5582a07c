"""/plan: what the customer has, every plan with the way to it, and buying one from the wallet (SPEC P5, P6, P7, P8)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import coupons, credits
from app.catalogue import file, publish, shipped
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.extensions import db
from app.money import Money
from app.payments import orders
from app.payments.models import WAITING
from app.subscriptions import changes, lifecycle, standing
from app.wallet import frozen
from tests.support.people import Person
from tests.support.web import PageClient

Browser = Callable[[Person], PageClient]


@pytest.fixture
def shop(session: Session) -> None:
    """Free, Starter ($29.00 a month, $290.00 a year), Growth ($99.00, $990.00) and Enterprise are on offer."""
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


@pytest.fixture
def buy(client_of: Browser) -> Callable[..., PageClient]:
    """This person takes a plan from the wallet: `buy(ada, "starter", cents=10_000)`."""

    def bought(who: Person, plan: str, interval: str = "month", cents: int = 100_000) -> PageClient:
        who.gets(cents)
        browser = client_of(who)
        sent = {"plan": plan, "interval": interval, "by": "wallet", "form_key": "a-form"}
        assert browser.post("/plan/change", data=sent).status_code == 303
        return browser

    return bought


def text(answer) -> str:
    return answer.get_data(as_text=True).replace("\N{NO-BREAK SPACE}", " ")


def test_without_plans_on_offer_it_says_so(client_of, ada):
    page = text(client_of(ada).get("/plan"))

    assert "You are on no plan" in page
    assert "No plans are on offer" in page


@pytest.mark.usefixtures("shop", "till")
def test_who_is_on_the_free_plan_sees_the_way_to_each_other(client_of, ada):
    page = text(client_of(ada).get("/plan"))

    assert "You are on Free. Nothing is charged for it." in page
    assert "Upgrade to Starter" in page
    assert 'href="/plan/change?plan=growth&amp;interval=month"' in page
    assert page.count("btn primary") == 1


@pytest.mark.usefixtures("shop", "till")
def test_the_switch_shows_yearly_prices_and_htmx_gets_the_part_alone(client_of, ada):
    browser = client_of(ada)

    whole = text(browser.get("/plan?interval=year"))
    part = text(browser.get("/plan?interval=year", headers={"HX-Request": "true"}))

    for page in (whole, part):
        assert "$290.00" in page
        assert 'href="/plan/change?plan=starter&amp;interval=year"' in page
    assert "<html" not in part
    assert part.lstrip().startswith("<div")


@pytest.mark.usefixtures("shop", "till")
def test_who_may_only_look_is_offered_nothing_to_press(client_of, cy):
    page = text(client_of(cy).get("/plan"))

    assert "Upgrade to Starter" not in page
    assert client_of(cy).get("/plan/change?plan=starter").status_code == 403


@pytest.mark.usefixtures("shop", "till")
def test_a_first_plan_from_the_wallet_is_paid_and_begins(client_of, ada, session):
    ada.gets(5_000)
    browser = client_of(ada)

    offer = text(browser.get("/plan/change?plan=starter&interval=month&by=wallet"))
    key = offer.split('name="form_key" value="')[1].split('"')[0]
    sent = {"plan": "starter", "interval": "month", "by": "wallet", "form_key": key}
    answers = [browser.post("/plan/change", data=sent) for _ in range(2)]

    assert "Pay $29.00 and start Starter" in offer
    assert "1,000" in offer  # what is had now
    assert "25,000" in offer  # and what will be
    assert [answer.status_code for answer in answers] == [303, 303]
    assert ada.balance() == (500 + 5_000 - 2_900) * 10_000  # once, however often the form is sent
    page = text(browser.get("/plan"))
    assert "You are on Starter, billed monthly. Renews" in page
    assert "From the wallet" in page
    assert standing.of(session, ada.customer_id).tier == "starter"


@pytest.mark.usefixtures("shop", "till")
def test_a_wallet_that_is_short_says_by_how_much(client_of, ada):
    browser = client_of(ada)

    offer = text(browser.get("/plan/change?plan=starter&interval=month&by=wallet"))
    refused = browser.post("/plan/change", data={"plan": "starter", "by": "wallet", "form_key": "k"})

    assert "The wallet is short by $24.00" in offer
    assert "Top up $24.00 or more" in offer
    assert refused.status_code == 402
    assert "The wallet cannot cover this" in text(refused)
    assert "$24.00" in text(refused)
    assert ada.balance() == 500 * 10_000


@pytest.mark.usefixtures("shop", "till")
@pytest.mark.parametrize(
    ("asked", "status"),
    [("plan=nothing", 404), ("plan=enterprise", 422), ("plan=free", 422), ("plan=starter&interval=week", 200)],
)
def test_what_is_not_for_sale_is_refused_with_a_sentence(client_of, ada, asked, status):
    assert client_of(ada).get(f"/plan/change?{asked}").status_code == status


@pytest.mark.usefixtures("shop", "till")
def test_a_coupon_on_a_page_that_was_left_counts_here(client_of, ada, session):
    with transaction(session):
        issue.make(session, Terms("HALF", "percent", 50, Limits("Half"), scope={"plans": []}), actor="usr_s")
        left = orders.open_order(
            session,
            customer_id=ada.customer_id,
            kind="subscription",
            amount_minor=2_900,
            currency="usd",
            channel="stripe",
            form_key="left",
            created_by=ada.id,
        )
        price = Money(2_900, "usd")
        coupons.reserve(session, "HALF", customer_id=ada.customer_id, what="plan:starter", price=price, key=left.id)
        orders.move(session, left, "open")

    page = text(client_of(ada).get("/plan/change?plan=starter&interval=month&by=card&coupon=HALF"))

    assert "$14.50" in page
    assert 'id="coupon-e"' not in page


@pytest.mark.usefixtures("shop", "till")
def test_an_unknown_coupon_is_said_at_its_field(client_of, ada):
    page = text(client_of(ada).get("/plan/change?plan=starter&interval=month&coupon=NONE"))

    assert 'id="coupon-e"' in page
    assert 'value="NONE"' in page


@pytest.mark.usefixtures("shop", "till")
@pytest.mark.parametrize(("path", "most"), [("/plan", 24), ("/", 31), ("/payment-methods", 20)])
def test_a_page_asks_the_database_no_more_than_so_often(app, ada, buy, path, most):
    browser = buy(ada, "starter")
    with app.app_context():
        engine = db.engine
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    browser.get(path)

    assert 0 < len(asked) <= most, (len(asked), asked)


@pytest.mark.usefixtures("shop", "till")
def test_a_subscriber_is_not_offered_a_second_first_plan(buy, ada):
    browser = buy(ada, "starter")

    answer = browser.post("/plan/change", data={"plan": "growth", "by": "wallet", "form_key": "another"})

    assert answer.status_code == 409
    assert ada.balance() == (500 + 100_000 - 2_900) * 10_000


@pytest.mark.usefixtures("shop", "till")
@pytest.mark.parametrize("path", ["/plan/undo", "/plan/resume", "/plan/retry", "/plan/cancel", "/plan/pay-by"])
def test_who_may_only_look_may_press_nothing(client_of, cy, path):
    assert client_of(cy).post(path).status_code == 403


def test_another_customers_order_looks_like_nothing(client_of, order_of, ada, bo):
    topup = order_of(ada, "open")

    assert client_of(bo).get(f"/plan/orders/{topup.id}").status_code == 404
    assert client_of(ada).get(f"/plan/orders/{topup.id}").status_code == 404  # a top-up is no plan


@pytest.mark.usefixtures("shop", "till")
def test_a_press_that_is_refused_is_told_on_the_page(buy, ada):
    browser = buy(ada, "starter")

    answer = browser.post("/plan/pay-by", data={"by": "card"})

    assert answer.status_code == 409
    assert "This was not done" in text(answer)
    assert "You are on Starter" in text(answer)


@pytest.mark.usefixtures("shop", "till")
def test_an_upgrade_from_the_wallet_costs_what_the_preview_says(buy, ada):
    browser = buy(ada, "starter", cents=50_000)
    before = ada.balance()

    preview = text(browser.get("/plan/change?plan=growth&interval=month"))
    due = re.search(r"Pay \$([\d.]+) and upgrade to Growth", preview)
    change = re.search(r'name="change_id" value="(\w+)"', preview)
    assert due
    assert change
    sent = {"plan": "growth", "interval": "month", "change_id": change[1]}
    answer = browser.post("/plan/change", data=sent)

    assert answer.status_code == 303
    assert before - ada.balance() == int(due[1].replace(".", "")) * 10_000
    assert "You are on Growth" in text(browser.get("/plan"))
    assert browser.post("/plan/change", data=sent).status_code == 303  # sent again it says how it ended
    assert before - ada.balance() == int(due[1].replace(".", "")) * 10_000


@pytest.mark.usefixtures("shop", "till")
def test_an_upgrade_says_beforehand_that_the_wallet_cannot_pay_it(buy, ada, session):
    browser = buy(ada, "starter", cents=3_000)
    address = "/plan/change?plan=growth&interval=month"

    short = text(browser.get(address))
    with transaction(session):
        frozen.freeze_by_hand(session, ada.customer_id, "usd", reason="Card testing", actor="staff:usr_1")

    assert "The wallet is short by $" in short
    assert "The wallet is frozen and pays for nothing now" in text(browser.get(address))


@pytest.mark.usefixtures("shop", "till")
def test_a_first_plan_is_not_offered_from_a_frozen_wallet(client_of, ada, session):
    ada.gets(100_000)
    with transaction(session):
        frozen.freeze_by_hand(session, ada.customer_id, "usd", reason="Card testing", actor="staff:usr_1")

    offer = text(client_of(ada).get("/plan/change?plan=starter&interval=month&by=wallet"))

    assert "The wallet is frozen and pays for nothing now" in offer
    assert "See why it is frozen" in offer
    assert "and start Starter" not in offer


@pytest.mark.usefixtures("shop", "till")
def test_a_downgrade_waits_and_can_be_taken_back(buy, ada):
    browser = buy(ada, "growth")
    preview = text(browser.get("/plan/change?plan=starter&interval=month"))
    change = re.search(r'name="change_id" value="(\w+)"', preview)
    assert change

    browser.post("/plan/change", data={"plan": "starter", "interval": "month", "change_id": change[1]})
    waiting = text(browser.get("/plan"))
    browser.post("/plan/undo")
    after = text(browser.get("/plan"))

    assert "Downgrade to Starter on" in preview
    assert "You move to Starter on" in waiting
    assert "Your next plan" in waiting
    assert "You move to" not in after


@pytest.mark.usefixtures("shop", "till")
def test_a_price_that_no_longer_holds_is_not_charged_and_the_new_one_is_shown(buy, ada, clock, client_of):
    browser = buy(ada, "starter")
    change = re.search(r'name="change_id" value="(\w+)"', text(browser.get("/plan/change?plan=growth&interval=month")))
    assert change
    before = ada.balance()
    clock.advance(minutes=11)

    answer = browser.post("/plan/change", data={"plan": "growth", "interval": "month", "change_id": change[1]})

    assert answer.status_code == 409
    assert "Nothing was charged" in text(answer)
    assert change[1] not in text(answer)
    assert "and upgrade to Growth" in text(answer)
    assert ada.balance() == before


@pytest.mark.usefixtures("shop", "till")
def test_cancelling_at_the_end_is_told_and_can_be_taken_back(buy, ada):
    browser = buy(ada, "starter")

    asked = text(browser.get("/plan/cancel"))
    browser.post("/plan/cancel", data={"when": "period_end", "reason": "unused", "comment": "Too quiet here"})
    ending = text(browser.get("/plan"))
    browser.post("/plan/resume")

    assert "Cancel now and get $29.00 back" in asked
    assert "Starter ends" in ending
    assert "Keep Starter" in ending
    assert "Renews" in text(browser.get("/plan"))


@pytest.mark.usefixtures("shop", "till")
def test_cancelling_now_tells_which_credits_go_with_the_money(buy, ada, session):
    browser = buy(ada, "starter")
    before = credits.balance(session, ada.customer_id).available
    with transaction(session):
        live = lifecycle.the_live(session, ada.customer_id)
        ends = live.period_end
        told = {"source": "included", "key": f"included:{live.id}:now", "actor": "system", "expires_at": ends}
        credits.grant(session, ada.customer_id, 100, **told)

    asked = text(browser.get("/plan/cancel"))
    browser.post("/plan/cancel", data={"when": "now"})

    assert "100 credits that came with the plan for that time, and are not spent, end with it." in asked
    assert credits.balance(session, ada.customer_id).available == before


@pytest.mark.usefixtures("shop", "till")
def test_cancelling_now_pays_the_rest_back_to_the_wallet(buy, ada):
    browser = buy(ada, "starter")
    before = ada.balance()

    answer = browser.post("/plan/cancel", data={"when": "now"}, follow_redirects=True)

    assert "Your plan has ended. $29.00 goes back to your wallet." in text(answer)
    assert "You are on Free" in text(answer)
    assert ada.balance() == before + 2_900 * 10_000


@pytest.mark.parametrize(
    ("state", "left", "words"),
    [
        ("pending", "", "Waiting for your payment to be confirmed"),
        ("open", "", "Waiting for your payment to be confirmed"),
        ("open", "?left=1", "You left the payment page"),
        ("processing", "", "The payment is on its way"),
        ("failed", "", "Your card was declined. Nothing was charged"),
        ("expired", "", "The payment page has closed"),
        ("canceled", "", "This order was canceled"),
    ],
)
def test_the_page_after_the_checkout_says_how_the_order_stands(session, client_of, ada, state, left, words):
    with transaction(session):
        order = orders.open_order(
            session,
            customer_id=ada.customer_id,
            kind="subscription",
            amount_minor=2_900,
            currency="usd",
            channel="stripe",
            form_key="f",
            created_by=ada.id,
        )
        orders.freeze(session, order, {"plan": "starter", "name": "Starter", "interval": "month"})
        orders.move(session, order, state, failure="Your card was declined." if state == "failed" else None)
    browser = client_of(ada)

    page = text(browser.get(f"/plan/orders/{order.id}{left}"))

    assert words in page
    assert "Starter plan" in page
    assert ('hx-trigger="every' in page) == (order.state in WAITING)  # the waiting ends by itself


@pytest.mark.usefixtures("shop", "till")
def test_a_second_change_while_one_is_being_paid_is_told_who_is_in_the_way(session, client_of, ada, di, buy):
    browser = buy(ada, "starter")
    change = re.search(r'name="change_id" value="(\w+)"', text(browser.get("/plan/change?plan=growth&interval=month")))
    assert change
    with transaction(session):
        waiting = changes.one(session, ada.customer_id, change[1])
        changes.take(session, lifecycle.the_live(session, ada.customer_id), waiting, actor=ada.id)

    answer = client_of(di).get("/plan/change?plan=growth&interval=year")
    page = text(client_of(di).get("/plan"))

    assert answer.status_code == 409
    assert "A plan change is already under way" in text(answer)
    assert "Ada began the change to Growth" in text(answer)
    assert "You were not charged" in text(answer)
    assert "The change to Growth is under way" in page
    assert 'hx-trigger="every 3s"' in page
