"""Which tests run: those that need a PostgreSQL or a browser are marked by what they ask for, and can be left out."""

from __future__ import annotations

import pytest

from tests.support import browser, postgresql

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
