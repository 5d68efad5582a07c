"""Refunds against others at the same moment, on both databases: nothing is given twice, nobody waits in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.db import transaction
from app.errors import InsufficientFunds, Refusal
from app.flows import refund_request, refund_top_up
from app.flows.refund_top_up import Wish
from app.wallet import debit
from tests.support.fake_refunds import RefundProvider
from tests.support.refunding import Wallet


@pytest.fixture
def ada(session: Session, payer: Customer, tells: Any, sessions: Any) -> Wallet:
    """Ada, who topped up $50, and then $20."""
    there = Wallet(session, RefundProvider(), payer.id, tells, sessions)
    there.tops_up(5000)
    there.tops_up(2000, "pay_2")
    return there


def together(*work: Callable[[], object]) -> list[object]:
    """What each came to, or how it was refused; all begin at the same moment."""
    ready = threading.Barrier(len(work))

    def one(do: Callable[[], object]) -> object:
        ready.wait()
        try:
            return do()
        except Refusal as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def test_a_refund_and_a_debit_of_the_same_money(ada: Wallet) -> None:
    entry = ada.entry("pay_2")
    ada.session.rollback()

    def refunds() -> int:
        with ada.sessions() as own:
            wish = Wish(entry, "k", "usr_1", "", 2000)
            return refund_top_up.start(own, ada.providers, ada.customer_id, wish).amount_minor

    def spends() -> int:
        with ada.sessions() as own, transaction(own):
            debit.debit(own, ada.customer_id, 60_000_000, description="Work", key="d", by="key_1")
        return 6000

    refunded, spent = together(refunds, spends)

    gone = ada.fake.gone("pay_2")
    assert (refunded, spent, gone) in (
        (2000, InsufficientFunds, 2000),
        (refund_top_up.MoreThanRefundable, 6000, 0),
    )
    assert ada.minor == (5000 if gone else 1000)
    assert ada.books_are_right()


def test_two_parts_the_whole_balance_and_the_providers_news_at_once(ada: Wallet) -> None:
    how = {"reason": "", "key": "asked", "actor": "usr_1", "currency": "usd"}
    request = refund_request.ask(ada.session, ada.providers, ada.customer_id, **how).id
    entries = [ada.entry(), ada.entry("pay_2")]
    ada.fake.pays_back_unasked("pay_1", 500, "re_there")
    ada.tells("refund", None, refund="re_there", amount=500)
    ada.session.rollback()

    def part(entry: str) -> None:
        with ada.sessions() as own:
            refund_top_up.start(own, ada.providers, ada.customer_id, Wish(entry, entry, "usr_1", "", 700))

    def whole() -> None:
        with ada.sessions() as own:
            refund_request.approve(own, ada.providers, request, actor="staff:usr_9")

    together(lambda: part(entries[0]), lambda: part(entries[1]), whole, ada.works)

    # Whoever came first: what Stripe gave by itself may have been given by us as well, and was then refused there.
    ada.works()
    assert ada.gone() <= 7000
    assert ada.books_are_right()
