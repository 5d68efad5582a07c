"""/pricing in a real browser: it fits, axe finds nothing serious, and the switch works with scripts and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from app.catalogue import file, publish, shipped
from app.db import transaction

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def database_url(sqlite_url) -> str:
    """One database is enough to look at pages."""
    return sqlite_url


@pytest.fixture
def address(app) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    running = threading.Thread(target=server.serve_forever)
    running.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    running.join()
    server.server_close()


def offer(session, name: str) -> None:
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="cli")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (390, "light"), (390, "dark")])
def test_it_fits_and_is_accessible(page, session, address, width, scheme):
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)

    for name in (None, *shipped.names()):
        if name:
            offer(session, name)
        page.goto(address + "/pricing")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.evaluate(AXE + ";undefined")
        found = page.evaluate("axe.run()")["violations"]
        serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], name


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
