"""The browser fixtures: a page that loads with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_a_page_runs_scripts_only_when_asked(page: Page, javascript: bool) -> None:
    page.set_content("<!doctype html><title>t</title><p id=p>plain</p><script>p.textContent = 'scripted'</script>")

    assert page.inner_text("#p") == ("scripted" if javascript else "plain")
