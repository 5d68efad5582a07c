"""A real browser: Chromium driven by Playwright, with and without JavaScript, never leaving this machine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from tests.support.people import Person

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

QUIET = [
    "--no-sandbox",  # needed by root; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
EXECUTABLES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the first is the lightest
PATIENCE = 60_000  # milliseconds: a busy machine is slow, and only a test that fails ever waits this long
WHAT_IS_MISSING = "No Chromium on PATH: install Debian's package chromium-headless-shell, or run bin/test as root."


def found() -> str | None:
    """The browser's executable, if there is one."""
    return next(filter(None, map(shutil.which, EXECUTABLES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    executable = found()
    assert executable, WHAT_IS_MISSING
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def javascript() -> bool:
    """Whether `page` runs scripts. `@pytest.mark.parametrize("javascript", [True, False])` asks for both."""
    return True


@pytest.fixture
def browser_context(browser: Browser, javascript: bool) -> Iterator[BrowserContext]:
    """A person's own browser: cookies of nobody else, scripts as `javascript` says, English, in UTC."""
    context = browser.new_context(java_script_enabled=javascript, locale="en-US", timezone_id="UTC")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """A tab. Errors on the console and violations of the content security policy fail the test at its end."""
    tab = browser_context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    tab.on("console", lambda said: complaints.append(said.text) if _is_complaint(said.type, said.text) else None)
    yield tab
    assert not complaints, "The browser complained:\n" + "\n".join(complaints)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the test's own application listens, in threads of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    running.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    running.join()
    server.server_close()


@pytest.fixture
def sign_in(
    browser_context: BrowserContext, client_of: Callable[[Person], FlaskClient], address: str
) -> Callable[[Person], None]:
    """Whoever it is has the browser now, signed in."""

    def sit_down(who: Person) -> None:
        cookie = client_of(who).get_cookie("session")
        assert cookie is not None
        browser_context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])

    return sit_down


def _is_complaint(kind: str, text: str) -> bool:
    # An answer of 4xx is an answer; the browser writes a line about each.
    return kind == "error" and not text.startswith("Failed to load resource")
