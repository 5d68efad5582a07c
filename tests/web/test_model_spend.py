"""Model calls on the usage page: what they cost by model and by API key, a month at a time."""

from __future__ import annotations

import pytest

from app.customers import api_keys
from app.customers.models import ApiKey
from app.db import transaction
from tests.support.model_calls import billed
from tests.support.page_figures import Figures

HX = {"HX-Request": "true"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def key(session, ada) -> ApiKey:
    with transaction(session):
        return api_keys.create_customer_key(
            session, ada.customer_id, name="Writing desk", permissions=("billing:write",), made_by=ada.id
        )[0]


def test_it_shows_what_was_spent_by_model_and_by_key(session, ada, key, client_of):
    billed(session, ada, 70_000, model="gpt-5", key_id=key.id)
    billed(session, ada, 30_000, model="gpt-5", key_id="key_of_the_host", tokens=(100, 10, 0))
    billed(session, ada, 250, key_id=key.id)

    page = Figures(client_of(ada).get("/usage").text)

    assert page.table("Model calls in March 2026")[1:] == [
        ["gpt-5", "2", "1,300", "200", "320", "$0.100000"],
        ["gpt-5-mini", "1", "1,200", "200", "310", "$0.000250"],
        ["In all", "3", "2,500", "400", "630", "$0.100250"],
    ]
    rows = page.table("Model calls by API key")[1:]
    assert [(row[0], row[-1]) for row in rows] == [
        (f"Writing desk {key.prefix}…{key.last4}", "$0.070250"),
        ("Through the product its own key, not one of yours", "$0.030000"),
        ("In all", "$0.100250"),
    ]


def test_months_have_addresses_and_the_tables_one_of_their_own(session, ada, client_of, clock):
    billed(session, ada, 10_000)
    clock.advance(days=40)
    billed(session, ada, 20_000, model="gpt-5")
    browser = client_of(ada)

    now, before = browser.get("/usage").text, browser.get("/usage?month=2026-03").text
    part = browser.get("/usage/models?month=2026-03", headers=HX).text

    assert 'href="/usage?month=2026-03#models" rel="prev" hx-get="/usage/models?month=2026-03"' in now
    assert "gpt-5-mini" not in now
    assert part.startswith('<div class="grid" id="models">')
    assert part.strip() in before
    assert Figures(before).table("Model calls in March 2026")[-1][-1] == "$0.01"
    assert 'rel="next"' in part
    assert "No model calls" in browser.get("/usage?month=2026-02").text


def test_who_never_called_a_model_sees_nothing_of_it(ada, bo, session, client_of):
    billed(session, bo, 10_000)

    assert "Model calls" not in client_of(ada).get("/usage").text


@pytest.mark.parametrize("month", ["2026-13", "2026", "x", "2026-3", "９999-01"])
def test_what_is_no_month_is_not_found(ada, client_of, month):
    for address in ("/usage", "/usage/models", "/usage/models.csv"):
        assert client_of(ada).get(address, query_string={"month": month}).status_code == 404


def test_the_csv_has_every_day(session, ada, client_of, clock):
    billed(session, ada, 10_000)
    billed(session, ada, 15_000)
    clock.advance(days=1)
    billed(session, ada, 250, model="=cmd()")

    answer = client_of(ada).get("/usage/models.csv")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="model-calls-2026-03.csv"'
    assert answer.text.splitlines() == [
        "day,model,api_key,calls,prompt_tokens,completion_tokens,cached_tokens,cost,currency",
        "2026-03-14,gpt-5-mini,key_1,2,2400,620,400,0.025,USD",
        "2026-03-15,'=cmd(),key_1,1,1200,310,200,0.00025,USD",
    ]


def test_many_models_are_cut_and_still_add_up(session, ada, client_of):
    ada.gets(10_000)
    for number in range(53):
        billed(session, ada, 10_000 + number * 10_000, model=f"gpt-{number}")

    rows = Figures(client_of(ada).get("/usage").text).table("Model calls in March 2026")[1:]

    assert len(rows) == 51
    assert rows[-2][:2] == ["4 other models", "4"]
    assert (rows[-2][-1], rows[-1][-1]) == ("$0.10", "$14.31")
