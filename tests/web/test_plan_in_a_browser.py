"""The plan's pages and payment methods in a real browser: they fit, axe finds nothing serious, the switch swaps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.catalogue import file, publish, shipped
from app.customers import customers
from app.db import transaction
from app.flows import change_plan, subscribe_from_wallet
from tests.support.looks import look_at
from tests.support.people import Person
from tests.web.test_payment_methods import Keeper, keeper

__all__ = ["keeper"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough to look at pages."""
    return sqlite_url


@pytest.fixture
def shop(session: Session) -> None:
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


def has_growth(session: Session, who: Person) -> None:
    """Growth, paid from the wallet; from the next period on Starter."""
    who.gets(100_000)
    customer = customers.by_id(session, who.customer_id)
    assert customer is not None
    subscribe_from_wallet.start(session, customer, "growth", "month", form_key="f", actor=who.id)
    change = change_plan.preview(session, {}, who.customer_id, "starter", "month", actor=who.id)
    change_plan.confirm(session, {}, who.customer_id, change.id, actor=who.id)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_are_accessible(
    page, session, ada, bo, sign_in: Callable[[Person], None], address, shop, keeper: Keeper, scheme
):
    has_growth(session, ada)
    sign_in(ada)
    paths = ["/", "/plan", "/plan/change?plan=growth&interval=year", "/plan/cancel", "/payment-methods"]
    looked_at(page, address, scheme, paths)

    sign_in(bo)
    looked_at(page, address, scheme, ["/plan/change?plan=starter&interval=month&by=wallet&coupon=NONE"])


def looked_at(page, address: str, scheme: str, paths: list[str]) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in paths:
        page.goto(address + path)
        look_at(page, widths=(390, 1280))


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_the_switch_shows_the_other_prices(page, ada, sign_in, address, shop, till):
    sign_in(ada)
    page.goto(address + "/plan")

    page.get_by_role("link", name="Yearly, 2 months free").click()

    page.get_by_text("$290.00 a year").first.wait_for()
    page.wait_for_url("**/plan?interval=year")
    assert page.locator("h1").count() == 1
