"""Answering a key once: kept, replayed, refused for other content, and healed after a crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import digest
from app.db import transaction
from app.errors import Conflict, IdempotencyKeyReused, Invalid
from app.http import idempotency
from app.http.tables import KeyedAnswer

pytestmark = pytest.mark.both_databases

REQUEST = ["topup", {"amount_cents": 5000}]


class Work:
    """Something that may be done once."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.done = 0

    def __call__(self) -> idempotency.Answer:
        self.done += 1
        answer = self.answers[min(self.done, len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return 200, answer


def ask(session: Session, work: Work, *, key: str = "k", customer: str = "cus_1", request: Any = REQUEST) -> Any:
    return idempotency.answer_once(session, customer_id=customer, key=key, request=request, do=work)


def test_it_does_it_once_and_gives_the_same_answer_again(session: Session) -> None:
    work = Work({"url": "a"}, {"url": "b"})

    first, second = ask(session, work), ask(session, work)

    assert (first.body, first.replayed) == ({"url": "a"}, False)
    assert (second.body, second.replayed, second.status) == ({"url": "a"}, True, 200)
    assert work.done == 1


def test_it_refuses_other_content_under_the_same_key(session: Session) -> None:
    work = Work({})
    ask(session, work)

    with pytest.raises(IdempotencyKeyReused):
        ask(session, work, request=["topup", {"amount_cents": 5001}])
    assert work.done == 1


def test_the_order_of_fields_does_not_matter(session: Session) -> None:
    work = Work({})
    ask(session, work, request={"a": 1, "b": 2})

    assert ask(session, work, request={"b": 2, "a": 1}).replayed


def test_a_key_belongs_to_its_customer(session: Session) -> None:
    ada, bo = Work({"for": "ada"}), Work({"for": "bo"})

    assert ask(session, ada, customer="cus_1").body == {"for": "ada"}
    assert ask(session, bo, customer="cus_2", request=["else"]).body == {"for": "bo"}


def test_a_refusal_is_not_kept_and_its_key_stays_bound_to_its_content(session: Session) -> None:
    work = Work(Conflict("Not now."), {"url": "a"})

    with pytest.raises(Conflict):
        ask(session, work)
    with pytest.raises(IdempotencyKeyReused):
        ask(session, work, request=["something else"])
    assert ask(session, work).body == {"url": "a"}


def test_one_that_is_at_work_is_waited_for_then_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "_NAPS", 2)

    def meanwhile() -> idempotency.Answer:
        with Session(session.get_bind(), expire_on_commit=False) as other, pytest.raises(Conflict):
            ask(other, Work({}))
        return 200, {"url": "a"}

    told = idempotency.answer_once(session, customer_id="cus_1", key="k", request=REQUEST, do=meanwhile)

    assert told.body == {"url": "a"}


def test_one_that_died_is_replaced_after_its_lease(session: Session, clock: Any) -> None:
    with transaction(session):
        session.add(
            KeyedAnswer(customer_id="cus_1", key="k", request_hash=digest.of(REQUEST), started_at=the_clock.now())
        )
    clock.advance(seconds=61)
    work = Work({"url": "a"})

    assert ask(session, work).body == {"url": "a"}
    assert ask(session, work).replayed


def test_20_at_once_do_it_once(engine: Engine) -> None:
    work = Work({"url": "a"})

    def one(_: int) -> Any:
        with Session(engine, expire_on_commit=False) as session:
            return ask(session, work)

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(one, range(20)))

    assert work.done == 1
    assert [answer.body for answer in answers] == [{"url": "a"}] * 20
    assert sum(not answer.replayed for answer in answers) == 1


def test_an_answer_is_remembered_for_a_week(session: Session, clock: Any) -> None:
    ask(session, Work({}), key="old")
    ask(session, Work({}), key="theirs", customer="cus_2")
    clock.advance(days=7)
    assert ask(session, Work({}), key="old").replayed
    clock.advance(seconds=1)

    ask(session, Work({}), key="new")

    assert set(session.scalars(select(KeyedAnswer.key))) == {"theirs", "new"}


def test_without_a_key_each_request_has_one_of_its_own() -> None:
    assert idempotency.read_key(None) != idempotency.read_key(None)


def test_a_key_is_visible_ascii() -> None:
    for key in ("", " ", "a b", "x" * 256, "ä", "a\n", "\x00"):
        with pytest.raises(Invalid):
            idempotency.read_key(key)
    assert idempotency.read_key("!~" * 127) == "!~" * 127
