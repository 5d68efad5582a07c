"""Staff see what each channel lacks, and what customers wanted to buy and could not (SPEC V1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import html5lib
import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.extensions import db
from app.notices.models import Mail
from tests.admin.conftest import saves
from tests.support.creem import creem_adapter
from tests.support.people import Person
from tests.support.two_channels import OFFERS, Both
from tests.support.web import PageClient


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True)).replace("\N{NO-BREAK SPACE}", " ")


def sent_by(page: str) -> dict[str, str]:
    """What the editor's form would send as it stands."""
    [form] = [
        each for each in html5lib.parse(page, namespaceHTMLElements=False).iter("form") if each.get("id") == "plan"
    ]
    sent = {}
    for field in form.iter():
        if field.tag == "textarea":
            sent[field.get("name", "")] = (field.text or "").strip()
        elif field.tag == "select":
            chosen = [each.get("value", "") for each in field.iter("option") if each.get("selected") is not None]
            sent[field.get("name", "")] = chosen[0] if chosen else ""
        elif field.tag == "input" and (
            field.get("type") not in ("checkbox", "radio") or field.get("checked") is not None
        ):
            sent[field.get("name", "")] = field.get("value", "")
    return sent


def mails(session: Session) -> list[str]:
    session.rollback()
    found = list(session.scalars(select(Mail.body).where(Mail.template == "cannot_be_sold")))
    session.rollback()
    return found


def test_a_creem_checkout_without_a_product_tells_staff_what_to_configure(
    client_of: Callable[[Person], PageClient], ada: Person, admin: Person, both: Both, session: Session
) -> None:
    """Ada wants Growth, Creem has no product for it; an admin names one, and she pays for it there."""
    both.in_order("creem")
    browser, office = client_of(ada), client_of(admin)
    sent = {"plan": "growth", "interval": "month", "by": "card", "form_key": "form_1"}

    refused = [browser.post("/plan/change", data=sent) for _ in range(2)][-1]
    assert refused.status_code == 422
    assert "Growth by the month cannot be bought through Creem at the moment" in text(refused)
    assert not both.at_creem.there.books.things["checkouts"]

    page = text(office.get("/admin/channels"))
    assert "creem.monthly = its id" in page
    assert "provider_ids.creem.monthly of growth" in page, "what the adapter said"
    assert "<code>plan:growth:month</code>" in page
    [mail] = mails(session)
    assert "Growth by the month through Creem" in mail

    made = both.at_creem.there.books.product(3000, "every-month")
    [growth] = re.findall(r'href="(/admin/plans/[^"]+)">Growth', page)
    form = sent_by(text(office.get(growth))) | {"id-creem-monthly": made}
    assert saves(office, growth, form).status_code == 303

    paid = browser.post("/plan/change", data=sent)
    assert paid.location.startswith(f"https://creem.io/test/checkout/{made}/")
    [open_page] = both.at_creem.there.books.things["checkouts"]
    both.at_creem.there.books.pays(open_page)
    both.at_creem.hears()

    assert (both.at_creem.sub.price_minor, both.at_creem.sub.status) == (3000, "active")
    after = text(office.get("/admin/channels"))
    assert "Sold since" in after
    assert "creem.monthly = its id" not in after.split('id="refused"')[0].replace("Starter", "")


def test_another_way_is_offered_and_a_product_that_is_gone_is_told(
    client_of: Callable[[Person], PageClient], ada: Person, support: Person, both: Both
) -> None:
    del both.at_creem.there.books.things["products"][both.products["starter_at_creem"]]
    sent = {"plan": "starter", "interval": "month", "by": "card", "form_key": "form_1", "channel": "creem"}

    refused = client_of(ada).post("/plan/change", data=sent)

    assert refused.status_code == 422
    assert "cannot be bought through Creem at the moment" in text(refused)
    assert "Card, through Lemon Squeezy" in text(refused), "the other way"
    assert "has no product" in text(client_of(support).get("/admin/channels"))


def test_a_pack_without_any_product_is_refused_and_sold_once_it_has_its_own(
    client_of: Callable[[Person], PageClient], ada: Person, support: Person, both: Both
) -> None:
    plain = creem_adapter(both.at_creem.there, product_id="")
    both.providers.clear()
    both.providers["creem"] = both.at_creem.adapter = plain
    sent = {"form_key": "form_1", "price": "900", "credits": "100"}
    browser = client_of(ada)

    refused = browser.post("/credits/packs/small", data=sent)
    assert (refused.status_code, "cannot be bought through Creem" in text(refused)) == (422, True)
    assert "<code>pack:small</code>" in text(client_of(support).get("/admin/channels"))

    own = both.at_creem.there.books.product(900, "once")
    both.offers(
        OFFERS.replace('price = "9.00"', f'price = "9.00"\nprovider_ids.creem = {{{{ product_id = "{own}" }}}}')
    )
    paid = browser.post("/credits/packs/small", data=sent)
    assert paid.location.startswith(f"https://creem.io/test/checkout/{own}/")
    both.at_creem.there.books.pays(next(iter(both.at_creem.there.books.things["checkouts"])))
    both.at_creem.hears(times=2, seed=1)

    assert "100" in text(browser.get("/credits"))
    assert not both.at_creem.waiting
    plain.close()


def test_a_channel_that_sells_everything_says_so_and_so_does_a_house_without_any(
    client_of: Callable[[Person], PageClient], support: Person, both: Both
) -> None:
    both.in_order("lemonsqueezy")
    page = text(client_of(support).get("/admin/channels"))
    assert "Sells everything" in page
    assert "Nothing was refused" in page

    both.providers.clear()
    assert "No channel is set up" in text(client_of(support).get("/admin/channels"))


def test_the_page_asks_a_fixed_number_of_questions(
    app: Flask, client_of: Callable[[Person], PageClient], ada: Person, support: Person, both: Both
) -> None:
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    browser = client_of(support)
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    assert browser.get("/admin/channels").status_code == 200

    assert 0 < len(asked) <= 20, asked
