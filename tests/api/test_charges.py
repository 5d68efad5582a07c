"""POST /v1/charges"""

from __future__ import annotations

from app import ledger
from app.wallet import accounts
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/charges"


def test_it_answers_the_transaction_of_a_list_price(host: Program, ada: Person) -> None:
    body = {"service": "translate", "list_price_micros": 120_000, "publisher": "acme", "description": "Two pages"}

    answer = host.post(PATH, body, key="k")

    assert answer.status_code == 200
    told = answer.get_json()
    assert told.pop("id").startswith("wtxn_")
    assert told == {
        "type": "invocation",
        "amount_cents": -12,
        "amount_micros": -120_000,
        "balance_after_cents": 488,
        "description": "Two pages",
        "created_at": "2026-03-14T09:30:00Z",
    }
    assert ada.balance() == 4_880_000


def test_the_publisher_is_owed_the_price_less_the_commission(host: Program, ada: Person) -> None:
    told = host.post(PATH, {"service": "translate", "list_price_micros": 3, "publisher": "acme"}).get_json()

    entry = ledger.entry(ada.session, ada.customer_id, told["id"])
    assert entry is not None
    assert entry.leg(accounts.payable("acme")).amount == 2
    assert entry.leg(accounts.commission()).amount == 1


def test_it_adds_the_markup_to_a_cost(host: Program) -> None:
    compute = host.post(PATH, {"service": "compute", "cost_micros": 1_000_000}).get_json()
    identity = host.post(PATH, {"service": "identity", "cost_micros": 10}).get_json()

    assert (compute["type"], compute["amount_micros"], compute["amount_cents"]) == ("compute", -1_150_000, -115)
    assert (identity["type"], identity["amount_micros"]) == ("identity", -12)
    assert identity["description"] == "Identity check: identity"


def test_it_refuses_when_the_wallet_is_short_and_says_by_how_much(host: Program, ada: Person) -> None:
    answer = host.post(PATH, {"service": "compute", "cost_micros": 5_000_000}, key="k")

    told = error(answer)
    assert (answer.status_code, told["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert told["details"] == {"available_micros": 5_000_000, "needed_micros": 5_750_000}
    assert ada.balance() == 5_000_000


def test_a_key_refused_for_want_of_money_works_once_there_is_some(host: Program, ada: Person) -> None:
    body = {"service": "compute", "cost_micros": 5_000_000}
    assert host.post(PATH, body, key="k").status_code == 402
    ada.gets(cents=100)

    assert host.post(PATH, body, key="k").status_code == 200


def test_it_refuses_bodies_that_say_two_things_or_none(host: Program) -> None:
    for body, field in (
        ({"service": "a"}, "list_price_micros"),
        ({"service": "a", "list_price_micros": 1, "cost_micros": 1}, "cost_micros"),
        ({"service": "a", "cost_micros": 1, "publisher": "acme"}, "publisher"),
        ({"list_price_micros": 1}, "service"),
        ({"service": "", "cost_micros": 1}, "service"),
        ({"service": "a b", "cost_micros": 1}, "service"),
        ({"service": "a", "list_price_micros": 1, "publisher": "a:b"}, "publisher"),
        ({"service": "a", "list_price_micros": 1, "publisher": "ä"}, "publisher"),
        ({"service": "a", "cost_micros": 1, "price": 1}, "price"),
        ({"service": "a", "cost_micros": 1, "description": "  "}, "description"),
    ):
        answer = host.post(PATH, body)

        assert (answer.status_code, error(answer)["details"]["field"]) == (422, field), body
