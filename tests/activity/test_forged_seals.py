"""Seals that Purser did not write: a line must not be kept out of the chain by a seal that stands outside of it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app import activity, clock
from app.activity.models import Seal
from app.db import transaction
from app.flows import audit_log


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked for here is plain SQL."""
    return sqlite_url


@pytest.mark.parametrize("number", [0, -7])
def test_a_seal_before_the_first_one_hides_no_line(session: Session, number: int):
    with transaction(session):
        activity.record(session, "system", "wallet.adjusted", "wtxn_1", customer_id="cus_1", why="x")
    audit_log.seal_all(session)
    with transaction(session):
        hidden = activity.record(session, "system", "wallet.adjusted", "wtxn_2", customer_id="cus_1", why="y")
        forged = {"customer_id": "cus_1", "activity_id": hidden.id, "sealed_at": clock.now()}
        session.execute(insert(Seal).values(number=number, line_hash="0" * 64, hash="0" * 64, **forged))
        name = hidden.id

    checked = audit_log.verify(session, real_time=False, by="cli")

    [fault] = checked.faults
    assert f"Seal {number} " in fault
    assert name in fault
