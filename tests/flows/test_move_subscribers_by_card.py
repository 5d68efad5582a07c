"""Moving who pays by card: the provider is asked like for any change of plan, and what it cannot tell apart is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.db import transaction
from app.moves import begin
from app.providers.port import Provider
from app.subscriptions import prices
from tests.flows.test_move_subscribers import Moving
from tests.support.card_paid import Cardholder


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def moving(cardholder: Cardholder, session: Session, sessions: Any) -> Moving:
    """The cardholder is ten days into Starter by the month."""
    cardholder.subscribes("starter")
    cardholder.passes(days=10)
    cardholder.hears()
    providers: Mapping[str, Provider] = cardholder.providers
    return Moving(session, sessions, providers)


def test_the_card_pays_the_new_price_from_the_next_period_on(moving: Moving, cardholder: Cardholder) -> None:
    moving.publishes(monthly_minor=1_500)
    move = moving.begins(notice_days=7)

    moving.works()
    assert moving.counts(move) == {"arranged": 1}
    cardholder.hears()
    assert (cardholder.sub.version, cardholder.sub.price_minor) == (1, 1_000)
    cardholder.passes(days=25)
    cardholder.hears()

    assert (cardholder.sub.version, cardholder.sub.price_minor) == (2, 1_500)
    assert [invoice.subtotal_minor for invoice in cardholder.invoices] == [1_000, 1_500]
    assert moving.counts(move) == {"moved": 1}


def test_two_versions_under_one_id_are_not_told_apart(moving: Moving, cardholder: Cardholder) -> None:
    named = {"stripe": {"monthly": prices.KNOWN_AS}}
    moving.publishes(provider_ids=named)
    moving.publishes(features=("Fast",), provider_ids=named)

    [left] = moving.looks().left

    assert "knows both versions under one id" in left.why


def test_taken_back_the_provider_goes_on_with_the_old_price(moving: Moving, cardholder: Cardholder) -> None:
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    moving.works()

    with transaction(moving.session):
        begin.stop(moving.session, move.id, actor="staff:usr_1")
    moving.works()
    cardholder.passes(days=25)
    cardholder.hears()

    assert moving.counts(move) == {"stopped": 1}
    assert (cardholder.sub.version, cardholder.sub.price_minor) == (1, 1_000)
