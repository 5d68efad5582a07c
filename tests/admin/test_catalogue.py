"""Staff: the catalogue's front page, its history, and the catalogue as a file, out and in again."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest
from sqlalchemy import event

from app.catalogue import difference, edit_rows, file, publish, reads, shipped
from app.catalogue.terms import LlmPriceTerms, MeterTerms
from app.db import transaction
from app.extensions import db
from tests.admin.conftest import HX

SEEN = re.compile(r'name="confirmed" value="(\w+)"')
TEXT = re.compile(r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', re.DOTALL)
FILE = "/admin/catalogue/file"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture(autouse=True)
def oper(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("oper"), currency="usd"), actor="cli")


def save(session, terms, actor="cli"):
    with transaction(session):
        edit_rows.save(session, terms, is_new=True, actor=actor)


def test_the_front_page_says_what_is_on_sale_and_who_changed_it(as_support, session, finance):
    save(session, MeterTerms("seats", "Seats", "seat", 9), actor=f"staff:{finance.id}")

    page = as_support.get("/admin/catalogue").text

    for words in ("Plans", "Meters", "Services", "Off", "Put on offer", "Name: Seats", finance.name, "As a file"):
        assert words in page, words
    assert "/admin/meters/seats" in page


def test_older_changes_come_page_by_page(as_support, session):
    for number in range(16):
        save(session, MeterTerms(f"m{number}", f"Meter {number}", "one"))

    page = as_support.get("/admin/catalogue").text
    older = re.search(r'<a class="btn small" href="([^"]+)" rel="next"', page)[1]
    part = as_support.get(unescape(older), headers=HX).text

    assert "Meter 15" in page
    assert "Meter 0" not in page
    assert "Meter 0" in part
    assert "<html" not in part


def test_what_a_channel_lacks_is_told(app, as_admin, session, creamed):
    app.extensions["providers"] = {"creem": creamed}
    plan = next(plan for plan in reads.offered_plans(session) if plan.monthly_minor)

    front, page = as_admin.get("/admin/catalogue").text, as_admin.get(f"/admin/plans/{plan.id}").text

    assert f"{plan.name}</a>: Creem cannot sell this plan yet: it needs a product id." in front
    assert "Creem cannot sell this plan yet: it needs a product id." in page
    assert 'id="id-creem-monthly"' in page


def test_what_is_taken_away_is_what_is_there(as_support, as_admin, session):
    """Also where a hand has left gaps between the places, and with prices of models."""
    save(session, MeterTerms("seats", "Seats “x” \\ y", "seat", 900))
    save(session, LlmPriceTerms("openai/gpt-4o", "2026-11-20", "usd", 1, 2, 3, 4, ((9, 1, 1, 1, 1),)))

    answer = as_support.get("/admin/catalogue.toml")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="catalogue-2026-03-14.toml"'
    session.rollback()
    assert difference.between(reads.whole(session), file.read(answer.text, currency="usd")) == []
    looked = as_admin.post(FILE, data={"file": (io.BytesIO(answer.data), "catalogue.toml")})
    assert "Nothing: the catalogue is as the file says." in looked.text


def test_a_file_is_put_on_offer_after_a_look_at_the_difference(as_admin, session):
    text = shipped.text_of("view")

    looked = as_admin.post(FILE, data={"file": (io.BytesIO(text.encode()), "view.toml")})

    assert "+ plan growth" in looked.text
    assert "no longer offered" in looked.text
    session.rollback()
    assert "growth" not in {plan.key for plan in reads.offered_plans(session)}
    sent = {"text": unescape(TEXT.search(looked.text)[1]), "confirmed": SEEN.search(looked.text)[1]}
    done = as_admin.post(FILE, data=sent)
    assert done.status_code == 303
    session.rollback()
    assert difference.between(reads.whole(session), file.read(text, currency="usd")) == []
    assert "changes made" in as_admin.get("/admin/catalogue").text


def test_a_catalogue_that_was_changed_meanwhile_is_looked_at_again(as_admin, session):
    text = shipped.text_of("view")
    looked = as_admin.post(FILE, data={"text": text}).text
    save(session, MeterTerms("seats", "Seats", "seat"))

    refused = as_admin.post(FILE, data={"text": text, "confirmed": SEEN.search(looked)[1]})

    assert refused.status_code == 409
    assert "This is not what you looked at" in refused.text
    assert "- meter seats" in refused.text
    session.rollback()
    assert "growth" not in {plan.key for plan in reads.offered_plans(session)}


def test_every_mistake_of_a_file_is_told_and_what_was_pasted_stays(as_admin):
    answer = as_admin.post(FILE, data={"text": '[plans.a]\nrank = 1\nname = "A"\nmonthly = 9\nyes = 1'})

    assert answer.status_code == 422
    assert "plans.a.monthly: must be a price in quotes" in unescape(answer.text)
    assert "plans.a.yes: is not known here" in unescape(answer.text)
    assert "monthly = 9" in answer.text
    assert as_admin.post(FILE, data={"file": (io.BytesIO(b"\xff\xfe"), "x.toml")}).status_code == 422


@pytest.mark.parametrize(("address", "most"), [("catalogue", 18), ("catalogue/file", 4), ("catalogue.toml", 14)])
def test_a_page_stays_within_its_queries(app, as_support, address, most):
    asked = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    as_support.get(f"/admin/{address}")

    assert len(asked) <= most, asked
