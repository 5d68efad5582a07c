"""Adjust $250 with two people, in a real browser: who asks is asked who they are, another one approves, it is there."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import Page, expect

from app import clock as the_clock
from tests.support.looks import look_at
from tests.support.people import PASSWORD

CENT = 10_000
WIDTHS = (390,)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough to look at pages."""
    return sqlite_url


@pytest.mark.slow
def test_250_dollars_take_two_people(page: Page, sign_in, finance, admin, ada, address, clock) -> None:
    # Fay types it into the dialog on Ada's page, where it says that one person is not enough.
    sign_in(finance)
    page.goto(f"{address}/admin/customers/{ada.customer_id}")
    clock.advance(minutes=16)
    page.get_by_role("link", name="Adjust balance…").click()
    page.get_by_label("Amount").fill("250")
    page.get_by_label("Reason shown to the customer").fill("Two days without renders")
    ask = page.get_by_role("button", name="Ask to add $250.00")
    expect(page.get_by_text("It waits for a second member of staff")).to_be_visible()

    # A while has passed since she signed in: she proves who she is, and nothing is typed twice.
    ask.click()
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    look_at(page, widths=WIDTHS)
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.get_by_role("heading", name="+$250.00 for Analytical Engines")).to_be_visible()
    expect(page.get_by_text("You asked for this")).to_be_visible()
    assert ada.balance() == 500 * CENT
    where = page.url

    # Ann sees before and after, and approves.
    sign_in(admin)
    page.goto(where)
    expect(page.get_by_text("$255.00").first).to_be_visible()
    look_at(page, widths=WIDTHS)
    page.get_by_role("button", name="Approve +$250.00").click()
    expect(page.locator("#flash")).to_contain_text("The second person was you")
    assert ada.balance() == 25_500 * CENT

    # And the rest of an admin's rooms can be used by everybody.
    page.goto(address + "/admin/staff")
    look_at(page, widths=WIDTHS)
    page.goto(address + "/profile/second-factor")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    secret = re.sub(r"\s", "", page.locator("p code").inner_text())
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    look_at(page, widths=WIDTHS)
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).at(the_clock.real_now()))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
