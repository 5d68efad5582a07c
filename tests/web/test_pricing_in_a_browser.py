"""/pricing in a real browser: it fits, axe finds nothing serious, and the switch works with scripts and without."""

from __future__ import annotations

import pytest

from app.catalogue import file, publish, shipped
from app.db import transaction
from tests.support.looks import look_at


def offer(session, name: str) -> None:
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="cli")


@pytest.mark.slow
def test_it_fits_and_is_accessible(page, session, address):
    for name in (None, *shipped.names()):
        if name:
            offer(session, name)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address + "/pricing")
            look_at(page, widths=(390, 1600))


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_the_switch_shows_the_other_prices_and_has_an_address(page, session, address, javascript):
    offer(session, "view")
    page.goto(address + "/pricing")

    page.get_by_role("link", name="Yearly, 2 months free").click()

    page.get_by_text("$290.00 a year").first.wait_for()
    page.wait_for_url("**/pricing?cycle=yearly")
    assert page.locator("h1").count() == 1
    page.get_by_role("link", name="Monthly").click()
    page.get_by_text("or $290.00 a year").wait_for()
