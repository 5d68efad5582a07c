"""Refunds by API: of a top-up, each refusal with a code; of the balance, asked for and taken back (SPEC W4)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from tests.support.fake_refunds import RefundProvider
from tests.support.people import Person
from tests.support.programs import Program, error
from tests.support.refunding import Wallet
from tests.support.time import Clock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def wallet(app: Flask, session: Session, ada: Person, engine: Engine) -> Wallet:
    """Ada's, who topped up $50 and paid $10 of tax on it."""
    provider = RefundProvider()
    app.extensions["providers"] = {"stripe": provider}
    there = Wallet(session, provider, ada.customer_id, None, sessionmaker(engine, expire_on_commit=False))
    there.tops_up(5000, tax=1000)
    return there


def test_a_part_goes_back_with_its_tax_once_per_key(adas: Program, ada: Person, wallet: Wallet) -> None:
    here = f"/v1/billing/refund/{wallet.entry()}"

    first = adas.post(here, {"amount_cents": 2000}, key="k")
    again = adas.post(here, {"amount_cents": 2000}, key="k")

    told: dict[str, Any] = first.get_json()
    figures = {name: told[name] for name in ("status", "amount_cents", "tax_cents", "refunded_cents", "failure")}
    assert figures == {
        "status": "succeeded", "amount_cents": 2000, "tax_cents": 400, "refunded_cents": 2400, "failure": None,
    }  # fmt: skip
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (told, "true")
    assert wallet.gone() == 2400
    rows = adas.get("/v1/billing/transactions?type=refund").get_json()["transactions"]
    assert [(row["id"], row["amount_cents"]) for row in rows] == [(told["transaction_id"], -2000)]


def test_without_an_amount_all_of_it_goes_back_and_the_host_may_ask(host: Program, wallet: Wallet) -> None:
    answer = host.post(f"/v1/billing/refund/{wallet.entry()}", key="k")

    assert answer.get_json()["refunded_cents"] == 6000


def test_each_refusal_has_its_code(adas: Program, wallet: Wallet, clock: Clock) -> None:
    here = f"/v1/billing/refund/{wallet.entry()}"

    def refused(body: Any = None, path: str = here) -> tuple[int, str]:
        answer = adas.post(path, {} if body is None else body, key=f"k{len(seen)}")
        seen.append(answer)
        return answer.status_code, error(answer)["code"]

    seen: list[Any] = []
    gift = adas.get("/v1/billing/transactions?type=credit").get_json()["transactions"][0]["id"]
    assert refused(path="/v1/billing/refund/wtxn_none") == (404, "NOT_FOUND")
    assert refused(path=f"/v1/billing/refund/{gift}") == (422, "NOT_REFUNDABLE")
    assert refused({"amount_cents": 5001}) == (422, "MORE_THAN_REFUNDABLE")
    assert error(seen[-1])["details"] == {"field": "amount", "refundable_minor": 5000}
    assert refused({"amount_cents": 0}) == (422, "INVALID_REQUEST")
    assert refused({"cents": 1}) == (422, "INVALID_REQUEST")
    wallet.spends(5500)
    assert refused() == (409, "NOTHING_TO_REFUND")
    clock.advance(days=7)
    assert refused() == (403, "REFUND_WINDOW_CLOSED")
    assert wallet.gone() == 0


def test_the_whole_balance_is_asked_for_once_per_key_and_taken_back(
    adas: Program, host: Program, wallet: Wallet
) -> None:
    here = "/v1/billing/balance-refund"
    assert adas.get(here).get_json() == {"refundable_cents": 5000, "tax_cents": 1000, "request": None}

    first, again = (adas.post(here, {"reason": "We leave"}, key="k") for _ in range(2))

    asked: dict[str, Any] = first.get_json()
    assert {name: asked[name] for name in ("status", "amount_cents", "tax_cents", "reason")} == {
        "status": "waiting", "amount_cents": 5000, "tax_cents": 1000, "reason": "We leave",
    }  # fmt: skip
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (asked, "true")
    assert error(adas.post(here, {"reason": "Other"}, key="k"))["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert adas.post(here, key="other").status_code == 409, "one waits already"
    assert host.get(here).get_json()["request"] == asked

    back = host.delete(here)

    assert (back.status_code, back.get_json()["request"], wallet.minor) == (200, None, 5500)
    assert adas.delete(here).status_code == 409
    assert adas.post(here, key="anew").get_json()["id"] != asked["id"]
