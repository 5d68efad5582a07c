"""Every file that can be downloaded, opened as a spreadsheet does: nothing in it runs, and nothing in it is lost.

The routes come from the application itself, and what people and providers can write is planted in every column that
keeps their words, with every sign that a spreadsheet could take for the beginning of a formula.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Column, String, Table, event, select, text, update
from sqlalchemy.orm import Session

from app import clock, credits, metering
from app.admin import transactions
from app.catalogue.models import LlmPrice, Service
from app.db import Base, transaction
from app.extensions import db
from app.invoices import rates
from app.jobs.models import WorkerTask
from app.metering import NewEvent
from app.payments import refused
from app.payments.refused import Refused
from app.subscriptions.models import Subscription
from tests.rules.test_authorization import filled
from tests.support import outgoing
from tests.support.model_calls import billed
from tests.support.people import Person
from tests.support.random_business import put

Ask = Callable[[str], FlaskClient]

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", ";=", '"=')
# Files that have nothing in them that somebody else wrote: ids, dates, words of ours and figures.
WORDLESS = {"/admin/books/accounts.csv", "/admin/books/movements.csv", "/admin/reconciliations.csv"}
QUERIES = {"/admin/books/movements.csv": {"account": "promotions", "asset": "usd"}}
DANGER = tuple("=+-@\t\r\n")
CHOICE = re.compile(r"<any\(([^)]*)\):\w+>")
DELTA = re.compile(r"[+-]\$?\d")  # "+50 credits": our own words, which are guarded all the same
NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")
# Columns that keep what people, the host product and providers say; two of these names mean something fixed elsewhere.
WORDS = {
    "api_version", "brand", "description", "discount_name", "email", "error", "event_id", "external_id", "failure",
    "last_error", "model", "name", "note", "number", "object_id", "paid_with", "provider_ref", "provider_refund_id",
    "reason", "sentence", "ticket", "title", "url", "why",
}  # fmt: skip
ALSO = {
    ("coupon", "code"), ("ledger_entry", "key"), ("llm_day", "model"), ("provider_event", "type"),
    ("usage_counter", "source"), ("usage_event", "source"),
}  # fmt: skip
FIXED = {("invoice", "reason")}
SAID_IN = {"ledger_entry": "data", "ledger_hold": "data", "activity": "details", "payment_order": "request"}
# What the program itself reads again.
STRUCTURE = {"asset", "by", "channel", "currency", "interval", "kind", "pack", "plan", "source"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A file is written the same from both databases, and planting takes the guards off the append-only tables."""
    return sqlite_url


@pytest.fixture
def plenty(session: Session, things: dict[str, str], ada: Person) -> dict[str, str]:
    """Ada's things, and one of everything else that is listed in a file."""
    billed(session, ada, 900)
    with transaction(session):
        given = {"source": "promo", "key": "gift", "actor": "test", "expires_at": None}
        credits.grant(session, ada.customer_id, 50, **given)
        put(session, WorkerTask, name="sweep", outcome="failed", error="")
        put(session, Service, key="search", name="Search", pricing="cost_plus", markup_percent=15)
        put(
            session,
            LlmPrice,
            key="m from 2026-01-01",
            model="m",
            day="2026-01-01",
            currency="usd",
            input_micros=1,
            output_micros=1,
        )
        rates.set_rate(session, country="DE", name="VAT", rate_ppm=190_000, actor="test")
        refused.note(session, Refused("stripe", "topup", "Not sold here.", None, ada.customer_id))
        put(
            session, Subscription, customer_id=ada.customer_id, id="sub_1", plan_id=things["plan_id"], version=1,
            interval="month", price_minor=900, currency="usd", paid_by="wallet", status="active", time_zone="UTC",
            provider_state={}, period_end=clock.now() + timedelta(days=3),
        )  # fmt: skip
        metering.record(session, ada.customer_id, [NewEvent("evt-1", "small", 3, source="a source")])
    return things


def routes(app: Flask) -> list[str]:
    """Every address that ends in .csv; one that stands for several lists is each of them."""
    found = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.endswith(".csv")}
    return sorted(each for route in found for each in _each(route))


def _each(route: str) -> list[str]:
    choice = CHOICE.search(route)
    return [route.replace(choice[0], word.strip("'")) for word in choice[1].split(",")] if choice else [route]


