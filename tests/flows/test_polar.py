"""What Polar cannot do, what it does not say, and its portal."""

from __future__ import annotations

import pytest

from app.errors import UnsupportedByChannel
from app.flows import cards, change_plan, subscribe
from tests.support.patron import Patron


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


def test_what_polar_cannot_do_is_refused_by_name(patron: Patron) -> None:
    patron.is_on()

    with pytest.raises(UnsupportedByChannel):
        cards.listed(patron.session, patron.adapter, patron.customer_id)
    with pytest.raises(UnsupportedByChannel):
        subscribe.with_card(
            patron.session, patron.adapter, patron.customer, "growth", "month", form_key="k", actor="usr_1"
        )


def test_what_a_change_costs_is_estimated_where_polar_does_not_say_it(patron: Patron) -> None:
    patron.is_on()

    shown = change_plan.preview(patron.session, patron.providers, patron.customer_id, "growth", "month", actor="usr_1")

    assert (shown.details["estimated"], shown.due_minor) == (True, 2000)


def test_its_portal_is_opened(patron: Patron) -> None:
    url = cards.portal(patron.session, patron.adapter, patron.customer, return_url="https://purser.example/")

    assert url.startswith("https://sandbox.polar.sh/acme/portal")
