"""POST /v1/billing/topup and POST /api/wallet/topup"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.http.tables import KeyedAnswer
from app.payments import Order
from app.providers.errors import Unavailable
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.programs import Program, error

PATH, HOST_PATH = "/v1/billing/topup", "/api/wallet/topup"


def orders(ada: Person) -> list[Order]:
    ada.session.rollback()
    return list(ada.session.scalars(select(Order).where(Order.customer_id == ada.customer_id)))


def test_it_answers_the_page_to_pay_on_and_credits_nothing(adas: Program, ada: Person, provider: FakeProvider) -> None:
    answer = adas.post(PATH, {"amount_cents": 5000}, key="k")

    assert answer.status_code == 200
    [order] = orders(ada)
    assert answer.get_json() == {"checkout_url": order.checkout_url, "session_id": order.provider_ref}
    assert (order.amount_minor, order.kind, order.channel) == (5000, "topup", "stripe")
    assert order.created_by.startswith("key_")
    assert ada.balance() == 5_000_000


def test_the_hosting_dashboards_way_answers_the_same_page(adas: Program, ada: Person, provider: FakeProvider) -> None:
    answer = adas.post(HOST_PATH, {"amountCents": 1000}, key="k")

    assert (answer.status_code, answer.get_json()) == (200, {"url": orders(ada)[0].checkout_url})


def test_the_same_key_is_the_same_page(adas: Program, ada: Person, provider: FakeProvider) -> None:
    first = adas.post(PATH, {"amount_cents": 5000}, key="k")
    second = adas.post(PATH, {"amount_cents": 5000}, key="k")

    assert second.get_json() == first.get_json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(orders(ada)) == 1


def test_the_same_key_with_another_body_or_call_is_refused(adas: Program, ada: Person, provider: FakeProvider) -> None:
    adas.post(PATH, {"amount_cents": 5000}, key="k")

    for path, body in ((PATH, {"amount_cents": 5001}), (HOST_PATH, {"amountCents": 5000})):
        answer = adas.post(path, body, key="k")
        assert (answer.status_code, error(answer)["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(orders(ada)) == 1


def test_without_a_key_every_request_opens_a_page_of_its_own(
    adas: Program, ada: Person, provider: FakeProvider
) -> None:
    adas.post(PATH, {"amount_cents": 5000})
    adas.post(PATH, {"amount_cents": 5000})

    assert len(orders(ada)) == 2


def test_16_at_once_with_one_key_open_one_page(adas: Program, ada: Person, provider: FakeProvider) -> None:
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: adas.post(PATH, {"amount_cents": 5000}, key="k"), range(16)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.get_data() for answer in answers}) == 1
    assert len(orders(ada)) == 1


def test_a_crash_before_the_answer_is_kept_is_healed_by_asking_again(
    app: Flask, adas: Program, ada: Person, provider: FakeProvider, clock: Any
) -> None:
    def crash(verb: str) -> None:
        if verb == "create_checkout":
            raise SystemExit("the process dies after the provider has made its page")

    provider.after = crash
    with pytest.raises(SystemExit):
        adas.post(PATH, {"amount_cents": 5000}, key="k")
    provider.after = lambda _verb: None

    healed = adas.post(PATH, {"amount_cents": 5000}, key="k")

    assert healed.status_code == 200
    assert len(orders(ada)) == len(provider.pages) == 1
    assert adas.post(PATH, {"amount_cents": 5000}, key="k").get_json() == healed.get_json()


def test_a_process_that_died_at_work_is_waited_for_and_then_replaced(
    adas: Program, ada: Person, provider: FakeProvider, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adas.post(PATH, {"amount_cents": 5000}, key="k")
    kept = ada.session.scalars(select(KeyedAnswer)).one()
    kept.status = kept.answer = None
    ada.session.commit()
    monkeypatch.setattr("app.http.idempotency._NAPS", 1)

    early = adas.post(PATH, {"amount_cents": 5000}, key="k")
    clock.advance(seconds=61)
    late = adas.post(PATH, {"amount_cents": 5000}, key="k")

    assert (early.status_code, error(early)["code"]) == (409, "CONFLICT")
    assert late.status_code == 200
    assert len(orders(ada)) == 1


def test_a_provider_that_is_down_is_503_and_the_same_key_may_try_again(
    adas: Program, ada: Person, provider: FakeProvider
) -> None:
    def down(_verb: str) -> None:
        raise Unavailable("no answer")

    provider.before = down
    refused = adas.post(PATH, {"amount_cents": 5000}, key="k")
    provider.before = lambda _verb: None

    assert (refused.status_code, error(refused)["code"]) == (503, "PROVIDER_UNAVAILABLE")
    assert int(refused.headers["Retry-After"]) > 0
    assert adas.post(PATH, {"amount_cents": 5001}, key="k").status_code == 409
    assert adas.post(PATH, {"amount_cents": 5000}, key="k").status_code == 200
    assert len(orders(ada)) == 1


def test_without_a_provider_it_says_so(app: Flask, adas: Program) -> None:
    app.extensions["providers"] = {}

    assert adas.post(PATH, {"amount_cents": 5000}).status_code == 503


def test_it_takes_10_to_10_000_dollars_and_names_the_field(adas: Program, ada: Person, provider: FakeProvider) -> None:
    for path, field in ((PATH, "amount_cents"), (HOST_PATH, "amountCents")):
        for amount in (999, 1_000_001, 0, -5, 10**30):
            answer = adas.post(path, {field: amount})
            assert (answer.status_code, error(answer)["details"]["field"]) == (422, field), amount
        for amount in (1000, 1_000_000):
            assert adas.post(path, {field: amount}).status_code == 200
    assert len(orders(ada)) == 4


def test_it_is_limited_per_customer(adas: Program, provider: FakeProvider) -> None:
    answers = [adas.post(PATH, {"amount_cents": 5000}, key="k") for _ in range(21)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 600
    assert error(answers[-1])["code"] == "RATE_LIMITED"


def test_an_answer_refused_by_shape_is_not_kept(adas: Program, ada: Person, provider: FakeProvider) -> None:
    adas.post(PATH, {"amount_cents": 1}, key="k")

    assert ada.session.scalar(select(func.count()).select_from(KeyedAnswer)) == 0
    ada.session.rollback()
    assert adas.post(PATH, {"amount_cents": 5000}, key="k").status_code == 200