def plant(session: Session, sign: str) -> set[str]:
    """Put the sign before every word that somebody else wrote; what stands there now."""
    planted: set[str] = set()

    def word() -> str:
        planted.add(f"{sign}1+1 x{len(planted)}")
        return f"{sign}1+1 x{len(planted) - 1}"

    with transaction(session):
        for table in Base.metadata.sorted_tables:
            _plant_in(session, table, word)
    session.expire_all()
    return planted


def _plant_in(session: Session, table: Table, word: Callable[[], str]) -> None:
    keys = list(table.primary_key.columns)
    named = [c for c in table.columns if isinstance(c.type, String) and _is_words(table, c)]
    said = table.columns.get(SAID_IN.get(table.name, ""))
    if not named and said is None:
        return
    for row in session.execute(select(*keys, *([said] if said is not None else []))).all():
        values: dict[str, Any] = {column.name: word() for column in named}
        if said is not None:
            values[said.name] = {name: _spoilt(name, value, word) for name, value in (row[-1] or {}).items()}
        here = [column == value for column, value in zip(keys, row, strict=False)]
        session.execute(update(table).where(*here).values(values))


def _is_words(table: Table, column: Column[Any]) -> bool:
    named = (table.name, column.name)
    return named in ALSO or (column.name in WORDS and named not in FIXED and not column.primary_key)


def _spoilt(name: str, value: Any, word: Callable[[], str]) -> Any:
    return word() if isinstance(value, str) and name not in STRUCTURE else value


def unguarded(session: Session) -> None:
    """Take the triggers off: what cannot be changed is to be planted as well."""
    with transaction(session):
        names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
        for name in names:
            session.execute(text(f"DROP TRIGGER {name}"))


def test_nothing_in_a_file_is_run_and_nothing_is_lost(app, session, plenty, browsers):
    unguarded(session)
    seen: dict[str, set[str]] = {}
    ask = asking(browsers, plenty)

    for sign in SIGNS:
        planted = plant(session, sign)
        for route in routes(app):
            answer = ask(route)
            assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8"), route
            seen.setdefault(route, set()).update(checked(route, answer.get_data(), planted))

    assert {route for route, signs in seen.items() if signs < {sign[0] for sign in SIGNS}} == WORDLESS


def test_a_file_is_sent_without_a_transaction_and_ends_with_its_reader(app, plenty, browsers):
    ask, held = asking(browsers, plenty), []

    for route in routes(app):
        answer = ask(route, buffered=False)
        held += [route for _ in answer.iter_encoded() if outgoing.is_inside_a_transaction()]
        answer.close()

    assert sorted(set(held)) == []


def test_who_leaves_in_the_middle_ends_the_reading(app, session, ada, browsers, monkeypatch):
    monkeypatch.setattr(transactions, "IN_A_FILE", 3)
    for _ in range(20):
        ada.gets(100)
    browser, asked = browsers("admin"), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    answer = browser.get("/admin/transactions.csv", buffered=False)
    lines = answer.iter_encoded()
    heading = next(lines)
    before = len(asked)
    answer.close()

    assert heading.startswith(b"id,recorded_at,")
    assert list(lines) == []
    assert len(asked) == before
    outgoing.refuse_inside_a_transaction("being left")


def asking(browsers: Ask, things: dict[str, str]) -> Callable[..., Any]:
    """Asks for a file as whoever may: staff for theirs, Ada for hers."""
    browser = {True: browsers("admin"), False: browsers("ada")}

    def ask(route: str, **how: Any) -> Any:
        return browser[route.startswith("/admin")].get(filled(route, things), query_string=QUERIES.get(route), **how)

    return ask


def checked(route: str, body: bytes, planted: set[str]) -> set[str]:
    """The first signs of what was planted and is in this file, after looking at every cell of it."""
    assert not body.startswith(codecs.BOM_UTF8), "programs would read it as a part of the first heading"
    rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
    assert len(rows) > 1, f"{route} is empty, so nothing was tried"
    assert len({len(row) for row in rows}) == 1, f"{route} has rows of different lengths"
    found = set()
    for cell in (cell for row in rows[1:] for cell in row):
        assert not cell.startswith(DANGER) or NUMBER.match(cell), (route, cell)
        said = cell.removeprefix("'")
        assert not NUMBER.match(said) or said == cell, f"{cell} of {route} was a number"
        if cell.startswith("'"):
            assert said.startswith(tuple(planted)) or DELTA.match(said), (route, cell)
        found |= {one[0] for one in planted if said.startswith(one)}
    return found
