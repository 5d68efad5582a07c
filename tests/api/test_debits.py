"""POST /v1/wallet/debits"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/wallet/debits"
PRINT = {"amount_cents": 250, "description": "Print order 1042"}


def test_it_answers_the_transaction(host: Program, ada: Person) -> None:
    answer = host.post(PATH, PRINT, key="order-1042")

    assert answer.status_code == 200
    assert "Idempotent-Replayed" not in answer.headers
    told = answer.get_json()
    assert told.pop("id").startswith("wtxn_")
    assert told == {
        "type": "debit",
        "amount_cents": -250,
        "amount_micros": -2_500_000,
        "balance_after_cents": 250,
        "description": "Print order 1042",
        "created_at": "2026-03-14T09:30:00Z",
    }
    assert ada.balance() == 2_500_000


def test_the_same_key_gets_the_first_answer_again(host: Program, ada: Person) -> None:
    first = host.post(PATH, PRINT, key="k")
    host.post(PATH, {"amount_micros": 1, "description": "In between"})

    second = host.post(PATH, PRINT, key="k")

    assert (second.status_code, second.get_json()) == (first.status_code, first.get_json())
    assert second.headers["Idempotent-Replayed"] == "true"
    assert ada.balance() == 2_499_999


def test_the_same_key_with_another_body_is_refused_and_changes_nothing(host: Program, ada: Person) -> None:
    host.post(PATH, PRINT, key="k")

    for other in ({**PRINT, "amount_cents": 251}, {**PRINT, "description": "Another order"}):
        answer = host.post(PATH, other, key="k")
        assert (answer.status_code, error(answer)["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert ada.balance() == 2_500_000


def test_another_customer_may_use_the_same_key(host: Program, ada: Person, bo: Person) -> None:
    host.post(PATH, PRINT, key="k")

    theirs = host.in_the_name_of(bo).post(PATH, {**PRINT, "amount_cents": 1}, key="k")

    assert theirs.status_code == 200
    assert "Idempotent-Replayed" not in theirs.headers
    assert (ada.balance(), bo.balance()) == (2_500_000, 4_990_000)


def test_20_at_once_with_one_key_take_once_and_answer_alike(host: Program, ada: Person) -> None:
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: host.post(PATH, PRINT, key="k"), range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.get_data() for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert ada.balance() == 2_500_000


def test_50_at_once_on_a_wallet_for_10_leave_exactly_10(host: Program, ada: Person) -> None:
    body = {"amount_cents": 50, "description": "Print"}
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda number: host.post(PATH, body, key=str(number)).status_code, range(50)))

    assert sorted(answers) == [200] * 10 + [402] * 40
    assert ada.balance() == 0


def test_without_a_key_every_request_is_one_of_its_own(host: Program, ada: Person) -> None:
    host.post(PATH, PRINT)
    host.post(PATH, PRINT)

    assert ada.balance() == 0


def test_it_refuses_two_amounts_or_none(host: Program) -> None:
    none = host.post(PATH, {"description": "Print"})
    both = host.post(PATH, {**PRINT, "amount_micros": 1})

    assert (none.status_code, error(none)["details"]["field"]) == (422, "amount_micros")
    assert (both.status_code, error(both)["details"]["field"]) == (422, "amount_cents")


def test_it_refuses_a_key_nobody_can_type(host: Program) -> None:
    for key in ("", "a b", "x" * 256, "ä"):
        answer = host.post(PATH, PRINT, key=key)

        assert (answer.status_code, error(answer)["details"]["field"]) == (422, "Idempotency-Key"), key
    assert host.post(PATH, PRINT, key="~" * 255).status_code == 200
