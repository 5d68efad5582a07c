"""The plan's pages and payment methods in a real browser: they fit, axe finds nothing serious, the switch swaps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.catalogue import file, publish, shipped
from app.customers import customers
from app.db import transaction
from app.flows import change_plan, subscribe_from_wallet
from tests.support.people import Person
from tests.web.test_in_a_browser import AXE, address, sign_in
from tests.web.test_payment_methods import Keeper, keeper

__all__ = ["address", "keeper", "sign_in"]

LOOKS = [(1280, "light"), (390, "dark")]


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
def test_pages_fit_and_are_accessible(
    page, session, ada, bo, sign_in: Callable[[Person], None], address, shop, keeper: Keeper
):
    has_growth(session, ada)
    sign_in(ada)
    fits(page, address, ["/", "/plan", "/plan/change?plan=growth&interval=year", "/plan/cancel", "/payment-methods"])

    sign_in(bo)
    fits(page, address, ["/plan/change?plan=starter&interval=month&by=wallet&coupon=NONE"])


def fits(page, address: str, paths: list[str]) -> None:
    """Wide and light, narrow and dark; the narrow one is looked through by axe."""
    for path in paths:
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            page.goto(address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.evaluate(AXE + ";undefined")
        found = page.evaluate("axe.run()")["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_the_switch_shows_the_other_prices(page, ada, sign_in, address, shop, till):
    sign_in(ada)
    page.goto(address + "/plan")

    page.get_by_role("link", name="Yearly, 2 months free").click()

    page.get_by_text("$290.00 a year").first.wait_for()
    page.wait_for_url("**/plan?interval=year")
    assert page.locator("h1").count() == 1
