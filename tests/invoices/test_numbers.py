"""Numbers have no gaps: whoever finalises at once, and whoever gives up (SPEC I1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.invoices import Invoice
from app.invoices.credit import MoreThanInvoiced
from tests.invoices.conftest import Desk


def test_many_at_once_leave_no_gap_even_when_some_give_up(engine: Engine, desk: Desk) -> None:
    class GaveUp(Exception):
        pass

    def one(number: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            try:
                with transaction(session):
                    Desk(session, desk.customer_id).begun(100, key=f"sub_1:{number}")
                    if number % 3 == 0:
                        raise GaveUp
            except GaveUp:
                pass

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(one, range(30)))

    assert numbers_of(desk) == [f"INV-2026-{number:04d}" for number in range(1, 21)]


def test_of_many_who_credit_at_once_none_takes_back_too_much(engine: Engine, desk: Desk) -> None:
    invoice = desk.paid(1000)

    def one(number: int) -> bool:
        with Session(engine, expire_on_commit=False) as session:
            mine = session.get(Invoice, (invoice.customer_id, invoice.id))
            assert mine is not None
            try:
                Desk(session, desk.customer_id).credit(mine, 400, key=str(number))
            except MoreThanInvoiced:
                return False
            return True

    with ThreadPoolExecutor(5) as crowd:
        assert sum(crowd.map(one, range(5))) == 2
    desk.session.rollback()
    desk.session.refresh(invoice)
    assert invoice.credited_minor == 800


def numbers_of(desk: Desk) -> list[str | None]:
    desk.session.rollback()
    return list(desk.session.scalars(select(Invoice.number).order_by(Invoice.number)))
