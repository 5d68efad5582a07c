"""The plan on a customer's page in the back office."""

from __future__ import annotations

import pytest

from tests.support.card_paid import Cardholder
from tests.support.people import Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_who_pays_by_card_is_shown_with_what_the_provider_calls_it(
    client_of, support: Person, cardholder: Cardholder
) -> None:
    sub = cardholder.subscribes("growth")
    cardholder.changes_to("starter")

    page = client_of(support).get(f"/admin/customers/{cardholder.customer_id}")

    assert page.status_code == 200
    shown = page.get_data(as_text=True)
    for told in ("Growth", "$30.00 a month", sub.provider_id, "Starter", "$10.00 a month"):
        assert told in shown, told
