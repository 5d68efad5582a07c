"""The check-in page in a real browser: a double click is one check-in, with scripts and without; axe is content."""

from __future__ import annotations

import pytest

from app.catalogue import check_in
from app.catalogue.terms import CheckInTerms
from app.checkin.models import CheckIn
from app.db import transaction
from tests.support.looks import look_at


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough to look at pages."""
    return sqlite_url


@pytest.mark.slow
@pytest.mark.parametrize("javascript", [True, False])
def test_a_double_click_is_one_check_in(page, session, ada, sign_in, address, javascript):
    with transaction(session):
        check_in.save(session, CheckInTerms(10, ((2, 5),), who="everyone"), is_on=True, actor="system")
    sign_in(ada)
    page.goto(f"{address}/check-in")
    if javascript:
        look_at(page, widths=(390,))

    page.get_by_role("button", name="Check in for 10 credits").dblclick()

    page.get_by_text("Done today").wait_for()
    assert session.query(CheckIn).count() == 1
