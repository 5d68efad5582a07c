"""A plan's whole life in a real browser, the clock moved through its periods: by card, from the wallet, and unpaid."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import PAYS, Person
from tests.support.running import Program

# One demo for all of them, whose clock only they move.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("the clock of the plans")]

PATIENCE = 30_000  # milliseconds
Console = Callable[[str, dict[str, str]], None]

MASTERCARD = "5555555555554444"
FAILS_LATER = "4000000000000341"  # it can be saved, and is declined when it is charged


@pytest.fixture
def demo(demos: Callable[[str], Program]) -> Program:
    """The demo on SQLite; what differs between databases is tested below the browser."""
    return demos("sqlite")


WELCOMES, BONUS = 20 + 50, 100  # of the free plan and of Starter, and of the coupon


class Subscriber:
    """Nora with a plan: what she presses, what she sees, and time that passes for everyone."""

    def __init__(self, nora: Person, console: Console) -> None:
        self.nora, self._console = nora, console

    @property
    def page(self) -> Page:
        return self.nora.page

    def goes_to(self, path: str) -> None:
        self.page.goto(self.nora.base_url + path)

    def days_pass(self, days: int) -> None:
        """Both clocks move, so the session is over; she signs in again."""
        self._console("/clock", {"by": f"{days}d"})
        self.nora.signs_in()

    def sees(self, path: str, words: str, *, no_more: str = "") -> None:
        """The page says so, and not `no_more`: by now, or once the worker has heard of it."""
        told = ""
        for _ in range(60):
            self.goes_to(path)
            told = plain(self.page.locator("#main").inner_text())
            if re.search(words, told) and not (no_more and re.search(no_more, told)):
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(f"{path} never says {words!r} and not {no_more!r}:\n{told[:600]}")

    def presses(self, name: str | re.Pattern[str]) -> None:
        with self.page.expect_navigation(timeout=PATIENCE):
            self.page.locator("#main").get_by_role("button", name=name).click()

    def sees_lasting_credits(self, count: int) -> None:
        """So many that never end, by now or once the worker has come by: what a plan includes comes and goes beside."""
        lasting = -1
        for _ in range(60):
            self.goes_to("/")
            told = plain(self.page.locator("section[aria-labelledby=credits-h]").inner_text())
            held, ending = re.search(r"([\d,]+) credits?\b", told), re.search(r"([\d,]+) of them end", told)
            lasting = number(held) - number(ending)
            if lasting == count:
                return
            self.page.wait_for_timeout(500)
        assert lasting == count

    def previews(self, plan: str) -> str:
        """The preview of a change; the sum its button names, "" where nothing is due."""
        self.goes_to("/plan")
        self.page.locator("#main").get_by_role("link", name=re.compile(f"(Up|Down)grade to {plan}")).click()
        told = self.page.locator("#preview footer button").inner_text()
        found = re.search(r"\$[\d,.]+", told)
        return found[0] if found and told.startswith("Pay") else ""

    def confirms(self) -> None:
        with self.page.expect_navigation(timeout=PATIENCE):
            self.page.locator("#preview footer button").click()

    def newest_invoice(self) -> tuple[str, str]:
        """Total and status of the newest invoice."""
        self.goes_to("/invoices")
        row = self.page.locator("#list tbody tr").first
        return row.locator("td.amt").inner_text(), row.locator("td").nth(2).inner_text().split("\n")[0].strip()

    def invoices(self) -> int:
        """How many there are for the plan."""
        self.goes_to("/invoices?type=plan")
        return self.page.locator("#list tbody tr").count()

    def sees_one_invoice_more(self, before: int) -> None:
        """Than there were, once the worker has heard of it; all of them paid."""
        for _ in range(60):
            if self.invoices() > before and "Open" not in self.page.locator("#list tbody").inner_text():
                break
            self.page.wait_for_timeout(500)
        assert self.invoices() == before + 1


def number(found: re.Match[str] | None) -> int:
    return int(found[1].replace(",", "")) if found else 0


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def subscriber(nora: Person, console: Console) -> Subscriber:
    nora.signs_up()
    return Subscriber(nora, console)


def changes_and_leaves(who: Subscriber, lasting: int) -> None:
    """Starter ten days long, Growth from then on, back to Starter for a period, and then nothing: as it is told."""
    who.days_pass(10)
    due = who.previews("Growth")
    assert due
    who.confirms()
    who.sees("/plan", "You are on Growth, billed monthly")
    assert who.newest_invoice() == (due, "Paid")

    assert who.previews("Starter") == ""
    who.confirms()
    who.sees("/plan", "You move to Starter on")
    before = who.invoices()
    who.days_pass(31)
    who.sees("/plan", "You are on Starter, billed monthly")
    who.sees_one_invoice_more(before)
    who.sees_lasting_credits(lasting)

    before = who.invoices()
    who.days_pass(31)
    who.sees("/plan", "You are on Starter, billed monthly. Renews")
    who.sees_one_invoice_more(before)
    who.goes_to("/plan/cancel")
    who.presses(re.compile("Cancel on"))
    who.sees("/plan", "Starter ends")
    who.sees_lasting_credits(lasting)
    who.days_pass(31)
    who.sees("/plan", "You are on Free. Nothing is charged for it.")
    who.sees_lasting_credits(lasting)


def test_by_card_from_free_to_growth_and_back_to_free(subscriber: Subscriber) -> None:
    who = subscriber
    who.goes_to("/plan")
    who.page.get_by_role("link", name="Upgrade to Starter").click()
    who.page.get_by_label("Coupon").fill("WELCOME100")
    who.page.get_by_role("button", name="Apply").click()
    who.page.get_by_role("link", name="Card", exact=True).click()
    who.presses(re.compile("Continue to Stripe to pay"))
    who.nora.enters(PAYS, "Subscribe")
    who.nora.waits_for("You are on Starter")

    changes_and_leaves(who, WELCOMES + BONUS)


@pytest.mark.parametrize("javascript", [False], ids=["no-scripts"])
def test_from_the_wallet_from_free_to_growth_and_back_to_free(subscriber: Subscriber) -> None:
    who = subscriber
    who.nora.asks_to_top_up("500")
    who.nora.pays_with(PAYS)
    who.nora.waits_for("is in your wallet")
    who.goes_to("/plan/change?plan=starter&interval=month&by=wallet&coupon=WELCOME100")
    who.presses(re.compile(r"Pay \$[\d.]+ and start Starter"))  # with tax, where there is one
    who.sees("/plan", "You are on Starter, billed monthly")

    changes_and_leaves(who, WELCOMES + BONUS)


def test_a_renewal_that_fails_is_told_and_a_new_card_pays_it(subscriber: Subscriber) -> None:
    who = subscriber
    who.goes_to("/plan/change?plan=starter&interval=month&by=card")
    who.presses(re.compile("Continue to Stripe to pay"))
    who.nora.enters(PAYS, "Subscribe")
    who.nora.waits_for("You are on Starter")
    who.goes_to("/payment-methods")
    who.presses("Add card")
    who.nora.enters(FAILS_LATER, "Save card")
    who.nora.waits_for("Your card is saved")

    who.days_pass(31)
    who.sees("/plan", r"\$29\.00 payment failed")
    who.sees("/", r"\$29\.00 payment failed")
    who.goes_to("/payment-methods")
    who.presses("Add card")
    who.nora.enters(MASTERCARD, "Save card")
    who.nora.waits_for("Your card is saved")

    who.sees("/plan", "You are on Starter, billed monthly. Renews", no_more="payment failed")
    for _ in range(2):
        before = who.invoices()
        who.days_pass(31)
        who.sees("/plan", "You are on Starter, billed monthly. Renews")
        who.sees_one_invoice_more(before)
    assert who.newest_invoice() == ("$29.00", "Paid")
