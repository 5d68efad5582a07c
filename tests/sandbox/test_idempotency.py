"""Idempotency keys: the first answer to a key is the answer to it."""

from __future__ import annotations

import threading
from dataclasses import replace

import httpx
import pytest
import stripe

from app.sandbox import running_sandbox

DAY = 86400


def test_the_same_key_and_body_get_the_first_answer_again(api):
    first = api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    second = api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})

    assert second.id == first.id
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert len(api.customers.list().data) == 1


def test_the_order_of_the_parameters_does_not_matter(raw):
    first = raw.post("/v1/customers", content="name=Ada&email=a@b.c", headers={"Idempotency-Key": "k1"})
    second = raw.post("/v1/customers", content="email=a@b.c&name=Ada", headers={"Idempotency-Key": "k1"})

    assert second.json() == first.json()


def test_the_same_key_with_another_body_is_refused(api):
    api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})

    with pytest.raises(stripe.IdempotencyError) as refusal:
        api.customers.create({"name": "Bo"}, {"idempotency_key": "k1"})

    assert refusal.value.http_status == 400
    assert len(api.customers.list().data) == 1


def test_the_same_key_at_another_address_is_refused(api, ada):
    api.customers.update(ada.id, {"name": "Ada"}, {"idempotency_key": "k1"})

    with pytest.raises(stripe.IdempotencyError):
        api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})


def test_a_decline_is_replayed_and_charges_only_once(api, ada):
    method = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    params = {"amount": 500, "currency": "usd", "customer": ada.id, "payment_method": method.id, "confirm": True}
    intents = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            api.payment_intents.create({**params, "off_session": True}, {"idempotency_key": "k1"})
        intents.append(refusal.value.error.payment_intent.id)

    assert intents[0] == intents[1]
    assert len(api.payment_intents.list().data) == 1


def test_a_refusal_leaves_nothing_behind_and_is_replayed(api, ada, raw):
    form = {"amount": "10", "currency": "usd", "customer": ada.id}
    first = raw.post("/v1/payment_intents", data=form, headers={"Idempotency-Key": "k1"})
    second = raw.post("/v1/payment_intents", data=form, headers={"Idempotency-Key": "k1"})

    assert first.json()["error"]["code"] == "amount_too_small"
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert api.payment_intents.list().data == []


def test_parameters_that_are_wrong_in_themselves_do_not_use_the_key_up(raw):
    raw.post("/v1/customers", data={"nonsense": "1"}, headers={"Idempotency-Key": "k1"})

    answer = raw.post("/v1/customers", data={"name": "Ada"}, headers={"Idempotency-Key": "k1"})

    assert answer.status_code == 200


def test_a_key_is_forgotten_after_a_day(sandbox, api):
    first = api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    sandbox.advance(DAY + 60)

    second = api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})

    assert second.id != first.id


def test_a_key_may_not_be_too_long(raw):
    answer = raw.post("/v1/customers", data={}, headers={"Idempotency-Key": "k" * 256})

    assert answer.status_code == 400


def test_reading_needs_no_key_and_ignores_one(raw):
    raw.post("/v1/customers", data={}, headers={"Idempotency-Key": "k1"})

    assert raw.get("/v1/customers", headers={"Idempotency-Key": "k1"}).status_code == 200


def test_of_two_at_once_with_one_key_one_is_told_to_wait(config):
    slow = replace(config, latency_ms=400)
    statuses: list[int] = []
    ids: set[str] = set()
    together = threading.Barrier(2)

    with running_sandbox(slow, delivers=False) as running:

        def create() -> None:
            headers = {"Authorization": f"Bearer {config.secret_key}", "Idempotency-Key": "k1"}
            together.wait()
            answer = httpx.post(running.url + "/v1/customers", data={"name": "Ada"}, headers=headers)
            statuses.append(answer.status_code)
            if answer.status_code == 200:
                ids.add(answer.json()["id"])

        threads = [threading.Thread(target=create) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(statuses) == [200, 409]
        with running.sandbox.reading() as tx:
            assert [each["id"] for each in tx.every("customer")] == list(ids)


def test_the_sdks_own_retry_turns_the_wait_into_the_answer(sdk, sandbox):
    found: list[str] = []

    def create() -> None:
        client = sdk(max_network_retries=4)
        found.append(client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
