"""Which tests run, where and when.

Those that need a PostgreSQL or a browser are marked by what they ask for, and can be left out. Those that share a demo
run in one process. Those that take long begin first, so that at the end no process waits for the other.
"""

from __future__ import annotations

from collections.abc import Generator
from types import SimpleNamespace

import pytest

from tests.support import browser, postgresql

NEEDS = {"pg_url": "postgresql", "pg_server": "postgresql", "browser": "browser"}
NO_PARAMETERS = SimpleNamespace(params={})


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


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark the tests, leave out what cannot run, let others shuffle the rest, and put the slow ones first."""
    for item in items:
        for fixture, marker in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
        if isinstance(item, pytest.Function) and "demo" in getattr(item, "callspec", NO_PARAMETERS).params:
            item.add_marker(pytest.mark.xdist_group(f"demo on {item.callspec.params['demo']}"))
    left_out = [item for item in items if any(item.get_closest_marker(what) for what in config.getoption("--without"))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    yield
    items.sort(key=lambda item: not item.get_closest_marker("slow"))
