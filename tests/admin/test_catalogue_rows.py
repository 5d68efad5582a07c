"""Staff: packs, meters and actions. What changes is shown before it is saved; what was typed stays when it is wrong."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import event

from app import clock
from app.catalogue import edit_rows, file, llm_prices, publish, shipped
from app.db import transaction
from app.extensions import db
from app.payments import orders
from tests.admin.conftest import HX

BASE = re.compile(r'name="base" value="([^"]+)"')
CONFIRMED = re.compile(r'name="confirmed" value="(\w+)"')


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture(autouse=True)
def view(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


def pack(session, key):
    session.rollback()
    session.expire_all()
    return edit_rows.one(session, "pack", key)


def sold(session, ada, form, payment, amount=4_500):
    with transaction(session):
        order = orders.open_order(
            session,
            customer_id=ada.customer_id,
            kind="pack",
            amount_minor=amount,
            currency="usd",
            channel="stripe",
            form_key=form,
            created_by=ada.id,
        )
        orders.freeze(session, order, {"pack": "medium", "name": "500 credits", "credits": 500})
        orders.pay(session, order, payment, at=clock.now())


def test_the_list_says_what_each_credit_costs_and_what_was_sold(as_support, session, ada):
    sold(session, ada, "a", "pi_1")
    sold(session, ada, "b", "pi_2", amount=4_000)
    sold(session, ada, "c", "coupon:red_1")

    page = as_support.get("/admin/packs").text

    row = page[page.index(">500 credits<") :]
    for words in ("$45.00", "9.00¢", ">3<", "$85.00", "Live"):
        assert words in row
    assert "3 sold in" in page
    assert "New pack" not in page, "support only looks"


def test_a_price_is_changed_after_a_look_at_it(as_admin, session):
    form = {"name": "500 credits", "credits": "500", "price": "50.00", "position": "1"}

    looked = as_admin.post("/admin/packs/medium", data=form)
    assert "45.00 USD" in looked.text
    assert "50.00 USD" in looked.text
    assert pack(session, "medium").terms.price_minor == 4_500

    saved = as_admin.post("/admin/packs/medium", data=form | {"confirmed": CONFIRMED.search(looked.text)[1]})

    assert saved.status_code == 303
    assert pack(session, "medium").terms.price_minor == 5_000
    assert "500 credits is saved" in as_admin.get("/admin/packs").text


def test_what_was_confirmed_for_another_price_is_shown_again(as_admin, session):
    form = {"name": "500 credits", "credits": "500", "price": "50.00", "position": "1"}
    token = CONFIRMED.search(as_admin.post("/admin/packs/medium", data=form).text)[1]

    answer = as_admin.post("/admin/packs/medium", data=form | {"price": "5.00", "confirmed": token})

    assert answer.status_code == 200
    assert pack(session, "medium").terms.price_minor == 4_500


def test_mistakes_keep_what_was_typed(as_admin):
    typed = {"name": "Mine", "key": "Not A Key", "credits": "many", "price": "free", "position": "9"}

    page = as_admin.post("/admin/packs/new-one", data=typed, headers=HX)

    assert page.status_code == 422
    for value in ("Not A Key", "many", "free"):
        assert f'value="{value}"' in page.text
    for field in ("key", "credits", "price"):
        assert f'id="{field}-e"' in page.text


@pytest.mark.parametrize(
    ("plural", "form", "shown"),
    [
        ("packs", {"credits": "5,000", "price": "350"}, "5,000 credits"),
        ("meters", {"unit": "download"}, "download"),
        ("actions", {"credits": "7"}, "7 credits"),
        ("services", {"pricing": "cost_plus", "markup_percent": "15"}, "15%"),
    ],
)
def test_a_new_one_is_on_offer_can_be_retired_and_offered_again(as_admin, plural, form, shown):
    form = {"name": "Brand new", "key": "brand_new", **form}
    look = as_admin.post(f"/admin/{plural}/new-one/changes", data=form, headers=HX).text

    as_admin.post(f"/admin/{plural}/new-one", data=form | {"confirmed": CONFIRMED.search(look)[1]})
    listed = as_admin.get(f"/admin/{plural}").text
    assert shown in listed[listed.index("Brand new") :]

    as_admin.post(f"/admin/{plural}/brand_new/retire")
    assert "Ended" in as_admin.get(f"/admin/{plural}").text
    assert 'id="changes"' not in as_admin.get(f"/admin/{plural}/brand_new").text, "what is retired is not edited"
    as_admin.post(f"/admin/{plural}/brand_new/offer")
    assert "Ended" not in as_admin.get(f"/admin/{plural}").text


PRICES = {"input": "2", "output": "8", "above-3": "1,000", "input-3": "4", "output-3": "12", "cached_input-3": "1"}


def test_the_price_of_a_model_is_set_from_a_day_on_with_steps(as_admin, session):
    form = {"model": "openai/gpt-4o", "day": "2026-11-20", **PRICES}
    wrong = as_admin.post("/admin/llm-prices/new-one", data=form | {"input": "", "above-3": "none"}, headers=HX)
    look = as_admin.post("/admin/llm-prices/new-one/changes", data=form, headers=HX).text

    as_admin.post("/admin/llm-prices/new-one", data=form | {"confirmed": CONFIRMED.search(look)[1]})

    assert wrong.status_code == 422
    assert 'id="input-e"' in wrong.text
    assert 'id="above-1-e"' in wrong.text, "the empty steps before it are gone"
    session.rollback()
    [price] = llm_prices.live(session)
    assert (price.key, price.input_micros, price.cached_micros) == (
        "openai/gpt-4o from 2026-11-20",
        2_000_000,
        2_000_000,
    )
    assert price.steps == ((1_000, 4_000_000, 12_000_000, 1_000_000, 4_000_000),)
    listed = as_admin.get("/admin/llm-prices").text
    assert "/admin/llm-prices/openai~gpt-4o%20from%202026-11-20" in listed
    page = as_admin.get("/admin/llm-prices/openai~gpt-4o from 2026-11-20")
    assert page.status_code == 200
    assert 'value="1,000"' in page.text


def test_a_service_has_the_percentage_of_its_own_way_only(as_admin):
    form = {"name": "Search", "key": "search", "pricing": "list_price", "markup_percent": "15"}

    answer = as_admin.post("/admin/services/new-one", data=form, headers=HX)

    assert answer.status_code == 422
    assert "it is for the other way" in answer.text


def test_what_a_provider_calls_a_pack_is_typed_beside_it(as_admin, session):
    form = {"name": "500 credits", "credits": "500", "price": "45.00", "position": "1"}
    wrong = as_admin.post("/admin/packs/medium", data=form | {"provider_ids": "nonsense"})
    look = as_admin.post("/admin/packs/medium", data=form | {"provider_ids": "creem.product_id = prod_1"}).text

    confirmed = {"provider_ids": "creem.product_id = prod_1", "confirmed": CONFIRMED.search(look)[1]}
    as_admin.post("/admin/packs/medium", data=form | confirmed)

    assert 'id="provider_ids-e"' in wrong.text
    assert pack(session, "medium").terms.provider_ids == {"creem": {"product_id": "prod_1"}}


def test_the_second_of_two_editors_is_told_what_the_first_changed(as_admin, session):
    """The price only the first changed comes into the second's form; the name both changed stays as typed."""
    opened = BASE.search(as_admin.get("/admin/packs/medium").text)[1]
    first = {"name": "Middle", "credits": "500", "price": "50.00", "position": "1"}
    look = as_admin.post("/admin/packs/medium", data=first).text
    as_admin.post("/admin/packs/medium", data=first | {"confirmed": CONFIRMED.search(look)[1]})

    second = {"name": "Half", "credits": "500", "price": "45.00", "position": "1", "base": unescape(opened)}
    panel = as_admin.post("/admin/packs/medium/changes", data=second, headers=HX)
    told = as_admin.post("/admin/packs/medium", data=second)

    assert "Nothing you typed is lost" in panel.text
    assert CONFIRMED.search(panel.text) is None
    assert told.status_code == 409
    assert "has changed this since you opened it" in told.text
    assert "Price 45.00 → 50.00" in told.text
    assert "Name is Middle now, and Half in your form" in told.text
    assert 'value="50.00"' in told.text
    again = {**second, "price": "50.00", "base": unescape(BASE.search(told.text)[1])}
    saved = as_admin.post("/admin/packs/medium", data=again | {"confirmed": CONFIRMED.search(told.text)[1]})
    assert saved.status_code == 303
    assert (pack(session, "medium").terms.name, pack(session, "medium").terms.price_minor) == ("Half", 5_000)


def test_what_was_typed_stays_when_it_was_retired_meanwhile(as_admin):
    as_admin.post("/admin/packs/medium/retire")

    told = as_admin.post("/admin/packs/medium", data={"name": "Mine", "credits": "5", "price": "1"})

    assert told.status_code == 422
    assert "Offer it again before you change it" in told.text
    assert 'value="Mine"' in told.text


def test_a_meter_that_plans_count_by_stays(as_admin):
    answer = as_admin.post("/admin/meters/views/retire")

    assert answer.status_code == 409
    assert "counts by it" in answer.text
    assert "Views" in as_admin.get("/admin/meters").text


@pytest.mark.parametrize(("address", "most"), [("packs", 6), ("meters", 7), ("actions", 5), ("packs/small", 6)])
def test_a_page_stays_within_its_queries(app, as_support, address, most):
    asked = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    as_support.get(f"/admin/{address}")

    assert len(asked) <= most, asked
