"""The figures of a page as a reader finds them: tables by their heading, bills, meters and statistics, as text."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import html5lib


class Figures:
    """One page, parsed."""

    def __init__(self, html: str) -> None:
        main = html[html.find("<main") :] if "<main" in html else html  # what is around it has no figures
        self.tree = html5lib.HTMLParser(namespaceHTMLElements=False).parse(main)
        self._named = {one.get("id"): one for one in self.tree.iter() if one.get("id")}

    def table(self, heading: str) -> list[list[str]]:
        """The rows of the table under this heading, head and foot included; none where there is no such table."""
        for table in self.tree.iter("table"):
            named = self.by_id(table.get("aria-labelledby") or "")
            if named is not None and said(named) == heading:
                return [[said(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
        return []

    def meters(self) -> dict[str, list[str]]:
        """Each meter's row by its name: status, note, used, allowed, cost, what is said of the cost."""
        found = {}
        for rows in self.of_class("ul", "meters"):
            for row in rows.findall("li"):
                name, bar, used, cost = row
                note = "".join(said(one) for one in bar.iter("p"))
                parts = [said(name.find("span")), note]
                for cell in (used, cost):
                    parts += [said(cell.find("b")), said(cell.find("div"))]
                found[said(name.find("h3"))] = parts
        return found

    def stats(self) -> dict[str, list[str]]:
        """The statistics by their label: figure and note."""
        boxes = [box for stats in self.of_class("dl", "stats") for box in stats]
        return {said(box.find("dt")): [said(one) for one in box.findall("dd")] for box in boxes}

    def bill(self, panel: str) -> dict[str, str]:
        """The lines of the bill in the panel with this heading."""
        return {
            said(line.find("dt")): said(line.find("dd"))
            for line in self.panel(panel).iter("div")
            if line.find("dt") is not None
        }

    def figure(self, panel: str) -> str:
        """The one number the panel is about."""
        return next(said(one) for one in self.panel(panel).iter("p") if one.get("class") == "figure")

    def panel(self, heading: str) -> Element:
        for section in self.tree.iter("section"):
            named = self.by_id(section.get("aria-labelledby") or "")
            if named is not None and said(named) == heading:
                return section
        raise AssertionError(f"no panel is called {heading}")

    def has_panel(self, heading: str) -> bool:
        """Whether a panel is called so."""
        return any(said(one) == heading for one in self.tree.iter("h2"))

    def bars(self) -> list[str]:
        """What each column of the chart is called."""
        return [said(one.find("{http://www.w3.org/2000/svg}title")) for one in self.of_class(SVG + "g", "col")]

    def of_class(self, tag: str, name: str) -> list[Element]:
        return [one for one in self.tree.iter(tag) if name in (one.get("class") or "").split()]

    def by_id(self, name: str) -> Element | None:
        return self._named.get(name)


SVG = "{http://www.w3.org/2000/svg}"


def said(node: Element | None) -> str:
    """The text of an element as a reader hears it, with plain spaces."""
    if node is None:
        return ""
    return re.sub(r"\s+", " ", "".join(node.itertext())).strip()


def money(text: str) -> int:
    """Micros from `−$1,234.5678`; the first amount in the text."""
    found = re.search(r"([−+]?)\$([\d,]+)(?:\.(\d+))?", text)
    assert found, f"no amount in {text!r}"
    micros = int(found[2].replace(",", "")) * 1_000_000 + int((found[3] or "").ljust(6, "0"))
    return -micros if found[1] == "−" else micros


def amounts(text: str) -> list[int]:
    """Every amount in the text, in micros."""
    return [money(one) for one in re.findall(r"[−+]?\$[\d,]+(?:\.\d+)?", text)]


def count(text: str) -> int:
    """A whole number from `38,570` or `−60 credits`; the first one in the text."""
    found = re.search(r"([−+]?)([\d,]*\d)", text)
    assert found, f"no number in {text!r}"
    number = int(found[2].replace(",", ""))
    return -number if found[1] == "−" else number
