"""Events on their way: signed, retried, doubled, held, dropped, shuffled, and never lost."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import stripe

from app.sandbox import running_sandbox
from app.sandbox.spec import pinned
from app.sandbox.webhooks import deliveries

PAID_CHECKOUT = {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}


def outbox(sandbox):
    with sandbox.sandbox.reading() as tx:
        return [tuple(row) for row in tx.sql.execute("SELECT id, event, state, attempts FROM deliveries ORDER BY id")]


def states(sandbox):
    return [state for _, _, state, _ in outbox(sandbox)]


def press(visitor, sandbox, path, **form):
    answer = visitor.post(sandbox.url + path, data=form)
    assert answer.status_code == 303, answer.text


def test_a_paid_checkout_sends_stripes_usual_events(visitor, top_up, sandbox, receiver):
    visitor.post(top_up().url, data={"method": "4242424242424242"})

    sandbox.deliver()

    assert set(receiver.kinds) == {"customer.created", *PAID_CHECKOUT}
    assert all(pinned().event(json.loads(body)) == [] for body in receiver.bodies)
    assert {event.api_version for event in receiver.events} == {"2026-10-28.endive"}


def test_the_signature_is_the_sdks_own(ada, sandbox, receiver):
    sandbox.deliver()  # the receiver verifies with the SDK

    receiver.secret = "whsec_another"
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.take(receiver.bodies[0], "t=1,v1=00")


def test_signatures_carry_the_real_time_however_far_the_clock_was_moved(sandbox, api, receiver):
    sandbox.advance(400 * 86400)
    api.customers.create({"name": "Ada"})

    sandbox.deliver()  # the receiver refuses what is older than five minutes

    assert receiver.only("customer.created").created > time.time() + 399 * 86400


def test_a_refused_delivery_is_tried_again_later_and_later(config, ada, sandbox, receiver):
    receiver.answers = [500, 404, 301]
    waits = config.retry_after[:3]
    attempts = [sandbox.deliver()]
    for wait in waits:
        early = sandbox.deliver()
        sandbox.advance(wait)
        attempts.append(sandbox.deliver())
        assert early == 0

    assert attempts == [1, 1, 1, 1]
    assert states(sandbox) == ["delivered"]
    assert receiver.kinds == ["customer.created"] * 4
    assert len(set(receiver.bodies)) == 1


def test_it_gives_up_in_the_end_and_can_be_sent_by_hand(config, ada, sandbox, receiver, visitor):
    receiver.answers = [500] * (len(config.retry_after) + 1)
    for wait in (0, *config.retry_after):
        sandbox.advance(wait)
        sandbox.deliver()
    gave_up = states(sandbox)

    press(visitor, sandbox, "/deliveries/1/now")
    sandbox.deliver()

    assert gave_up == ["gave_up"]
    assert states(sandbox) == ["delivered"]


def test_nobody_listening_is_a_failed_attempt_that_is_kept(config, receiver, tmp_path):
    silent = replace(config, webhook_url="http://127.0.0.1:9/nobody")
    with running_sandbox(silent, delivers=False) as running:
        with running.sandbox.writing() as tx:
            deliveries.queue(tx, tx.new("event", type="customer.created", data={"object": {}})["id"], endpoint_of(tx))
        running.deliver()
        with running.sandbox.reading() as tx:
            kept = tx.sql.execute("SELECT status, said FROM attempts").fetchone()

    assert kept[0] is None
    assert "refused" in kept[1].lower()


def endpoint_of(tx):
    return tx.every("webhook_endpoint")[0]["id"]


def test_what_was_not_delivered_survives_a_restart(config, receiver):
    with running_sandbox(config, delivers=False) as first, first.sandbox.writing() as tx:
        from app.sandbox.webhooks.events import emit

        emit(tx, "customer.created", tx.new("customer", name="Ada"))

    with running_sandbox(config, delivers=False) as second:
        second.deliver()

    assert receiver.kinds == ["customer.created"]


def test_the_background_delivers_without_being_asked(config, receiver):
    with running_sandbox(config) as running:
        with running.sandbox.writing() as tx:
            from app.sandbox.webhooks.events import emit

            emit(tx, "customer.created", tx.new("customer", name="Ada"))
        until = time.monotonic() + 10
        while not receiver.events and time.monotonic() < until:
            time.sleep(0.02)

    assert receiver.kinds == ["customer.created"]


def test_a_delivery_can_be_sent_again_and_twice(ada, sandbox, receiver, visitor):
    sandbox.deliver()

    press(visitor, sandbox, "/deliveries/1/again")
    press(visitor, sandbox, "/deliveries/1/twice")
    sandbox.deliver()

    assert len({event.id for event in receiver.events}) == 1
    assert receiver.kinds == ["customer.created"] * 4


def test_a_delivery_can_be_held_and_let_go(ada, sandbox, receiver, visitor):
    press(visitor, sandbox, "/deliveries/1/hold")
    sandbox.advance(86400)
    held = sandbox.deliver()

    press(visitor, sandbox, "/deliveries/1/now")
    sandbox.deliver()

    assert held == 0
    assert receiver.kinds == ["customer.created"]


def test_a_delivery_can_be_dropped_and_still_be_sent_by_hand(ada, sandbox, receiver, visitor):
    press(visitor, sandbox, "/deliveries/1/drop")
    dropped = sandbox.deliver()

    press(visitor, sandbox, "/deliveries/1/now")
    sandbox.deliver()

    assert dropped == 0
    assert receiver.kinds == ["customer.created"]


@pytest.mark.parametrize(
    ("mode", "state", "sent"),
    [("normal", "pending", 1), ("hold", "held", 0), ("duplicate", "pending", 2), ("drop", "dropped", 0)],
)
def test_the_mode_decides_what_becomes_of_new_deliveries(api, sandbox, receiver, visitor, mode, state, sent):
    press(visitor, sandbox, "/deliveries/mode", mode=mode)

    api.customers.create({"name": "Ada"})

    assert set(states(sandbox)) == {state}
    assert sandbox.deliver() == sent
    assert receiver.kinds == ["customer.created"] * sent
    assert len({event.id for event in receiver.events}) <= 1
    assert len(api.events.list().data) == 1


def test_held_ones_are_shuffled_and_released_in_their_new_order(api, sandbox, receiver, visitor):
    press(visitor, sandbox, "/deliveries/mode", mode="hold")
    made = [api.customers.create({"name": str(number)}).id for number in range(12)]

    press(visitor, sandbox, "/deliveries/held/shuffle")
    press(visitor, sandbox, "/deliveries/held/release")
    sandbox.deliver()

    got = [event.data.object.id for event in receiver.events]
    assert sorted(got) == sorted(made)
    assert got != made


def test_chance_may_double_events(config, receiver):
    with running_sandbox(replace(config, duplicate_percent=100), delivers=False) as running:
        with running.sandbox.writing() as tx:
            from app.sandbox.webhooks.events import emit

            emit(tx, "customer.created", tx.new("customer", name="Ada"))
        running.deliver()

    assert receiver.kinds == ["customer.created"] * 2


def test_events_of_one_moment_come_in_any_order(config, receiver):
    orders = set()
    with running_sandbox(config, delivers=False) as running:
        for _ in range(8):
            receiver.events.clear()
            with running.sandbox.writing() as tx:
                for number in range(4):
                    event = tx.new("event", type="x", data={"object": {"n": number}})
                    deliveries.queue(tx, event["id"], endpoint_of(tx))
            running.deliver()
            orders.add(tuple(event.data.object.n for event in receiver.events))

    assert len(orders) > 1


def test_without_shuffling_they_come_in_the_order_they_happened(config, receiver):
    with running_sandbox(replace(config, shuffle=False), delivers=False) as running:
        with running.sandbox.writing() as tx:
            for number in range(8):
                event = tx.new("event", type="x", data={"object": {"n": number}})
                deliveries.queue(tx, event["id"], endpoint_of(tx))
        running.deliver()

    assert [event.data.object.n for event in receiver.events] == list(range(8))


def test_two_deliverers_never_send_one_delivery_twice(config, receiver):
    import threading

    with running_sandbox(config, delivers=False) as running:
        with running.sandbox.writing() as tx:
            for number in range(20):
                event = tx.new("event", type="x", data={"object": {"n": number}})
                deliveries.queue(tx, event["id"], endpoint_of(tx))
        threads = [threading.Thread(target=running.deliver) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(event.data.object.n for event in receiver.events) == list(range(20))


def test_an_endpoint_made_by_api_gets_only_what_it_asked_for(api, sandbox, receiver):
    [configured] = api.webhook_endpoints.list().data
    made = api.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["customer.updated"], "api_version": "2026-10-28.endive"}
    )
    ada = api.customers.create({"name": "Ada"})
    sandbox.deliver()
    receiver.secret, before = made.secret, len(receiver.events)

    api.customers.update(ada.id, {"name": "Bo"})
    with sandbox.sandbox.writing() as tx:
        tx.sql.execute("UPDATE deliveries SET state = 'dropped' WHERE endpoint = ?", (configured.id,))
    sandbox.deliver()

    assert (configured.api_version, configured.url, configured.enabled_events) == (
        "2026-10-28.endive",
        receiver.url,
        ["*"],
    )
    assert before == 1
    assert receiver.kinds[before:] == ["customer.updated"]
    assert "secret" not in api.webhook_endpoints.retrieve(made.id)


def test_events_can_be_read_back(api, ada, sandbox, receiver):
    api.customers.update(ada.id, {"name": "Bo"})

    [told] = api.events.list({"type": "customer.updated"}).data
    before = api.events.retrieve(told.id).pending_webhooks
    sandbox.deliver()

    assert told.data.object.name == "Bo"
    assert (before, api.events.retrieve(told.id).pending_webhooks) == (1, 0)
    assert len(api.events.list({"types": ["customer.updated", "customer.created"]}).data) == 2
    assert api.events.list({"created": {"gt": told.created + 60}}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        api.events.list({"type": "a", "types": ["b"]})


def test_an_event_tells_which_call_caused_it(api, visitor, top_up, sandbox):
    api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    visitor.post(top_up().url, data={"method": "4242424242424242"})

    by_call = [event.request for event in api.events.list({"type": "customer.created"}).data]
    [by_page] = [event.request for event in api.events.list({"type": "checkout.session.completed"}).data]

    assert "k1" in {request.idempotency_key for request in by_call}
    assert (by_page.id, by_page.idempotency_key) == (None, None)
