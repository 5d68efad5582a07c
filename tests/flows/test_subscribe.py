"""Subscribing through a provider (SPEC P5), the sandbox over HTTP: on its page, or at once with a saved card."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.models import Plan, PlanVersion
from app.coupons import issue
from app.coupons.models import Redemption
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.errors import ActionRequired, Conflict, IdempotencyKeyReused, NotFound, PaymentRefused, ProviderDown
from app.flows import subscribe
from app.payments.models import Order
from app.providers.values import Cap
from app.subscriptions import overrides
from app.subscriptions.lifecycle import AlreadySubscribed
from app.subscriptions.overrides import Negotiated
from app.subscriptions.sale import PlanNotForSale
from tests.support.card_paid import ASKS, FAILS, Cardholder
from tests.support.fake_provider import FakeProvider
from tests.support.payments import again


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is between us and the provider; races are tested on both databases elsewhere."""
    return sqlite_url


def test_a_saved_card_subscribes_at_once_and_once(cardholder: Cardholder) -> None:
    sub = cardholder.subscribes("starter", form_key="one")
    same = cardholder.subscribes("starter", form_key="one")
    cardholder.hears(times=2)

    assert (sub.id, sub.status, sub.paid_by, sub.price_minor) == (same.id, "active", "card", 1000)
    assert (sub.started_at, sub.time_zone) == (cardholder.now, "UTC")
    assert [(invoice.status, invoice.total_minor) for invoice in cardholder.invoices] == [("paid", 1000)]
    assert cardholder.standing.tier == "starter"
    cardholder.is_invoiced_without_a_gap()


def test_a_page_leads_to_a_subscription_when_the_provider_says_so(cardholder: Cardholder, session: Session) -> None:
    order = cardholder.opens_page("growth", "year")
    cardholder.pays(order)
    assert cardholder.sub is None, "nobody has told yet"

    cardholder.hears(times=2)

    sub = cardholder.sub
    assert (sub.status, sub.interval, sub.price_minor) == ("active", "year", 30_000)
    assert again(session, order).state == "paid"
    assert order.payment_id == sub.provider_id
    assert cardholder.standing.next_billing_at == sub.period_end
    cardholder.is_invoiced_without_a_gap()


def test_the_same_form_leads_to_the_same_page(cardholder: Cardholder) -> None:
    first, second = (cardholder.opens_page("starter", form_key="one") for _ in range(2))

    assert (first.id, first.checkout_url) == (second.id, second.checkout_url)
    with pytest.raises(IdempotencyKeyReused):
        cardholder.opens_page("growth", form_key="one")


def test_a_crash_before_the_answer_is_taken_up_with_the_same_form(cardholder: Cardholder) -> None:
    cardholder.loses("start_subscription")
    with pytest.raises(ProviderDown):
        cardholder.subscribes("starter", form_key="one")

    sub = cardholder.subscribes("starter", form_key="one")

    assert sub.status == "active"
    assert _at_provider(cardholder) == [sub.provider_id]


@pytest.mark.parametrize("wait", [{"minutes": 3}, {"hours": 2}])
def test_a_crash_before_the_answer_is_finished_by_the_sweep(cardholder: Cardholder, wait: dict[str, int]) -> None:
    cardholder.loses("start_subscription")
    with pytest.raises(ProviderDown):
        cardholder.subscribes("starter", form_key="one")
    with pytest.raises(Conflict):
        cardholder.subscribes("starter", form_key="two")

    cardholder.passes(**wait)
    cardholder.sweeps()

    assert cardholder.sub.status == "active"
    assert _at_provider(cardholder) == [cardholder.sub.provider_id]


def test_a_purchase_that_never_got_through_is_given_up(cardholder: Cardholder, session: Session) -> None:
    cardholder.loses("start_subscription", done=False)
    with pytest.raises(ProviderDown):
        cardholder.subscribes("starter", form_key="one")

    cardholder.passes(hours=2)
    cardholder.sweeps()

    with pytest.raises(PaymentRefused, match="Nothing was charged"):
        cardholder.subscribes("starter", form_key="one")
    assert cardholder.subscribes("starter", form_key="two").status == "active"


