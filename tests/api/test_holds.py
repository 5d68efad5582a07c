"""POST /v1/wallet/holds, …/settle, …/release, and GET /v1/wallet/holds/:id"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app import ledger
from app.db import transaction
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/wallet/holds"


@pytest.fixture
def hold(host: Program) -> str:
    """The id of a hold on two of Ada's five dollars."""
    told = host.post(PATH, {"amount_micros": 2_000_000, "description": "Batch job"}, key="h").get_json()
    return str(told["id"])


def test_it_answers_exactly_what_is_documented(host: Program, ada: Person) -> None:
    answer = host.post(PATH, {"amount_cents": 200, "expires_in": 60}, key="h")

    assert answer.status_code == 200
    told = answer.get_json()
    assert told.pop("id").startswith("hold_")
    assert told == {"state": "held", "amount_micros": 2_000_000, "expires_at": "2026-03-14T09:31:00Z"}
    assert ada.balance() == 5_000_000


def test_the_same_key_is_the_same_hold_even_later(host: Program, hold: str, clock: Any) -> None:
    clock.advance(minutes=1)

    again = host.post(PATH, {"amount_micros": 2_000_000, "description": "Batch job"}, key="h")
    other = host.post(PATH, {"amount_micros": 2_000_001, "description": "Batch job"}, key="h")

    assert (again.get_json()["id"], again.headers["Idempotent-Replayed"]) == (hold, "true")
    assert again.get_json()["expires_at"] == "2026-03-14T09:45:00Z"
    assert (other.status_code, error(other)["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_held_money_cannot_be_spent(host: Program, hold: str) -> None:
    answer = host.post("/v1/wallet/debits", {"amount_micros": 3_000_001, "description": "Print"})

    assert error(answer)["details"] == {"available_micros": 3_000_000, "needed_micros": 3_000_001}


def test_it_settles_and_gives_the_rest_back(host: Program, ada: Person, hold: str) -> None:
    answer = host.post(f"{PATH}/{hold}/settle", {"amount_micros": 1_250_000}, key="s")

    assert answer.status_code == 200
    told = answer.get_json()
    assert told.pop("transaction_id").startswith("wtxn_")
    assert told == {
        "id": hold,
        "state": "settled",
        "amount_micros": 2_000_000,
        "expires_at": "2026-03-14T09:45:00Z",
        "settled_micros": 1_250_000,
    }
    assert ada.balance() == 3_750_000


def test_it_settles_for_nothing_for_all_and_for_more(host: Program, ada: Person) -> None:
    left = 5_000_000
    for amount in (0, 1_000_000, 1_000_001, 2_000_000):
        made = host.post(PATH, {"amount_micros": 1_000_000}).get_json()["id"]

        told = host.post(f"{PATH}/{made}/settle", {"amount_micros": amount}).get_json()

        left -= amount
        assert (told["state"], told["settled_micros"], ada.balance()) == ("settled", amount, left)
        assert ("transaction_id" in told) == (amount > 0)


def test_it_refuses_to_settle_for_more_than_twice(host: Program, ada: Person, hold: str) -> None:
    answer = host.post(f"{PATH}/{hold}/settle", {"amount_micros": 4_000_001})

    assert (answer.status_code, error(answer)["details"]["field"]) == (422, "amount_micros")
    assert ada.balance() == 5_000_000


def test_a_hold_is_settled_once(host: Program, ada: Person, hold: str) -> None:
    settle = f"{PATH}/{hold}/settle"
    first = host.post(settle, {"amount_micros": 5}, key="s")

    again = host.post(settle, {"amount_micros": 5}, key="s")
    by_another_key = host.post(settle, {"amount_micros": 5}, key="t")
    reused = host.post(settle, {"amount_micros": 6}, key="s")
    another = host.post(settle, {"amount_micros": 6}, key="t")

    assert again.get_json() == by_another_key.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == by_another_key.headers["Idempotent-Replayed"] == "true"
    assert (reused.status_code, error(reused)["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert (another.status_code, error(another)["code"]) == (409, "HOLD_ENDED")
    assert ada.balance() == 4_999_995


def test_20_settlements_at_once_take_once_and_answer_alike(host: Program, ada: Person, hold: str) -> None:
    with ThreadPoolExecutor(20) as crowd:
        settle = f"{PATH}/{hold}/settle"
        answers = list(crowd.map(lambda _: host.post(settle, {"amount_micros": 7}, key="s"), range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.get_data() for answer in answers}) == 1
    assert ada.balance() == 4_999_993


def test_it_releases_once_or_many_times(host: Program, ada: Person, hold: str) -> None:
    first = host.post(f"{PATH}/{hold}/release", key="r")
    second = host.post(f"{PATH}/{hold}/release", {}, key="r")

    assert first.get_json()["state"] == "released"
    assert second.get_json() == first.get_json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert ledger.balance(ada.session, ada.wallet).available == 5_000_000
    settled = host.post(f"{PATH}/{hold}/settle", {"amount_micros": 1})
    assert (settled.status_code, error(settled)["code"]) == (409, "HOLD_ENDED")
    assert error(settled)["details"]["state"] == "released"


def test_a_settled_hold_is_not_released(host: Program, hold: str) -> None:
    host.post(f"{PATH}/{hold}/settle", {"amount_micros": 1})

    assert host.post(f"{PATH}/{hold}/release").status_code == 409


def test_an_expired_hold_says_so(host: Program, ada: Person, hold: str, clock: Any) -> None:
    clock.advance(minutes=15)
    with transaction(ada.session):
        ledger.expire_holds(ada.session, clock.now)

    assert host.get(f"{PATH}/{hold}").get_json()["state"] == "expired"
    assert error(host.post(f"{PATH}/{hold}/settle", {"amount_micros": 1}))["details"]["state"] == "expired"


def test_the_customer_sees_the_hold_and_cannot_touch_it(adas: Program, hold: str) -> None:
    assert adas.get(f"{PATH}/{hold}").get_json()["id"] == hold
    assert adas.post(f"{PATH}/{hold}/release").status_code == 403


def test_another_customers_hold_looks_exactly_like_none(host: Program, bo: Person, hold: str) -> None:
    theirs = host.in_the_name_of(bo)

    for verb, body in (("settle", {"amount_micros": 1}), ("release", None)):
        other = theirs.post(f"{PATH}/{hold}/{verb}", body)
        none = theirs.post(f"{PATH}/hold_none/{verb}", body)
        assert other.status_code == none.status_code == 404
        assert other.get_data().replace(hold.encode(), b"") == none.get_data().replace(b"hold_none", b"")
    assert theirs.get(f"{PATH}/{hold}").get_data() == theirs.get(f"{PATH}/hold_none").get_data()


def test_it_refuses_what_makes_no_sense_and_names_it(host: Program, hold: str) -> None:
    for path, body, field in (
        (PATH, {}, "amount_micros"),
        (PATH, {"amount_micros": 1, "amount_cents": 1}, "amount_cents"),
        (PATH, {"amount_micros": 1, "expires_in": 0}, "expires_in"),
        (PATH, {"amount_micros": 1, "expires_in": 604_801}, "expires_in"),
        (PATH, {"amount_micros": 1, "description": "\x00"}, "description"),
        (f"{PATH}/{hold}/settle", {}, "amount_micros"),
        (f"{PATH}/{hold}/settle", {"amount_micros": -1}, "amount_micros"),
        (f"{PATH}/{hold}/settle", {"amount_micros": 1, "amount_cents": 1}, "amount_cents"),
        (f"{PATH}/{hold}/release", {"amount_micros": 1}, "amount_micros"),
    ):
        answer = host.post(path, body)

        assert (answer.status_code, error(answer)["details"]["field"]) == (422, field), (path, body)
