"""A model call's money: held before, taken or returned once after, and never more than there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.db import transaction
from app.errors import Conflict, IdempotencyKeyReused
from app.flows import sweep
from app.llm import calls
from app.llm.calls import Ask, Opened, Told
from app.llm.models import LlmCall, LlmDay
from app.llm.refusals import WalletEmpty
from tests.support.people import Person

ASK = Ask(
    upstream="openai", model="gpt-5-mini", stream=False, key_id="key_1", key=None, request_hash="a", output=100,
    price_version="v1",
)  # fmt: skip
LIVES = timedelta(minutes=6)
CENT = 10_000


@pytest.fixture
def poor(session: Session, ada: Person) -> Person:
    """Ada with exactly one cent."""
    ada.gets(1 - ada.balance() // CENT)
    return ada


def bound(output: int) -> int:
    """A hundred micros for the input, and as much for each token of the answer."""
    return 100 + 100 * output


def opened(session: Session, who: Person, ask: Ask = ASK) -> Opened:
    with transaction(session):
        return calls.open_call(session, who.customer_id, ask, bound, lives=LIVES)


def settled(session: Session, who: Person, call_id: str, cost: int, **told: object) -> LlmCall:
    with transaction(session):
        return calls.settle(session, who.customer_id, call_id, replace(Told(10, 20, 5, cost), **told))


def available(session: Session, who: Person) -> int:
    session.rollback()
    return ledger.balance(session, who.wallet).available


def test_what_it_cost_is_taken_and_the_rest_returns(session, poor):
    call = opened(session, poor, replace(ASK, output=50))
    assert (call.held_micros, available(session, poor)) == (5_100, CENT - 5_100)

    done = settled(session, poor, call.id, 3_333, upstream_request_id="req_1")

    assert available(session, poor) == poor.balance() == CENT - 3_333
    assert (done.state, done.outcome, done.cost_micros, done.upstream_request_id) == (
        "settled", "billed", 3_333, "req_1",
    )  # fmt: skip
    entry = ledger.entry(session, poor.customer_id, done.entry_id)
    told = {name: entry.data[name] for name in ("model", "prompt_tokens", "completion_tokens", "cached_tokens")}
    assert told == {"model": "gpt-5-mini", "prompt_tokens": 10, "completion_tokens": 20, "cached_tokens": 5}
    assert (entry.kind, entry.data["provider_cost_micros"], entry.data["call"]) == ("llm", 3_333, call.id)


def test_settling_or_releasing_again_changes_nothing(session, poor):
    call = opened(session, poor)
    settled(session, poor, call.id, 2_000)

    settled(session, poor, call.id, 9_000)
    with transaction(session):
        calls.release(session, poor.customer_id, call.id, outcome="error")

    assert poor.balance() == CENT - 2_000
    assert [day.calls for day in session.scalars(select(LlmDay))] == [1]


def test_the_days_add_up_to_the_calls(session, poor, clock):
    for cost, model in ((100, "gpt-5"), (200, "gpt-5"), (300, "gpt-5-mini")):
        settled(session, poor, opened(session, poor, replace(ASK, model=model, output=1)).id, cost)
    clock.advance(days=1)
    settled(session, poor, opened(session, poor, replace(ASK, model="gpt-5", output=1)).id, 50)

    days = session.scalars(select(LlmDay).order_by(LlmDay.day, LlmDay.model))

    assert [(day.model, day.calls, day.prompt_tokens, day.cost_micros) for day in days] == [
        ("gpt-5", 2, 20, 300), ("gpt-5-mini", 1, 10, 300), ("gpt-5", 1, 10, 50),
    ]  # fmt: skip


def test_a_wallet_that_pays_for_less_gets_a_shorter_answer(session, poor):
    call = opened(session, poor, replace(ASK, output=1_000_000))

    assert (call.output, call.held_micros) == (99, CENT)


def test_an_empty_wallet_is_told_so(session, poor):
    opened(session, poor, replace(ASK, output=99))

    with pytest.raises(WalletEmpty) as refused:
        opened(session, poor)

    assert refused.value.details == {"available_micros": 0, "needed_micros": 200}
    assert len(list(session.scalars(select(LlmCall)))) == 1


def test_what_is_released_returns_and_frees_its_key(session, poor):
    call = opened(session, poor, replace(ASK, key="k"))
    with transaction(session):
        calls.release(session, poor.customer_id, call.id, outcome="released")

    assert available(session, poor) == CENT
    assert opened(session, poor, replace(ASK, key="k")).id != call.id


def test_a_key_is_for_one_call(session, poor):
    call = opened(session, poor, replace(ASK, key="k", output=1))

    for _ in ("held", "settled"):
        with pytest.raises(Conflict) as refused:
            opened(session, poor, replace(ASK, key="k"))
        assert refused.value.details == {"call_id": call.id}
        settled(session, poor, call.id, 10)
    with pytest.raises(IdempotencyKeyReused):
        opened(session, poor, replace(ASK, key="k", request_hash="b"))


def test_fifty_at_once_spend_what_ten_cost(session, engine, poor):
    made, refused = [], []
    each = replace(ASK, output=9)  # ten of them are the cent

    def call() -> None:
        with Session(engine, expire_on_commit=False) as own:
            try:
                made.append(settled(own, poor, opened(own, poor, each).id, bound(9)))
            except WalletEmpty:
                refused.append(1)

    threads = [Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(refused), poor.balance()) == (10, 40, 0)


def test_who_died_in_between_is_swept(session, poor, clock):
    call = opened(session, poor, replace(ASK, key="k", output=9))
    clock.advance(minutes=3)
    young = opened(session, poor, replace(ASK, output=1))
    clock.advance(minutes=3)

    with transaction(session):
        assert calls.abandon_overdue(session, the_clock.now(), 10) == 1

    rows = {row.id: row for row in session.scalars(select(LlmCall))}
    assert (rows[call.id].state, rows[call.id].outcome, rows[call.id].key) == ("expired", "abandoned", None)
    assert rows[young.id].state == "held"


def test_an_answer_after_its_hold_has_ended_is_paid_from_what_there_is(session, poor, clock):
    slow, slower = (opened(session, poor, replace(ASK, output=9)) for _ in range(2))
    clock.advance(minutes=7)
    sweep.expire_holds(session, 10)
    with transaction(session):
        calls.abandon_overdue(session, the_clock.now(), 10)
    opened(session, poor, replace(ASK, output=88))  # leaves 1,100

    first, second = settled(session, poor, slow.id, 900), settled(session, poor, slower.id, 900)

    assert (first.cost_micros, second.cost_micros, second.state) == (900, 200, "settled")
    assert available(session, poor) == 0
    assert sum(day.cost_micros for day in session.scalars(select(LlmDay))) == 1_100


def test_an_answer_after_its_hold_has_ended_costs_a_frozen_wallet_nothing(session, poor, clock):
    slow = opened(session, poor, replace(ASK, output=9))
    clock.advance(minutes=7)
    sweep.expire_holds(session, 10)
    with transaction(session):
        calls.abandon_overdue(session, the_clock.now(), 10)
        ledger.freeze(session, poor.wallet)

    late = settled(session, poor, slow.id, 900)

    assert (late.cost_micros, late.entry_id, late.state) == (0, None, "settled")
