"""Adjusting a wallet by hand: with a reason, in range, once per key, never below zero, and in the audit log."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from app.wallet.adjust import LARGEST_MICROS, adjust
from app.wallet.holds import authorise
from tests.support.people import Person

WHY = "Goodwill for slow answers"


def test_it_gives_and_takes(session: Session, ada: Person) -> None:
    with transaction(session):
        adjust(session, ada.customer_id, 2_500_000, reason=WHY, actor="staff:usr_1", key="a")
        adjust(session, ada.customer_id, -500_000, reason=WHY, actor="staff:usr_1", key="b")

    assert ada.balance() == 7_000_000


def test_it_is_in_the_audit_log_once_with_actor_reason_and_amount(session: Session, ada: Person) -> None:
    for _ in range(2):
        with transaction(session):
            entry = adjust(session, ada.customer_id, 1, reason=WHY, actor="staff:usr_1", key="same", ticket="HELP-7")

    lines = session.scalars(select(Activity).where(Activity.action == "wallet.adjusted")).all()
    assert [line.actor for line in lines] == ["staff:usr_1"]
    assert lines[0].customer_id == ada.customer_id
    assert lines[0].details == {"amount_micros": 1, "reason": WHY, "ticket": "HELP-7", "entry": entry.id}
    assert entry.data == {"description": WHY, "by": "staff:usr_1", "ticket": "HELP-7"}


def test_it_never_takes_below_zero(session: Session, ada: Person) -> None:
    with pytest.raises(InsufficientFunds), transaction(session):
        adjust(session, ada.customer_id, -5_000_001, reason=WHY, actor="staff:usr_1", key="a")

    assert ada.balance() == 5_000_000
    assert not session.scalars(select(Activity).where(Activity.action == "wallet.adjusted")).all()


def test_it_leaves_what_is_held(session: Session, ada: Person) -> None:
    with transaction(session):
        authorise(session, ada.customer_id, 4_000_000, description=None, key="h", by="key_host")

    with pytest.raises(InsufficientFunds), transaction(session):
        adjust(session, ada.customer_id, -1_000_001, reason=WHY, actor="staff:usr_1", key="a")


def test_it_asks_for_a_reason_of_3_to_500_printable_characters(session: Session, ada: Person) -> None:
    for reason in ("", "  ", "ok", " ok ", "x" * 501, "bad\x00byte", "lone\ud800surrogate"):
        with pytest.raises(Invalid) as refused, transaction(session):
            adjust(session, ada.customer_id, 1, reason=reason, actor="staff:usr_1", key="a")
        assert refused.value.field == "reason"

    for reason in ("yes", "x" * 500, "  padded  ", "Zażółć gęślą jaźń 🚀", "\u202eright to left"):
        with transaction(session):
            entry = adjust(session, ada.customer_id, 1, reason=reason, actor="staff:usr_1", key=str(len(reason)))
        assert entry.data["description"] == reason.strip()


def test_it_refuses_nothing_and_too_much(session: Session, ada: Person) -> None:
    for amount in (0, LARGEST_MICROS + 1, -LARGEST_MICROS - 1, 2**63):
        with pytest.raises(Invalid) as refused, transaction(session):
            adjust(session, ada.customer_id, amount, reason=WHY, actor="staff:usr_1", key="a")
        assert refused.value.field == "amount"


def test_it_refuses_another_adjustment_under_the_same_key(session: Session, ada: Person) -> None:
    with transaction(session):
        adjust(session, ada.customer_id, 1, reason=WHY, actor="staff:usr_1", key="same")

    with pytest.raises(IdempotencyKeyReused), transaction(session):
        adjust(session, ada.customer_id, 2, reason=WHY, actor="staff:usr_1", key="same")
