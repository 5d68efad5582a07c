"""How a page looks in a browser: whether it fits, and whether axe finds anything serious."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# The structure is the same in the dark; the colours are not.
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}


def look_at(page: Page, *, widths: tuple[int, ...]) -> None:
    """Fail when the page that is open scrolls sideways or axe finds something serious, at any of these widths."""
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.evaluate(AXE + ";undefined")
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
        if dark and width != widths[-1]:
            continue  # a colour is the same at any width
        found = page.evaluate("rules => axe.run(rules)", RULES["dark" if dark else "light"])["violations"]
        serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], (page.url, width)
