"""House rules every page and partial keeps: valid HTML, one h1, a title, unique ids, and hx- addresses that exist."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.support.outline import outline

HX_VERBS = {"hx-get": "GET", "hx-post": "POST", "hx-put": "PUT", "hx-patch": "PATCH", "hx-delete": "DELETE"}

# A partial is a piece of a page, and a row of a table is no document: these two say only that.
PARTIAL_ONLY = {"expected-doctype-but-got-start-tag", "expected-doctype-but-got-chars", "expected-doctype-but-got-eof"}

_GOOD: set[str] = set()  # outlines of pages that were read and kept the rules


def check_page(app: Flask, answer: TestResponse) -> None:
    """Raises AssertionError naming the page and the rule it breaks. Other answers than HTML pass."""
    if answer.mimetype != "text/html" or not answer.data:
        return
    if answer.status_code not in (200, 422):
        return
    html = answer.get_data(as_text=True)
    known = outline(html)
    if known in _GOOD:
        return
    faults = page_faults(app, html)
    assert not faults, f"{answer.request.method} {answer.request.path} breaks house rules:\n" + "\n".join(faults)
    _GOOD.add(known)


def page_faults(app: Flask, html: str) -> list[str]:
    """What is wrong with a page or partial, in sentences."""
    whole = html.lstrip().lower().startswith("<!doctype html>")
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    if whole:
        tree = parser.parse(html)
    else:
        tree = parser.parseFragment(html, container=_container(html))
    return [*_syntax_faults(parser, html, whole=whole), *_structure_faults(app, tree, whole=whole)]


def _syntax_faults(parser: html5lib.HTMLParser, html: str, *, whole: bool) -> list[str]:
    faults = [(place, code) for place, code, _ in parser.errors if whole or code not in PARTIAL_ONLY]
    lines = html.splitlines() or [""]
    return [f"line {line}: {code}: {lines[min(line, len(lines)) - 1].strip()[:120]}" for (line, _), code in faults]


def _structure_faults(app: Flask, tree: Element, *, whole: bool) -> list[str]:
    faults = []
    if whole:
        headings = len(list(tree.iter("h1")))
        if headings != 1:
            faults.append(f"A page has one h1; this one has {headings}.")
        title = tree.find("./head/title")
        if title is None or not (title.text or "").strip():
            faults.append("The page has no title.")
    ids = Counter(node.get("id") for node in _elements(tree) if node.get("id"))
    faults += [f"The id {name!r} is on {count} elements." for name, count in ids.items() if count > 1]
    if whole:
        faults += _pointing_faults(tree, set(ids))
    for node in _elements(tree):
        faults += _element_faults(app, node)
    return faults


def _element_faults(app: Flask, node: Element) -> list[str]:
    faults = []
    for name, value in node.attrib.items():
        if name == "style" or name.startswith("on"):
            faults.append(f"<{node.tag}> carries {name}=, which the content security policy refuses.")
        if name in HX_VERBS and not _resolves(app, HX_VERBS[name], value):
            faults.append(f'{name}="{value}" leads nowhere.')
    if node.tag == "form" and (node.get("action") or "").startswith("/"):
        verb = (node.get("method") or "get").upper()
        if verb in ("GET", "POST") and not _resolves(app, verb, node.get("action") or ""):
            faults.append(f'<form method="{verb}" action="{node.get("action")}"> leads nowhere.')
    if node.tag == "script" and (node.text or "").strip() and node.get("type") != "application/json":
        faults.append("The page has an inline script.")
    return faults


def _pointing_faults(tree: Element, ids: set[str | None]) -> list[str]:
    """References between elements: labels, descriptions and hx-targets must point at something on the page."""
    faults = []
    for node in _elements(tree):
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
            lost = [target for target in (node.get(name) or "").split() if target not in ids]
            faults += [f'<{node.tag} {name}="{target}"> points at no element.' for target in lost]
        target = node.get("hx-target") or ""
        if target.startswith("#") and target[1:] not in ids:
            faults.append(f'<{node.tag} hx-target="{target}"> points at no element.')
    return faults


def _elements(tree: Element) -> list[Element]:
    return [node for node in tree.iter() if isinstance(node.tag, str)]


def _resolves(app: Flask, verb: str, address: str) -> bool:
    parts = urlsplit(address)
    if parts.netloc:
        return False  # hx- attributes only ever speak to ourselves
    try:
        app.url_map.bind("localhost").match(parts.path, method=verb)
    except HTTPException:
        return False
    return True


def _container(html: str) -> str:
    first = html.lstrip()[:12].lower()
    for tag, container in (("<tr", "tbody"), ("<tbody", "table"), ("<td", "tr"), ("<th", "tr"), ("<option", "select")):
        if first.startswith(tag):
            return container
    return "div"
