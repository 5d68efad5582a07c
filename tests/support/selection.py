"""Which tests run, where and when.

Those that need a PostgreSQL or a browser are marked by what they ask for, and can be left out. Those that share a demo
run in one process. Those that take long begin first, so that at the end no process waits for the other.

What speaks to the database itself, the books and the flows, runs on both kinds of database. What stands above that, the
entry points and the plain nouns, runs on one of the two, chosen by the test's name: half of each file on either. With
`--both` all of them run on both.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import pytest

from tests.support import browser, postgresql

NEEDS = {"pg_url": "postgresql", "pg_server": "postgresql", "browser": "browser"}
ON_ONE_DATABASE = {
    *("activity", "admin", "api", "catalogue", "cli", "customers"),
    *("http", "notices", "people", "rules", "security", "webhooks"),
}
NO_PARAMETERS = SimpleNamespace(params={})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without",
        action="append",
        default=[],
        choices=sorted(set(NEEDS.values())),
        help="leave out the tests that need this; bin/test says so at its end",
    )
    parser.addoption(
        "--both", action="store_true", help="run on both kinds of database what otherwise runs on one of the two"
    )


def pytest_report_header() -> list[str]:
    return [f"postgresql: {postgresql.found() or 'none'}", f"browser: {browser.found() or 'none'}"]


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark the tests, leave out what cannot run, let others shuffle the rest, and put the slow ones first."""
    for item in items:
        for fixture, marker in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
        if isinstance(item, pytest.Function) and "demo" in getattr(item, "callspec", NO_PARAMETERS).params:
            item.add_marker(pytest.mark.xdist_group(f"demo on {item.callspec.params['demo']}"))
    without = config.getoption("--without")
    left_out = [item for item in items if any(item.get_closest_marker(what) for what in without)]
    if not config.getoption("--both") and "postgresql" not in without:
        left_out += [item for item in items if _is_on_the_other_database(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
    yield
    items.sort(key=lambda item: not item.get_closest_marker("slow"))


def _is_on_the_other_database(item: pytest.Item) -> bool:
    """Whether this one need not run, because the same test runs on the other kind of database."""
    kind = getattr(item, "callspec", NO_PARAMETERS).params.get("database_url")
    folder = item.path.relative_to(Path(__file__).parent.parent).parts[0]
    if kind is None or folder not in ON_ONE_DATABASE or item.get_closest_marker("both_databases"):
        return False
    name = f"{folder}/{item.path.name}::{getattr(item, 'originalname', item.name)}"
    return kind != ("sqlite", "postgresql")[crc32(name.encode()) % 2]
