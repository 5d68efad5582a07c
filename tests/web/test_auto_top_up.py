"""Automatic top-up on the wallet page: off until switched on, with the rules as they are enforced."""

from __future__ import annotations

import pytest

from app.db import transaction
from app.payments import customers
from app.providers.values import CustomerRef
from app.wallet import auto_top_up
from tests.support.fake_cards import CardProvider

HX = {"HX-Request": "true"}
RULES = {"threshold": "10.00", "step": "25.00", "ceiling": "100"}
HERE = "/wallet/auto-top-up"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def provider(app):
    """The application's provider: one that keeps cards."""
    made = CardProvider()
    app.extensions["providers"] = {"stripe": made}
    return made


@pytest.fixture
def saved(provider, session, ada):
    ref = CustomerRef("pc_1", ada.customer_id)
    provider.customers[ref.id] = ref
    provider.saves(ref)
    with transaction(session):
        customers.remember(session, ref, "stripe")


def test_it_is_off_and_says_so(ada, client_of, provider):
    page = client_of(ada).get("/wallet").text

    assert "Automatic top-up" in page
    assert "Nothing is charged automatically." in page
    assert 'name="threshold"' not in page


def test_it_is_switched_on_with_the_limits_that_are_enforced(session, ada, client_of, saved):
    browser = client_of(ada)
    assert 'name="threshold"' in browser.get(HERE + "?edit=1", headers=HX).text

    answer = browser.post(HERE, data=RULES, headers=HX)

    assert answer.text.lstrip().startswith('<section class="panel no-print" id="auto"')
    for words in ("When $10.00 or less is available", "as many times $25.00", "Never more than $100.00", "30 minutes"):
        assert words in answer.text, words
    with transaction(session):
        row = auto_top_up.of(session, ada.customer_id)
        kept = (row.state, row.threshold_micros, row.amount_minor, row.ceiling_minor)
        assert kept == ("on", 10_000_000, 2_500, 10_000)

    assert browser.post(HERE + "/off").location == "/wallet"
    assert "Nothing is charged automatically." in browser.get(HERE, headers=HX).text


def test_without_a_card_there_is_nothing_to_charge(ada, client_of, provider):
    answer = client_of(ada).post(HERE, data=RULES)

    assert answer.status_code == 422
    assert "Save a card first" in answer.text
    assert 'value="25.00"' in answer.text, "what was typed is kept"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"step": "5"}, "Enter $10.00 or more."),
        ({"ceiling": "20"}, "The ceiling must allow at least one top-up."),
        ({"threshold": ""}, "Enter an amount in figures"),
    ],
)
def test_rules_nobody_could_mean_come_back(ada, client_of, saved, wrong, sentence):
    answer = client_of(ada).post(HERE, data={**RULES, **wrong})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_why_it_stopped_is_told(session, ada, client_of, saved):
    browser = client_of(ada)
    browser.post(HERE, data=RULES)
    with transaction(session):
        auto_top_up.stop(session, auto_top_up.of(session, ada.customer_id, lock=True), "confirm")

    page = browser.get("/wallet").text

    assert "Your bank wants you to confirm such a charge yourself." in page
    assert "until you switch it on again" in page


def test_who_may_only_look_cannot_change_it(ada, cy, client_of, saved):
    client_of(ada).post(HERE, data=RULES)

    page = client_of(cy).get(HERE + "?edit=1", headers=HX).text

    assert "Never more than $100.00" in page
    assert "<form" not in page
