"""/payment-methods: a provider that is down empties the panel and not the page; the portal's way back is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from flask import Flask

from app.providers.errors import NotFound
from app.providers.values import Cap, Card, CustomerRef, Redirect, SetupSecret
from tests.support.people import Person
from tests.support.web import PageClient
from tests.web.conftest import Till

Browser = Callable[[Person], PageClient]


@dataclass
class Keeper(Till):
    """A till that keeps cards, too: whoever is known has a Visa and a Mastercard that runs out next month."""

    cards: list[Card] = field(
        default_factory=lambda: [
            Card("pm_visa", "visa", "4242", 8, 2028, is_default=True),
            Card("pm_mc", "mastercard", "5454", 4, 2026, is_default=False),
        ]
    )
    back: list[str] = field(default_factory=list)
    capabilities = frozenset({Cap.CUSTOM_AMOUNT, Cap.SAVED_CARDS, Cap.SETUP_INTENT, Cap.PORTAL})

    def __post_init__(self) -> None:
        super().__init__()

    def create_setup(self, customer: CustomerRef, *, key: str) -> SetupSecret:
        return SetupSecret("seti_1", f"secret of {key}")

    def list_cards(self, customer: CustomerRef) -> list[Card]:
        self._answer()
        return list(self.cards)

    def set_default_card(self, customer: CustomerRef, card_id: str) -> None:
        self._answer()
        self.cards = [replace(card, is_default=card.id == card_id) for card in self.cards]

    def detach_card(self, customer: CustomerRef, card_id: str) -> None:
        self._answer()
        if card_id not in {card.id for card in self.cards}:
            raise NotFound("No such card.")
        self.cards = [card for card in self.cards if card.id != card_id]

    def portal(self, customer: CustomerRef, *, return_url: str, subscription_id: str | None = None) -> Redirect:
        self._answer()
        self.back.append(return_url)
        return Redirect("https://billing.example/portal")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough for pages."""
    return sqlite_url


@pytest.fixture
def keeper(app: Flask) -> Keeper:
    made = Keeper()
    app.extensions["providers"] = {"stripe": made}
    return made


@pytest.fixture
def known(keeper: Keeper, client_of: Browser, ada: Person) -> PageClient:
    """Ada's browser, after the provider was told of her."""
    browser = client_of(ada)
    assert browser.post("/payment-methods", data={"form_key": "first"}).status_code == 303
    return browser


def text(answer) -> str:
    return answer.get_data(as_text=True).replace("\N{NO-BREAK SPACE}", " ")


def test_cards_are_told_by_what_a_person_recognises(known):
    page = text(known.get("/payment-methods"))

    assert "Visa ending 4242" in page
    assert "Aug 2028" in page
    assert "Mastercard ending 5454" in page
    assert "Expires next month" in page
    assert page.count("Default") == 1


@pytest.mark.usefixtures("keeper")
def test_without_a_card_it_says_how_to_save_one(client_of, ada):
    page = text(client_of(ada).get("/payment-methods"))

    assert "No card is saved yet" in page
    assert "Add card" in page
    assert "$5.00 available" in page


def test_a_provider_that_is_down_empties_the_panel_and_not_the_page(known, keeper):
    keeper.is_down = True

    answer = known.get("/payment-methods")

    assert answer.status_code == 200
    assert "Stripe does not answer" in text(answer) or "The Till does not answer" in text(answer)
    assert "Open wallet" in text(answer)


@pytest.mark.usefixtures("till")
def test_where_nobody_keeps_cards_it_says_so(client_of, ada):
    browser = client_of(ada)

    assert "No payment provider that keeps cards" in text(browser.get("/payment-methods"))
    assert browser.post("/payment-methods", data={"form_key": "k"}).status_code == 404


def test_adding_leads_to_the_providers_page_and_back_to_one_that_waits(known, keeper):
    asked = keeper.asked[0]

    page = known.get(f"/payment-methods/pages/{asked.order_id}")
    left = known.get(f"/payment-methods/pages/{asked.order_id}?left=1")

    assert asked.kind == "save_card"
    assert asked.success_url.endswith(f"/payment-methods/pages/{asked.order_id}")
    assert "Waiting for your card to be confirmed" in text(page)
    assert 'hx-trigger="every' in text(page)
    assert "No card was saved" in text(left)


def test_nothing_new_is_an_empty_answer(known, keeper):
    address = f"/payment-methods/pages/{keeper.asked[0].order_id}/status"

    assert known.get(address).status_code == 200
    assert known.get(f"{address}?seen=open-2").status_code == 204


def test_another_card_becomes_the_default(known):
    answer = known.post("/payment-methods/pm_mc/default", follow_redirects=True)

    page = text(answer)
    assert "Mastercard ending 5454 is charged from now on" in page
    assert page.index("Mastercard ending 5454") < page.index("Visa ending 4242")


def test_a_removed_card_is_gone_and_the_other_takes_its_place(known, keeper):
    known.post("/payment-methods/pm_visa/remove")

    assert [(card.id, card.is_default) for card in keeper.cards] == [("pm_mc", True)]


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("", "/payment-methods"),
        ("/plan", "/plan"),
        ("https://evil.example/", "/payment-methods"),
        ("//evil.example", "/payment-methods"),
    ],
)
def test_the_portal_leads_back_to_a_page_of_ours_and_nowhere_else(known, keeper, asked, back):
    answer = known.post("/payment-methods/portal", data={"next": asked})

    assert answer.status_code == 303
    assert answer.location == "https://billing.example/portal"
    assert keeper.back == [f"http://localhost{back}"]


def test_a_button_pressed_while_the_provider_is_down_says_that_nothing_changed(known, keeper):
    keeper.is_down = True

    answer = known.post("/payment-methods/pm_mc/default")

    assert answer.status_code == 503
    assert "Nothing was changed" in text(answer)


def test_another_customers_page_looks_like_nothing(known, keeper, client_of, bo):
    assert client_of(bo).get(f"/payment-methods/pages/{keeper.asked[0].order_id}").status_code == 404


def test_who_may_only_look_sees_the_cards_and_no_buttons(known, client_of, cy):
    page = text(client_of(cy).get("/payment-methods"))

    assert "Visa ending 4242" in page
    assert "Remove" not in page
    assert "Add card" not in page
