"""Coupons to use, and customers to use them, made through the program's own verbs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.coupons import issue
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.customers import customers
from app.db import transaction
from app.money import Money


def usd(minor: int) -> Money:
    return Money(minor, "usd")


@pytest.fixture
def coupon(session: Session) -> Callable[..., Coupon]:
    """`coupon("OFF20", percent=20, most=1)`; kinds percent, amount and credits."""

    def make(code: str, **told: object) -> Coupon:
        kind = next(name for name in ("percent", "amount", "credits") if name in told)
        value = told.pop(kind)
        limits = {
            name: told.pop(name) for name in ("most", "most_per_customer", "starts_at", "ends_at") if name in told
        }
        terms = Terms(code, kind, value, Limits(code.lower(), **limits), "usd" if kind == "amount" else None, **told)
        with transaction(session):
            return issue.make(session, terms, actor="staff:usr_ann")

    return make


@pytest.fixture
def buyer(session: Session) -> Callable[..., str]:
    """A new customer's id: `buyer("ann@example.com")`."""

    def make(email: str) -> str:
        with transaction(session):
            return customers.open_customer(session, name=email, email=email, actor="system").id

    return make