def test_a_card_that_is_not_theirs_is_refused_and_blocks_nothing(cardholder: Cardholder) -> None:
    with pytest.raises(PaymentRefused, match="did not accept"):
        cardholder.subscribes("starter", card_id="pm_of_somebody")

    assert cardholder.subscribes("starter").status == "active"


def test_a_coupon_is_taken_off_and_used_or_free_again(cardholder: Cardholder, session: Session) -> None:
    with transaction(session):
        limits = Limits("OFF20", most=1)
        issue.make(session, Terms("OFF20", "percent", 20, limits), actor="staff:usr_1")
    cardholder.saves_card(FAILS)
    with pytest.raises(PaymentRefused):
        cardholder.subscribes("starter", coupon="off20")
    cardholder.saves_card()

    cardholder.subscribes("starter", coupon="off20")
    cardholder.hears(times=2)

    assert [invoice.total_minor for invoice in cardholder.invoices if invoice.status == "paid"] == [800]
    redeemed = session.query(Redemption).filter_by(state="redeemed").one()
    assert (redeemed.state, redeemed.subscription_id) == ("redeemed", cardholder.sub.id)
    with pytest.raises(AlreadySubscribed):
        cardholder.subscribes("starter", coupon="off20")


def test_a_coupon_of_a_page_that_was_left_serves_the_next_purchase(cardholder: Cardholder, session: Session) -> None:
    with transaction(session):
        issue.make(session, Terms("OFF20", "percent", 20, Limits("OFF20", most=1)), actor="staff:usr_1")
    left = cardholder.opens_page("growth", coupon="off20")

    page = cardholder.opens_page("starter", coupon="off20")
    cardholder.subscribes("starter", coupon="off20")
    cardholder.hears()

    session.refresh(left)
    session.refresh(page)
    assert (left.state, page.state) == ("expired", "expired")
    assert [invoice.total_minor for invoice in cardholder.invoices] == [800]


def _at_provider(cardholder: Cardholder) -> list[str]:
    return [state.id for state in cardholder.stripe.list_subscriptions(cardholder.ref())]


def test_a_refused_card_says_why_and_nothing_is_active(cardholder: Cardholder) -> None:
    cardholder.saves_card(FAILS)

    with pytest.raises(PaymentRefused, match="declined") as refused:
        cardholder.subscribes("starter", form_key="one")
    with pytest.raises(PaymentRefused):
        cardholder.subscribes("starter", form_key="one")
    cardholder.hears()

    assert cardholder.sub is None
    assert cardholder.standing.tier == "free"
    assert refused.value.sentence
    cardholder.saves_card()
    assert cardholder.subscribes("starter", form_key="two").status == "active"


def test_without_a_card_there_is_nothing_to_charge(session: Session, cardholder: Cardholder) -> None:
    ref = cardholder.ref()
    for card in cardholder.stripe.list_cards(ref):
        cardholder.stripe.detach_card(ref, card.id)

    with pytest.raises(subscribe.NoCard):
        cardholder.subscribes("starter")


def test_a_bank_that_asks_is_answered_on_the_providers_page(cardholder: Cardholder) -> None:
    cardholder.saves_card(ASKS)

    with pytest.raises(ActionRequired) as asked:
        cardholder.subscribes("starter", form_key="one")
    cardholder.hears()
    assert cardholder.sub is None
    cardholder.answers_bank(asked.value.details["url"])
    cardholder.hears()

    assert cardholder.sub.status == "active"
    assert cardholder.subscribes("starter", form_key="one").id == cardholder.sub.id


def test_a_bank_that_is_never_answered_leaves_nothing(cardholder: Cardholder, session: Session) -> None:
    cardholder.saves_card(ASKS)
    with pytest.raises(ActionRequired) as asked:
        cardholder.subscribes("starter", form_key="one")

    cardholder.passes(hours=25)
    cardholder.hears()

    order = session.get_one(Order, (cardholder.customer_id, asked.value.details["order"]))
    assert again(session, order).state == "failed"
    assert cardholder.sub is None


def test_a_second_subscription_is_refused(cardholder: Cardholder) -> None:
    cardholder.subscribes("starter")

    for tries in (cardholder.subscribes, cardholder.opens_page):
        with pytest.raises(AlreadySubscribed) as refused:
            tries("growth")
        assert refused.value.details["remedy"] == "change_plan"


