"""A frozen wallet pays for no usage beyond the plan: each such event is refused, the others count (SPEC U3, W5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app import entitlements, ledger
from app.db import transaction
from app.errors import WalletFrozen
from app.metering import NewEvent
from app.wallet.accounts import wallet_of
from tests.support.usage import User


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The freeze itself is tested on both databases with the ledger."""
    return sqlite_url


def test_what_the_wallet_would_pay_for_is_refused_and_the_rest_counts(
    user: User, catalogue: Callable[[str], None]
) -> None:
    catalogue("oper")
    user.uses("passports", 50_000)
    with transaction(user.session):
        ledger.freeze(user.session, wallet_of(user.customer_id))

    told = user.reports(NewEvent("a", "passports", 1), NewEvent("b", "drop_offs", 1))
    verdict = entitlements.check(user.session, user.customer_id, "passports")

    assert [(one.id, type(one.refusal)) for one in told.refused] == [("a", WalletFrozen)]
    assert "The wallet would pay for more, and is frozen." in told.refused[0].refusal.sentence
    assert (told.accepted, verdict.allowed, verdict.reason) == (1, False, "WALLET_FROZEN")
    assert user.faults() == []
