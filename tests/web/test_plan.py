"""/plan: what the customer has, every plan with the way to it, and buying one from the wallet (SPEC P5, P6, P7, P8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.catalogue import file, publish, shipped
from app.db import transaction
from app.extensions import db
from app.subscriptions import standing
from tests.support.people import Person
from tests.support.web import PageClient

Browser = Callable[[Person], PageClient]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough for pages."""
    return sqlite_url


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
def test_an_unknown_coupon_is_said_at_its_field(client_of, ada):
    page = text(client_of(ada).get("/plan/change?plan=starter&interval=month&coupon=NONE"))

    assert 'id="coupon-e"' in page
    assert 'value="NONE"' in page


@pytest.mark.usefixtures("shop", "till")
def test_the_page_asks_the_database_no_more_than_so_often(app, ada, buy):
    browser = buy(ada, "starter")
    with app.app_context():
        engine = db.engine
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    browser.get("/plan")

    assert 0 < len(asked) <= 24, asked


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