def test_what_is_not_on_offer_is_refused_with_a_sentence(cardholder: Cardholder, session: Session) -> None:
    with transaction(session):
        session.query(Plan).filter_by(key="growth").one().retired_at = cardholder.clock.now
        custom = (
            session.query(PlanVersion).join(Plan, Plan.id == PlanVersion.plan_id).filter(Plan.key == "prompt").one()
        )
        custom.is_custom, custom.monthly_minor, custom.yearly_minor = True, None, None

    for plan, words in {"growth": "no longer offered", "prompt": "Contact us", "free": "costs nothing"}.items():
        with pytest.raises(PlanNotForSale, match=words):
            cardholder.subscribes(plan)
    with pytest.raises(NotFound):
        cardholder.subscribes("gold")
    with pytest.raises(PlanNotForSale, match="not sold by the year"):
        _sell_by_the_month_only(session)
        cardholder.subscribes("starter", "year")


def _sell_by_the_month_only(session: Session) -> None:
    with transaction(session):
        starter = session.query(PlanVersion).join(Plan, Plan.id == PlanVersion.plan_id).filter(Plan.key == "starter")
        starter.one().yearly_minor = None


def test_a_negotiated_price_is_the_price(cardholder: Cardholder, session: Session) -> None:
    with transaction(session):
        agreed = Negotiated(monthly_minor=777)
        overrides.set_override(session, cardholder.customer_id, agreed, reason="A friend", actor="staff:usr_9")

    sub = cardholder.subscribes("starter")
    cardholder.hears()

    assert sub.price_minor == 777
    assert [invoice.total_minor for invoice in cardholder.invoices] == [777]


def test_what_is_bought_is_frozen_when_the_purchase_begins(cardholder: Cardholder, session: Session) -> None:
    cardholder.opens_page("starter")

    with transaction(session):
        starter = next(plan for plan in reads.offered_plans(session) if plan.key == "starter")
    assert starter.is_sold


def test_an_earlier_page_is_closed_by_a_later_purchase(cardholder: Cardholder, session: Session) -> None:
    order = cardholder.opens_page("starter")

    cardholder.subscribes("growth")
    cardholder.hears()

    assert again(session, order).state == "expired"


def test_an_unconfirmed_payment_is_closed_by_a_later_purchase(cardholder: Cardholder, session: Session) -> None:
    cardholder.saves_card(ASKS)
    with pytest.raises(ActionRequired) as asked:
        cardholder.subscribes("starter")
    cardholder.saves_card()

    cardholder.subscribes("growth")
    cardholder.hears()

    order = session.get_one(Order, (cardholder.customer_id, asked.value.details["order"]))
    known = cardholder.stripe.list_subscriptions(cardholder.ref())
    assert again(session, order).state == "failed"
    assert [state.plan.plan for state in known if state.ended_at is None] == ["growth"]


def test_a_payment_confirmed_a_moment_ago_is_given_back_and_not_lost(cardholder: Cardholder, session: Session) -> None:
    cardholder.saves_card(ASKS)
    with pytest.raises(ActionRequired) as asked:
        cardholder.subscribes("starter")
    cardholder.answers_bank(asked.value.details["url"])  # it is paid, and nothing has told us yet
    cardholder.saves_card()

    cardholder.subscribes("growth")
    cardholder.hears()

    order = session.get_one(Order, (cardholder.customer_id, asked.value.details["order"]))
    assert cardholder.sub.price_minor == 3_000
    assert "given back" in (again(session, order).failure or "")


def test_a_page_left_at_another_channel_is_closed_by_the_next_purchase(cardholder: Cardholder) -> None:
    left = cardholder.opens_page("starter")
    other = FakeProvider("creem", caps=frozenset({Cap.SUBSCRIPTIONS, Cap.CUSTOM_AMOUNT}))
    other.ensure_price = lambda **_told: "price_there"  # type: ignore[attr-defined]

    subscribe.start_checkout(
        cardholder.session, other, cardholder.customer, "growth", "month",
        form_key="elsewhere", actor="usr_1", return_url="https://x.example/{order}", others=cardholder.providers,
    )  # fmt: skip

    assert cardholder.stripe.get_checkout(left.provider_ref).status == "expired"
    assert again(cardholder.session, left).state == "expired"
