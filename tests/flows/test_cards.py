"""Cards: saved on the provider's page, made the one that is charged, taken away: real adapter and sandbox (P12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.errors import NotFound, ProviderDown, UnsupportedByChannel
from app.flows import cards
from app.payments.models import CardPage
from tests.support.card_paid import Cardholder
from tests.support.fake_provider import FakeProvider
from tests.support.payments import Buyer

MASTERCARD = "5555555555554444"
BACK = "https://purser.example/payment-methods/pages/{page}"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What matters here is what the provider is told; the rows are a few."""
    return sqlite_url


@pytest.fixture
def opens(cardholder: Cardholder) -> Callable[..., CardPage]:
    """The holder asks for the page on which a card is saved."""

    def page(form_key: str = "a-form") -> CardPage:
        who = cardholder
        return cards.open_page(who.session, who.stripe, who.customer, form_key=form_key, return_url=BACK, actor="usr_1")

    return page


def listed(who: Cardholder) -> list[tuple[str, bool]]:
    """Last digits of each card, and whether it is the one that is charged."""
    return [(card.last4, card.is_default) for card in cards.listed(who.session, who.stripe, who.customer_id)]


def id_of(who: Cardholder, last4: str) -> str:
    return next(card.id for card in cards.listed(who.session, who.stripe, who.customer_id) if card.last4 == last4)


def saves(who: Cardholder, page: CardPage, number: str = MASTERCARD) -> None:
    Buyer(who.sandbox).pays(str(page.provider_ref), number)


def test_the_same_form_leads_to_the_same_page(opens):
    first, again, another = opens(), opens(), opens("another-form")

    assert first.url == again.url
    assert first.id == again.id
    assert another.id != first.id


def test_a_card_saved_on_the_page_is_charged_from_then_on(cardholder, opens):
    page = opens()
    saves(cardholder, page)

    cardholder.hears(times=2)

    assert listed(cardholder) == [("4444", True), ("4242", False)]
    cardholder.session.refresh(page)
    assert (page.state, page.url) == ("saved", None)
    assert page.card_id == id_of(cardholder, "4444")


def test_a_page_left_alone_ends_without_a_card(cardholder, opens):
    page = opens()
    Buyer(cardholder.sandbox).leaves(str(page.provider_ref))

    cardholder.hears()

    cardholder.session.refresh(page)
    assert (page.state, page.url) == ("expired", None)
    assert listed(cardholder) == [("4242", True)]


def test_the_plan_follows_the_default_card_also_after_a_checkout_that_left_its_own(cardholder, opens):
    order = cardholder.opens_page()
    cardholder.pays(order, MASTERCARD)
    cardholder.hears()
    # The checkout's card pays the plan, though another is the customer's default there.
    assert listed(cardholder)[0] == ("4444", True)

    chosen = cards.make_default(
        cardholder.session, cardholder.stripe, cardholder.customer_id, id_of(cardholder, "4242"), actor="usr_1"
    )

    assert chosen.last4 == "4242"
    assert listed(cardholder) == [("4242", True), ("4444", False)]
    assert cardholder.stripe.get_subscription(cardholder.sub.provider_id).card_id is None


def test_the_last_card_stays_while_it_pays_the_plan_and_the_remedies_are_named(cardholder):
    cardholder.subscribes()

    with pytest.raises(cards.CardNeeded, match="Add another card first, pay from the wallet instead, or cancel"):
        cards.remove(
            cardholder.session, cardholder.stripe, cardholder.customer_id, id_of(cardholder, "4242"), actor="usr_1"
        )

    assert listed(cardholder) == [("4242", True)]


def test_of_two_cards_either_may_go_and_the_other_is_charged(cardholder, opens):
    cardholder.subscribes()
    saves(cardholder, opens())
    cardholder.hears()

    cards.remove(
        cardholder.session, cardholder.stripe, cardholder.customer_id, id_of(cardholder, "4444"), actor="usr_1"
    )

    assert listed(cardholder) == [("4242", True)]


@pytest.mark.parametrize("situation", ["no plan", "cancelled"])
def test_the_last_card_may_go_when_nothing_is_to_be_charged(cardholder, situation):
    if situation == "cancelled":
        cardholder.subscribes()
        cardholder.cancels()

    cards.remove(
        cardholder.session, cardholder.stripe, cardholder.customer_id, id_of(cardholder, "4242"), actor="usr_1"
    )

    assert listed(cardholder) == []


def test_a_card_of_nobody_or_of_somebody_else_is_not_there(cardholder):
    for verb in (cards.make_default, cards.remove):
        with pytest.raises(NotFound):
            verb(cardholder.session, cardholder.stripe, cardholder.customer_id, "pm_of_another", actor="usr_1")


def test_a_new_card_pays_what_had_failed(cardholder, opens):
    cardholder.subscribes()
    cardholder.saves_card("pm_card_chargeCustomerFail")
    cardholder.passes(days=32)
    cardholder.hears()
    assert cardholder.standing.status == "past_due"

    saves(cardholder, opens())
    cardholder.hears()

    # The worker has it on its list for this very second.
    assert cardholder.sub.due_at is not None
    assert cardholder.sub.due_at <= cardholder.clock.now


def test_a_provider_that_is_away_is_a_refusal_and_the_same_form_goes_on(cardholder, opens):
    real = cardholder.stripe
    cardholder.loses("create_checkout")
    with pytest.raises(ProviderDown):
        opens()
    cardholder.stripe = real

    page = opens()

    assert page.state == "open"
    assert page.attempt == 1


def test_a_provider_without_cards_says_so(cardholder):
    with pytest.raises(UnsupportedByChannel):
        cards.listed(cardholder.session, FakeProvider(), cardholder.customer_id)
