"""The page rules themselves: each kind of fault is noticed."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.outline import outline
from tests.support.pages import page_faults

PAGE = '<!doctype html><html lang="en"><head><title>{title}</title></head><body>{body}</body></html>'


@pytest.fixture(scope="module")
def small_app() -> Flask:
    app = Flask("small")
    app.add_url_rule("/here", "here", lambda: "", methods=["GET", "POST"])
    return app


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<p>No heading</p>", "has 0"),
        ("<h1>One</h1><h1>Two</h1>", "has 2"),
        ("<h1>A</h1><p id=x></p><p id=x></p>", "'x' is on 2"),
        ("<h1>A</h1></section>", "end-tag-too-early"),
        ('<h1>A</h1><p hx-get="/there"></p>', "leads nowhere"),
        ('<h1>A</h1><p hx-delete="/here"></p>', "leads nowhere"),
        ('<h1>A</h1><p hx-get="https://example.com/here"></p>', "leads nowhere"),
        ('<h1>A</h1><form method="post" action="/there"></form>', "leads nowhere"),
        ('<h1>A</h1><p hx-get="/here" hx-target="#gone"></p>', "points at no element"),
        ('<h1>A</h1><label for="gone">B</label>', "points at no element"),
        ('<h1 style="color: red">A</h1>', "carries style="),
        ('<h1 onclick="x()">A</h1>', "carries onclick="),
        ("<h1>A</h1><script>x()</script>", "inline script"),
    ],
)
def test_it_notices(small_app: Flask, body: str, fault: str) -> None:
    faults = page_faults(small_app, PAGE.format(title="T", body=body))

    assert any(fault in told for told in faults), faults


def test_it_asks_for_a_title(small_app: Flask) -> None:
    assert page_faults(small_app, PAGE.format(title=" ", body="<h1>A</h1>")) == ["The page has no title."]


def test_it_finds_nothing_on_a_good_page(small_app: Flask) -> None:
    body = '<h1>A</h1><form method="post" action="/here" hx-post="/here" hx-target="#x"><p id="x"></p></form>'

    assert page_faults(small_app, PAGE.format(title="T", body=body)) == []


@pytest.mark.parametrize("partial", ["<tr><td>1</td></tr>", '<section id="a"><p>x</p></section>', "<td>1</td>"])
def test_a_partial_needs_neither_title_nor_heading(small_app: Flask, partial: str) -> None:
    assert page_faults(small_app, partial) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p id='x1'>Ada has $10.00</p>", "<p id='x1'>Bo has $2.50</p>"),
        (
            '<a href="/orders/ord_01m7zbxs8ax2pjrs3nfg8re2bs">A</a>',
            '<a href="/orders/ord_01m7zbxs8ax2pjrs3nfg8re2bt">B</a>',
        ),
        ('<input name="csrf" value="abc">', '<input name="csrf" value="xyz">'),
    ],
)
def test_pages_that_differ_in_words_and_names_are_read_once(one: str, other: str) -> None:
    assert outline(one) == outline(other)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<p id='x1'>A</p><p id='x2'>B</p>", "<p id='x1'>A</p><p id='x1'>B</p>"),
        ("<title>A</title>", "<title> </title>"),
        ("<script></script>", "<script>x()</script>"),
        ("<p>A &amp; B</p>", "<p>A &bogus B</p>"),
        ("<table><tr></tr></table>", "<table>A<tr></tr></table>"),
        ("<p>A</p>", "<p>A"),
        ('<p hx-get="/here">A</p>', '<p hx-get="/there">A</p>'),
        ("<p>A</p>", '<p style="color: red">A</p>'),
    ],
)
def test_pages_that_may_break_a_rule_are_read(good: str, bad: str) -> None:
    assert outline(good) != outline(bad)
