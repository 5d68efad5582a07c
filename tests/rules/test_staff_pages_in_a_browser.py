"""The back office's newer pages in a real browser: on a phone they fit, and axe finds nothing serious."""

from __future__ import annotations

import pytest

from app.db import transaction
from app.wallet import frozen
from tests.support.looks import look_at


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough to look at pages."""
    return sqlite_url


@pytest.mark.slow
def test_pages_of_the_back_office_fit_and_are_accessible(page, session, things, ada, admin, sign_in, address):
    with transaction(session):
        frozen.freeze_by_hand(session, ada.customer_id, "usd", reason="Card testing", actor="staff:usr_1")
    sign_in(admin)
    customer = f"/admin/customers/{ada.customer_id}"

    for path in (
        "/admin", customer, f"{customer}/timeline", "/admin/balances", "/admin/catalogue", "/admin/channels",
        "/admin/activity", "/admin/staff",
    ):  # fmt: skip
        page.goto(address + path)
        look_at(page, widths=(390,))
