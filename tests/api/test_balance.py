"""GET /v1/billing/balance"""

from __future__ import annotations

from typing import Any

from app.db import transaction
from app.wallet import holds
from app.wallet.debit import debit
from tests.support.people import Person
from tests.support.programs import Program

PATH = "/v1/billing/balance"


def test_it_answers_exactly_what_is_documented(adas: Program, ada: Person) -> None:
    answer = adas.get(PATH)

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.get_json() == {
        "operator_id": ada.customer_id,
        "balance_cents": 500,
        "balance_micros": 5_000_000,
        "available_cents": 500,
        "tier": "free",
        "billing_period_start": "2026-03-01T00:00:00Z",
        "billing_period_end": "2026-04-01T00:00:00Z",
        "usage": {},
    }


def test_it_rounds_down_and_says_the_exact_micros_too(adas: Program, ada: Person) -> None:
    with transaction(ada.session):
        debit(ada.session, ada.customer_id, 1, description="A micro", key="k", by="key_host")

    told = adas.get(PATH).get_json()

    assert (told["balance_cents"], told["balance_micros"], told["available_cents"]) == (499, 4_999_999, 499)


def test_it_leaves_what_is_held_out_of_what_is_available(adas: Program, ada: Person) -> None:
    with transaction(ada.session):
        holds.authorise(ada.session, ada.customer_id, 2_000_000, description=None, key="k", by="key_host")

    told = adas.get(PATH).get_json()

    assert (told["balance_cents"], told["available_cents"]) == (500, 300)


def test_it_shows_a_debt_below_zero_rounded_down(adas: Program, ada: Person) -> None:
    with transaction(ada.session):
        hold = holds.authorise(ada.session, ada.customer_id, 5_000_000, description=None, key="k", by="key_host")
        holds.settle(ada.session, hold, 5_000_001, key="s", by="key_host")

    told = adas.get(PATH).get_json()

    assert (told["balance_cents"], told["balance_micros"]) == (-1, -1)


def test_the_period_of_december_ends_in_the_next_year(adas: Program, clock: Any) -> None:
    clock.set(clock.now.replace(month=12, day=31))

    told = adas.get(PATH).get_json()

    assert (told["billing_period_start"], told["billing_period_end"]) == (
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    )


def test_the_host_asks_for_whom_it_names(host: Program, ada: Person, bo: Person) -> None:
    assert host.get(PATH).get_json()["operator_id"] == ada.customer_id
    assert host.in_the_name_of(bo).get(PATH).get_json()["operator_id"] == bo.customer_id
