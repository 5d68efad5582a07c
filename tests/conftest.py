"""What every test can ask for. The fixtures live in tests/support, one file for each thing.

Databases: `session`, `engine`, `database_url` (SQLite and PostgreSQL both), `sqlite_url`, `pg_url`, `new_database`.
The web: `app`, `client`, `settings`. Time: `clock`. A browser: `page`, `browser_context`, `javascript`.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support import browser, postgresql

pytest_plugins = [
    "tests.support.databases",
    "tests.support.time",
    "tests.support.network",
    "tests.support.web",
    "tests.support.browser",
    "tests.support.running",
]

# One machine is slower than another; a test that is wrong is caught by its assertions, not by a stop-watch.
settings.register_profile("purser", deadline=None, print_blob=True)
settings.load_profile("purser")

NEEDS = {"pg_url": "postgresql", "pg_server": "postgresql", "browser": "browser"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without",
        action="append",
        default=[],
        choices=sorted(set(NEEDS.values())),
        help="leave out the tests that need this; bin/test says so at its end",
    )


def pytest_report_header() -> list[str]:
    return [f"postgresql: {postgresql.found() or 'none'}", f"browser: {browser.found() or 'none'}"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a PostgreSQL or a browser, and leave them out when told to."""
    for item in items:
        for fixture, marker in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
    left_out = [item for item in items if any(item.get_closest_marker(what) for what in config.getoption("--without"))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
