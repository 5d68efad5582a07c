"""What Creem can and cannot do, and what its adapter says of trouble there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.errors import UnsupportedByChannel
from app.flows import cards, subscribe
from app.providers import errors
from tests.support.creem import Regular, creem_adapter
from tests.support.doubles.creem.server import Running


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


REFUSED: dict[str, Callable[..., object]] = {
    "cards": lambda who: cards.listed(who.session, who.adapter, who.customer_id),
    "a plan by a saved card": lambda who: subscribe.with_card(
        who.session, who.adapter, who.customer, "growth", "month", form_key="k", actor="usr_1"
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_creem_cannot_do_is_refused_by_name(regular: Regular, what: str) -> None:
    regular.is_on()

    with pytest.raises(UnsupportedByChannel):
        REFUSED[what](regular)


def test_without_a_product_no_amount_of_ones_choice_is_sold(creem: Running) -> None:
    plain = creem_adapter(creem, product_id="")

    assert "custom_amount" not in plain.capabilities
    plain.close()


@pytest.mark.parametrize(
    ("more", "ok", "words"),
    [
        ({}, True, "prod_Topup"),
        ({"product_id": ""}, True, "Without CREEM_PRODUCT_ID"),
        ({"product_id": "prod_gone"}, False, "no such product"),
        ({"api_key": "creem_test_of_somebody_else"}, False, "CREEM_API_KEY"),
    ],
)
def test_the_doctor_says_what_is_wrong_at_creem(creem: Running, more: dict[str, Any], ok: bool, words: str) -> None:
    adapter = creem_adapter(creem, **more)
    first, *_ = adapter.diagnose(webhook_url="https://purser.example/payment/webhook/creem")
    adapter.close()

    assert first.ok is ok
    assert words in first.sentence


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, errors.Unavailable),
        (302, errors.Unavailable),
        (400, errors.InvalidRequest),
        (401, errors.AuthFailed),
        (402, errors.Declined),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (429, errors.RateLimited),
        (500, errors.Unavailable),
    ],
)
def test_every_answer_is_one_of_our_errors(creem: Running, creamed: Any, status: int, kind: Any) -> None:
    creem.fails("GET", "/v1/subscriptions", status)

    with pytest.raises(errors.ProviderError) as met:
        creamed.get_subscription("sub_1")

    assert type(met.value) is kind
