"""POST /v1/customers and GET /v1/customers/:id"""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from app import ledger
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/customers"
NEW = {"name": "Alder & Finch", "email": "billing@alder.example", "external_id": "team-42"}


def test_it_opens_a_customer_with_an_empty_wallet(host: Program, ada: Person) -> None:
    answer = host.post(PATH, NEW)

    assert answer.status_code == 201
    told = answer.get_json()
    assert told["id"].startswith("cus_")
    assert {name: told[name] for name in NEW} == NEW
    assert told["created_at"] == "2026-03-14T09:30:00Z"
    assert ledger.balance(ada.session, ledger.Account(told["id"], "wallet", "usd")).balance == 0


def test_it_finds_a_customer_by_our_id_and_by_theirs(host: Program) -> None:
    made = host.post(PATH, NEW).get_json()

    assert host.get(f"{PATH}/{made['id']}").get_json() == made
    assert host.get(f"{PATH}/team-42").get_json() == made
    missing = host.get(f"{PATH}/team-43")
    assert (missing.status_code, error(missing)["code"]) == (404, "NOT_FOUND")


def test_asking_again_finds_the_customer_there_is(host: Program) -> None:
    made = host.post(PATH, NEW)

    again = host.post(PATH, {**NEW, "email": "Billing@alder.example "})

    assert (made.status_code, again.status_code) == (201, 200)
    assert again.get_json() == made.get_json()


def test_an_external_id_belongs_to_one_customer(host: Program) -> None:
    made = host.post(PATH, NEW).get_json()

    for other in ({"name": "Somebody else"}, {"email": "else@alder.example"}):
        answer = host.post(PATH, {**NEW, **other})
        told = error(answer)
        assert (answer.status_code, told["code"], told["details"]["field"]) == (409, "CONFLICT", "external_id")
        assert told["details"]["customer"] == made["id"]


@pytest.mark.both_databases
def test_of_many_who_ask_at_once_all_get_the_same_customer(app: Flask, service_key: str) -> None:
    begin, told = threading.Barrier(4), []

    def ask() -> None:
        begin.wait()
        answer = Program(app, service_key).post(PATH, NEW)
        told.append((answer.status_code, answer.get_json().get("id")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(status for status, _ in told) == [200, 200, 200, 201]
    assert len({found for _, found in told}) == 1


def test_a_new_customer_can_be_named_at_once(host: Program) -> None:
    host.post(PATH, NEW)

    answer = host.get("/v1/billing/balance", **{"Purser-Customer": "team-42"})

    assert answer.get_json()["balance_cents"] == 0


def test_it_refuses_what_makes_no_sense_and_names_it(host: Program) -> None:
    for field, value in (
        ("name", ""), ("name", " "), ("name", "a\x00b"), ("name", "x" * 101), ("name", 5), ("name", None),
        ("email", "nobody"), ("email", ""), ("email", "a@b\r\nBcc: c@d"), ("email", ["a@example.com"]),
        ("external_id", ""), ("external_id", "a b"), ("external_id", "a/b"), ("external_id", ".."),
        ("external_id", "x" * 201), ("external_id", "\x00"),
        ("id", "cus_mine"), ("balance", 5), ("is_admin", True),
    ):  # fmt: skip
        answer = host.post(PATH, {**NEW, field: value})

        assert (answer.status_code, error(answer)["details"]["field"]) == (422, field), (field, value)
