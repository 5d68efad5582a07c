"""What a person does in the journeys, said once: sign up, ask for money, pay, look."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import running
from tests.support.databases import BOTH, audit_the_books
from tests.support.running import Program
from tests.support.warm_start import WarmStart

PASSWORD = "harbour lantern twelve"
GIFT = 5  # dollars: what a new wallet starts with

PAYS = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
ASKS_THE_BANK = "4000002500003155"

_names = itertools.count(1)


@dataclass
class Person:
    """Someone with a browser tab, at one installation."""

    page: Page
    base_url: str
    javascript: bool
    email: str = ""

    def signs_up(self) -> None:
        number = next(_names)
        self.email = f"nora{number}@lind.example"
        self.page.goto(self.base_url + "/sign-up")
        self.page.get_by_label("Your name").fill(f"Nora Lind {number}")
        self.page.get_by_label("Company").fill(f"Lind & Daughters {number}")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Make account").click()
        # The address is filled in already; whether it was known before is told to its owner by mail alone.
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", level=1, name="Overview")).to_be_visible()

    def signs_in(self) -> None:
        self.page.goto(self.base_url + "/sign-in")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", level=1, name="Overview")).to_be_visible()

    def asks_to_top_up(self, typed: str, form_key: str = "") -> str:
        """Fill in the wallet's form and press its button; its key. With `form_key` an older form is sent again."""
        self.page.goto(self.base_url + "/wallet")
        hidden = self.page.locator("#topup input[name=form_key]")
        if form_key:
            hidden.evaluate("(field, key) => { field.value = key }", form_key)
        key = hidden.input_value()
        self.page.get_by_label("Other amount").fill(typed)
        if self.javascript and typed == "50":
            expect(self.page.locator("#quote")).to_contain_text("Pay $50.00")  # the button names the sum (DESIGN §1)
        self.page.locator("#quote button").click()
        return key

    def pays_with(self, card: str) -> None:
        """On the hosted page."""
        self.enters(card, "Pay $")

    def enters(self, card: str, button: str) -> None:
        """A card on the hosted page, and its button."""
        expect(self.page.get_by_label("Card number")).to_be_visible()
        self.page.get_by_label("Card number").fill(card)
        self.page.get_by_role("button", name=button).click()

    def waits_for(self, words: str) -> None:
        """Until the waiting page says so: by itself with scripts, by "Check again" without."""
        status = self.page.locator("#waiting")
        if self.javascript:
            expect(status).to_contain_text(words, timeout=30_000)
            return
        for _ in range(60):
            if words in status.inner_text():
                return
            self.page.wait_for_timeout(250)
            self.page.reload()
        expect(status).to_contain_text(words)

    def sees_balance(self, dollars: int) -> None:
        self.page.goto(self.base_url + "/wallet")
        expect(self.page.locator("#balance .figure")).to_have_text(f"${dollars}.00")


@pytest.fixture(scope="module")
def demos(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, warm_start: WarmStart
) -> Iterator[Callable[[str], Program]]:
    """The demo, whole, once for all journeys of a file on one kind of database; the books are audited at the end."""
    directory = tmp_path_factory.mktemp("journeys")
    known: dict[str, Program] = {}
    with ExitStack() as at_the_end:
        start = at_the_end.enter_context(running.programs(directory, warm_start))

        def on(kind: str) -> Program:
            if kind not in known:
                (directory / kind).mkdir()
                url = _new_database(request, kind, directory / kind, at_the_end)
                known[kind] = ready(start, directory / kind, url)
                at_the_end.callback(audit_the_books, url, request.node)
                at_the_end.callback(known[kind].stop)
            return known[kind]

        yield on


@pytest.fixture(params=BOTH)
def demo(request: pytest.FixtureRequest, demos: Callable[[str], Program]) -> Program:
    """The demo on one kind of database."""
    return demos(request.param)


def _new_database(request: pytest.FixtureRequest, kind: str, directory: Path, at_the_end: ExitStack) -> str:
    if kind == "sqlite":
        return sqlite_in(request, directory)
    return str(at_the_end.enter_context(closing(request.getfixturevalue("pg_server").database())).url)


def sqlite_in(request: pytest.FixtureRequest, directory: Path) -> str:
    """The address of a new database file with all tables."""
    file = directory / "purser.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
    return f"sqlite:///{file}"


def ready(start: Callable[..., Program], directory: Path, url: str) -> Program:
    """The demo on this database, answering."""
    port = running.free_port()
    program = start(
        "demo",
        "--port",
        str(port),
        base_url=f"http://127.0.0.1:{port}",
        PURSER_DATABASE_URL=url,
        PURSER_DEMO_DIRECTORY=str(directory / "demo"),
    )
    running.wait_until_ready(program)
    return program


@pytest.fixture
def nora(page: Page, demo: Program, javascript: bool) -> Iterator[Person]:
    """A newcomer at the demo, where webhooks go out as usual."""
    yield Person(page, demo.base_url, javascript)
    _press(page, demo.base_url, "/deliveries/mode", {"mode": "normal"})


@pytest.fixture
def console(nora: Person) -> Callable[[str, dict[str, str]], None]:
    """Presses a button of the sandbox's console: path and form."""
    return lambda path, form: _press(nora.page, nora.base_url, path, form)


def _press(page: Page, base_url: str, path: str, form: dict[str, str]) -> None:
    address = f"{base_url}/sandbox{path}"
    answer = page.request.post(address, form=form, headers={"Origin": base_url}, max_redirects=0)
    assert answer.status == 303, answer.text()
