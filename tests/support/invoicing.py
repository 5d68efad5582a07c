"""Invoices for tests of pages and the API: `invoice_for(ada, 4900)` makes one out to Ada's customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import clock, ids, invoices
from app.db import transaction
from app.invoices import Invoice, NewLine
from tests.support.people import Person


@pytest.fixture
def invoice_for(session: Session) -> Callable[..., Invoice]:
    """A finalised invoice with lines of so many cents: `state` is open, paid, failed or void."""

    def make(
        who: Person,
        *cents: int,
        state: str = "paid",
        reason: str = "subscription_cycle",
        title: str = "Starter plan, monthly",
        **more: Any,
    ) -> Invoice:
        lines = [NewLine(title, amount) for amount in cents]
        with transaction(session):
            draft = invoices.make(
                session,
                customer_id=who.customer_id,
                key=ids.new("test"),
                reason=reason,
                currency="usd",
                lines=lines,
                **more,
            )
            invoice = invoices.finalise(session, draft)
            if state == "paid":
                invoices.mark_paid(session, invoice, paid_with="Wallet", payment_id="wtxn_1", at=clock.now())
            elif state == "failed":
                words = "The wallet was $4.00 short."
                invoices.mark_failed(session, invoice, failure=words, next_attempt_at=clock.now())
            elif state == "void":
                invoices.void(session, invoice)
        return invoice

    return make
