"""The credits page: what there is and when it ends, what was used this month, every movement, and the numbers right."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import clock, credits, ledger
from app.catalogue.models import Action
from app.credits.accounts import credits_of
from app.db import transaction
from app.extensions import db
from tests.support.people import Person

HX = {"HX-Request": "true"}


@pytest.fixture
def purse(session: Session, ada: Person) -> Purse:
    with transaction(session):
        session.add(Action(key="ai_chat", name="AI chat", credits=50, position=0))
    return Purse(session, ada.customer_id)


class Purse:
    """Ada's credits, moved through the program's own verbs."""

    def __init__(self, session: Session, customer_id: str) -> None:
        self.session, self.customer_id, self.moves = session, customer_id, 0

    def gets(self, amount: int, source: str = "pack", **told: object) -> credits.Grant:
        self.moves += 1
        told = {"key": f"k{self.moves}", "actor": "system", **told}
        with transaction(self.session):
            return credits.grant(self.session, self.customer_id, amount, source=source, **told)

    def spends(self, quantity: int = 1) -> credits.Spent:
        self.moves += 1
        told = {"key": f"k{self.moves}", "actor": "key_1"}
        with transaction(self.session):
            return credits.spend(self.session, self.customer_id, "ai_chat", quantity, **told)


def text_of(html: str) -> str:
    return html.replace("\N{NO-BREAK SPACE}", " ")


def test_who_has_none_is_told_what_comes_here(ada: Person, client_of) -> None:
    page = client_of(ada).get("/credits").text

    assert "No credits yet" in page
    assert "Download CSV" not in page


def test_it_shows_what_there_is_what_ends_and_what_was_used(purse: Purse, ada: Person, client_of) -> None:
    purse.gets(1_000, data={"description": "1,000 credits"})
    purse.gets(200, "included", expires_at=clock.now() + timedelta(days=10))
    purse.spends(3)

    page = text_of(client_of(ada).get("/credits").text)

    assert '<dd class="figure">1,050 <small>credits</small></dd><dd>50 of them end 24 Mar 2026' in page.replace(
        '<time datetime="2026-03-24T09:30:00Z">', ""
    ).replace("</time>", "")
    for words in ("AI chat", "3 × 50 credits", "−150", "+1,000", "50 left", "1 use", "Included credits"):
        assert words in page, words


def test_a_return_is_taken_off_what_was_used(purse: Purse, session: Session, ada: Person, client_of) -> None:
    purse.gets(200)
    spent = [purse.spends() for _ in range(2)]
    with transaction(session):
        credits.reverse(session, ada.customer_id, spent[0].entry.id, key="r", reason="It failed")

    page = text_of(client_of(ada).get("/credits").text)

    assert '<dd class="figure">50</dd><dd>2 uses, 1 returned</dd>' in page
    assert "It failed" in page


def test_what_is_over_is_not_in_the_balance_though_nobody_has_written_it_off(purse, ada, client_of, clock) -> None:
    purse.gets(200, expires_at=in_a_day())
    clock.advance(days=2)

    assert '<dd class="figure">0 <small>' in client_of(ada).get("/credits").text


def test_the_history_is_filtered_and_paged(purse: Purse, ada: Person, client_of) -> None:
    purse.gets(10_000)
    for _ in range(52):
        purse.spends()
    browser = client_of(ada)

    first = browser.get("/credits?type=spend", headers=HX).text
    older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = browser.get(older, headers=HX).text

    assert first.lstrip().startswith('<section class="panel" id="history"')
    assert (first.count("−50"), second.count("−50")) == (50, 2)
    assert "Nothing matches" in browser.get("/credits?type=checkin", headers=HX).text
    assert browser.get("/credits?type=gold", headers=HX).status_code == 422
    assert "No entry has" in browser.get("/credits?from=2030-01-01").text


def test_the_csv_has_every_movement_and_adds_up(purse: Purse, session: Session, ada: Person, client_of) -> None:
    purse.gets(500, data={"description": "=HYPERLINK(1)"}, expires_at=in_a_day())
    purse.spends(2)

    answer = client_of(ada).get("/credits/history.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.mimetype == "text/csv"
    assert [(row["type"], row["credits"], row["balance_after"]) for row in rows] == [
        ("spend", "-100", "400"),
        ("pack", "500", "500"),
    ]
    assert rows[1]["title"] == "'=HYPERLINK(1)"
    assert rows[1]["ends_at"].endswith("Z")
    assert sum(int(row["credits"]) for row in rows) == ledger.balance(session, credits_of(ada.customer_id)).balance


def test_another_customers_credits_are_not_there(purse: Purse, bo: Person, client_of) -> None:
    purse.gets(777)

    assert "777" not in client_of(bo).get("/credits").text


def test_a_long_history_costs_no_more_statements_than_a_short_one(purse: Purse, ada: Person, client_of, app) -> None:
    purse.gets(100_000)
    browser = client_of(ada)
    browser.get("/credits")
    few = statements(app, lambda: browser.get("/credits"))
    for _ in range(30):
        purse.spends()

    assert statements(app, lambda: browser.get("/credits")) <= few <= 40


def in_a_day():
    return clock.now() + timedelta(days=1)


def statements(app, ask: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_c, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)
