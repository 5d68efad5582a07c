"""A catalogue file: what it says is read exactly, and every mistake is told with its place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue import file, shipped
from app.catalogue.file import CatalogueWrong
from app.catalogue.terms import CheckInTerms, Limit, written
from tests.support.tree import text

METER = '[meters.views]\nname = "Views"\nunit = "view"\n'
PLAN = '[plans.a]\nrank = 0\nname = "A"\nmonthly = "1.00"\n'


def mistakes(text: str) -> list[str]:
    with pytest.raises(CatalogueWrong) as refused:
        file.read(text, currency="usd", name="mine.toml")
    return [f"{one['place']}: {one['message']}" for one in refused.value.details["mistakes"]]


def test_it_says_what_the_plan_is(small: str) -> None:
    studio = file.read(small, currency="usd").plans[1]

    assert (studio.key, studio.name, studio.monthly_minor, studio.yearly_minor) == ("studio", "Studio", 2_900, 29_000)
    assert studio.limits == (
        Limit("allowance", "views", 5_000, "wallet", 100),
        Limit("count", "agents", 10),
        Limit("rate", "reads", 60),
        Limit("rate", "writes", None),
        Limit("flag", "production_access", 1),
    )
    assert studio.provider_ids == {"stripe": {"monthly": "price_1"}}


def test_a_plan_may_go_on_otherwise_than_the_meter_says() -> None:
    text = METER + 'overage = "invoice"\noverage_price = "0.002"\n' + PLAN
    cheaper = file.read(text + 'allowances.views = { included = 5, overage_price = "0.001" }', currency="usd")
    blocked = file.read(text + 'allowances.views = { included = 5, overage = "block" }', currency="usd")

    assert cheaper.plans[0].limits == (Limit("allowance", "views", 5, "invoice", 1_000),)
    assert blocked.plans[0].limits == (Limit("allowance", "views", 5, "block", None),)


def test_without_a_word_about_it_a_meter_blocks() -> None:
    plan = file.read(METER + PLAN + "allowances.views = 5", currency="usd").plans[0]

    assert plan.limits == (Limit("allowance", "views", 5, "block", None),)


def test_it_says_what_the_daily_check_in_gives() -> None:
    text = '[check_in]\ncredits = 10\nbonuses = { 30 = 100, 7 = 30 }\nexpires_after_days = 90\nmost = 300\nday = "utc"'

    assert file.read("", currency="usd").check_in is None
    assert file.read(text, currency="usd").check_in == CheckInTerms(
        10, ((7, 30), (30, 100)), 90, 300, "utc", "verified"
    )


def test_beyond_no_limit_there_is_no_overage() -> None:
    text = METER + 'overage = "wallet"\noverage_price = "1.00"\n' + PLAN + 'allowances.views = "unlimited"'

    assert file.read(text, currency="usd").plans[0].limits == (Limit("allowance", "views", None),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[plans.a", "mine.toml: is not TOML"),
        ('currency = "eur"', "currency: is not that of this installation, which is USD"),
        ("colour = 1", "colour: is not known here"),
        ("plans = 1", "plans: must be a table"),
        (PLAN + "yearly = 10.5", "plans.a.yearly: must be a price in quotes"),
        (PLAN + 'yearly = "-1.00"', "plans.a.yearly: must be a price in quotes"),
        (PLAN + 'yearly = "1.005"', "plans.a.yearly: has more decimals than USD"),
        (PLAN + "prize = 1", "plans.a.prize: is not known here. Known are: allowances, counts"),
        (PLAN + "custom = true", "plans.a.custom: plans have no public price"),
        (PLAN + "custom = 1", "plans.a.custom: must be true or false"),
        (PLAN + 'downgrade = "never"', "plans.a.downgrade: must be one of period_end, immediate"),
        (PLAN + 'features = "Fast"', "plans.a.features: must be a list of texts"),
        (PLAN + "allowances.views = 5", "plans.a.allowances.views: is no meter of this file"),
        (PLAN + "counts.agents = -1", "plans.a.counts.agents: must be a whole number from 0"),
        (PLAN + "counts.agents = true", "plans.a.counts.agents: must be a whole number from 0"),
        (PLAN + "counts.Agents = 1", "plans.a.counts.Agents: is no key"),
        ("[check_in]", "check_in.credits: is missing"),
        ("check_in = true", "check_in: must be a table"),
        ("[check_in]\ncredits = 0", "check_in.credits: must be a whole number from 1"),
        ("[check_in]\ncredits = 5\nmost = 4", "check_in.most: must be no less than credits"),
        ("[check_in]\ncredits = 5\nbonuses = { 1 = 5 }", "check_in.bonuses.1: is no number of days from 2 to 366"),
        ("[check_in]\ncredits = 5\nbonuses = { 367 = 5 }", "check_in.bonuses.367: is no number of days from 2 to 366"),
        ("[check_in]\ncredits = 5\nbonuses = { week = 5 }", "check_in.bonuses.week: is no number of days"),
        ("[check_in]\ncredits = 5\nbonuses = { 2 = 1, 3 = 1, 4 = 1, 5 = 1 }", "check_in.bonuses: are 3 at most"),
        (
            "[check_in]\ncredits = 5\nexpires_after_days = 0",
            "check_in.expires_after_days: must be a whole number from 1",
        ),
        ('[check_in]\ncredits = 5\nwho = "friends"', "check_in.who: must be one of everyone, verified"),
        ("[check_in]\ncredits = 5\nstreak = 5", "check_in.streak: is not known here"),
        (PLAN + "rates.deletes = 1", "plans.a.rates.deletes: is no rate. Known are: reads, writes"),
        (PLAN + "flags.production = true", "plans.a.flags.production: is no flag"),
        (PLAN + "rank = 1", "mine.toml: is not TOML: Cannot overwrite a value"),
        ('[plans.a]\nrank = 0\nname = "A"', "plans.a.monthly: is missing"),
        ('[plans.a]\nrank = 0\nname = " A"\ncustom = true', "plans.a.name: must be a text"),
        ('[plans."a b"]\nrank = 0\nname = "A"\ncustom = true', "plans.a b: is no key"),
        (PLAN + PLAN.replace(".a]", ".A]"), "plans.a: differs from plans.A in capitals only"),
        (METER + 'overage = "wallet"', 'meters.views.overage_price: is missing: overage is "wallet"'),
        (METER + 'overage_price = "1.00"', "meters.views.overage_price: is of no use"),
        ('[actions.a]\nname = "A"\ncredits = 0', "actions.a.credits: must be a whole number from 1"),
        ('[packs.a]\nname = "A"\ncredits = 1\nprice = "0.00"', "packs.a.price: must be more than nothing"),
        ('[services.a]\nname = "A"\npricing = "free"', "services.a.pricing: must be one of list_price, cost_plus"),
        ('[services.a]\nname = "A"\npricing = "list_price"\nmarkup_percent = 1', "services.a.markup_percent: is for"),
        (PLAN + "provider_ids.stripe.monthly = 5", "plans.a.provider_ids.stripe.monthly: must be a text"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    found = mistakes(text)

    assert len(found) == 1
    assert found[0].startswith(told)


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes('[plans.a]\nname = 5\n[plans.b]\nrank = "x"\nname = "B"\nmonthly = "1.00"')

    assert [line.split(":")[0] for line in found] == ["plans.a.monthly", "plans.a.rank", "plans.a.name", "plans.b.rank"]


@given(st.integers(0, 10**15))
def test_a_price_written_and_read_is_the_same(micros: int) -> None:
    text = METER + f'overage = "wallet"\noverage_price = "{written(micros % 10**15, "usd")}"\n' + PLAN
    plan = file.read(text + "allowances.views = 5", currency="usd").plans[0]

    assert plan.limits[0].overage_micros == micros % 10**15


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(CatalogueWrong):
        file.read(text, currency="usd")


@pytest.mark.parametrize("name", shipped.names())
def test_the_shipped_files_are_without_mistakes(name: str) -> None:
    assert file.read(shipped.text_of(name), currency="usd", name=name).plans


def test_the_example_of_the_documents_is_without_mistakes() -> None:
    told = text(Path("docs/catalogue.md")).split("```toml\n")[1].split("```")[0]

    assert [plan.key for plan in file.read(told, currency="usd").plans] == ["studio", "enterprise"]


def test_five_catalogues_are_shipped() -> None:
    assert shipped.names() == ["agent", "cred", "host", "oper", "view"]
