"""GET /v1/billing/transactions"""

from __future__ import annotations

import pytest

from app.db import transaction
from app.wallet import charges
from app.wallet.debit import debit
from tests.support.model_calls import billed
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/billing/transactions"


@pytest.fixture
def history(ada: Person) -> None:
    """Twelve debits of a hundredth of a cent and one compute charge, after the sign-up credit."""
    with transaction(ada.session):
        for number in range(12):
            debit(ada.session, ada.customer_id, 100, description=f"Call {number}", key=str(number), by="key_host")
        compute = charges.at_cost_plus("compute", 1_000_000, markup_percent=15)
        charges.charge(ada.session, ada.customer_id, compute, description=None, key="c", by="key_host")


def test_it_answers_exactly_what_is_documented(adas: Program, ada: Person) -> None:
    answer = adas.get(PATH)

    assert answer.status_code == 200
    told = answer.get_json()
    assert set(told) == {"count", "transactions", "next_cursor"}
    [line] = told["transactions"]
    assert line.pop("id").startswith("wtxn_")
    assert line == {
        "type": "credit",
        "amount_cents": 500,
        "amount_micros": 5_000_000,
        "balance_after_cents": 500,
        "description": "Welcome credit",
        "created_at": "2026-03-14T09:30:00Z",
    }
    assert (told["count"], told["next_cursor"]) == (1, None)


def test_a_column_of_rounded_amounts_adds_up_to_the_rounded_balance(adas: Program, history: None) -> None:
    lines = adas.get(PATH).get_json()["transactions"]

    newest_first = [line["balance_after_cents"] for line in lines]
    for line, before in zip(lines, [*newest_first[1:], 0], strict=True):
        assert before + line["amount_cents"] == line["balance_after_cents"]
    assert sum(line["amount_micros"] for line in lines) == 5_000_000 - 1_200 - 1_150_000
    assert sum(line["amount_cents"] for line in lines) == newest_first[0] == 384


@pytest.mark.parametrize("limit", ["1", "5", "200"])
def test_offset_pages_are_the_whole_and_no_line_twice(adas: Program, history: None, limit: str) -> None:
    seen: list[str] = []
    while page := adas.get(f"{PATH}?limit={limit}&offset={len(seen)}").get_json()["transactions"]:
        seen += [line["id"] for line in page]

    assert len(seen) == len(set(seen)) == 14


def test_cursor_pages_are_the_same_lines(adas: Program, history: None) -> None:
    whole = adas.get(PATH).get_json()["transactions"]
    page = adas.get(f"{PATH}?limit=4").get_json()
    seen = page["transactions"]
    while page["next_cursor"]:
        page = adas.get(f"{PATH}?limit=4&cursor={page['next_cursor']}").get_json()
        seen = [*seen, *page["transactions"]]

    assert seen == whole


def test_it_filters_by_type_and_counts_what_it_filtered(adas: Program, history: None) -> None:
    debits = adas.get(f"{PATH}?type=debit&limit=2").get_json()
    compute = adas.get(f"{PATH}?type=compute").get_json()
    none = adas.get(f"{PATH}?type=refund").get_json()

    assert (debits["count"], len(debits["transactions"])) == (12, 2)
    assert [line["type"] for line in compute["transactions"]] == ["compute"]
    assert none == {"count": 0, "transactions": [], "next_cursor": None}
    further = adas.get(f"{PATH}?type=debit&limit=200&cursor={debits['next_cursor']}").get_json()
    assert len(further["transactions"]) == 10


def test_it_answers_nothing_beyond_the_end(adas: Program, history: None) -> None:
    told = adas.get(f"{PATH}?offset=9223372036854775807").get_json()

    assert (told["count"], told["transactions"]) == (14, [])


def test_it_refuses_what_makes_no_sense_and_names_it(adas: Program) -> None:
    wrong = {
        "limit": ["0", "201", "-1", "1.5", "1e2", "abc", "", " 5", "+5", "５", "9" * 30, "NaN", "true"],
        "offset": ["-1", "9223372036854775808", "x", "1.0", ""],
        "type": ["settlement", "", "TOPUP", "topup ", "%F0%9F%9A%80", "' OR 1=1 --"],
        "cursor": ["x", "czA", "-", "", "LTE", "c" * 65, "czk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"],
        "limits": ["5"],
        "__proto__": ["x"],
    }
    for name, values in wrong.items():
        for value in values:
            answer = adas.get(f"{PATH}?{name}={value}")

            assert answer.status_code == 422, (name, value, answer.get_data())
            assert error(answer)["details"]["field"] == name, (name, value)


def test_it_refuses_a_parameter_given_twice(adas: Program) -> None:
    answer = adas.get(f"{PATH}?limit=1&limit=2")

    assert (answer.status_code, error(answer)["details"]["field"]) == (422, "limit")


def test_it_refuses_offset_and_cursor_together(adas: Program, history: None) -> None:
    cursor = adas.get(f"{PATH}?limit=1").get_json()["next_cursor"]

    assert error(adas.get(f"{PATH}?offset=1&cursor={cursor}"))["details"]["field"] == "cursor"


def test_it_shows_nobody_elses(adas: Program, host: Program, bo: Person, history: None) -> None:
    assert host.in_the_name_of(bo).get(PATH).get_json()["count"] == 1
    assert adas.get(PATH).get_json()["count"] == 14


def test_a_model_call_says_its_model_its_tokens_and_what_its_provider_took(adas: Program, ada: Person) -> None:
    billed(ada.session, ada, 1_234)

    told = adas.get(PATH + "?type=llm").get_json()

    [line] = told["transactions"]
    assert told["count"] == 1
    assert {name: line[name] for name in list(line)[-5:]} == {
        "model": "gpt-5-mini",
        "prompt_tokens": 1_200,
        "completion_tokens": 310,
        "cached_tokens": 200,
        "provider_cost_micros": 1_234,
    }
    assert (line["amount_micros"], line["description"]) == (-1_234, "Model call: gpt-5-mini")
