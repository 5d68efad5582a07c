"""/pricing and /pricing.md: the documented figures of all five catalogues, for everybody, from the live rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.catalogue import file, publish, shipped
from app.config import Settings
from app.db import transaction
from tests.support.web import PageClient

# The figures as the documents of the five systems give them, written down here once more by hand.
OPER = """
|                        | Free   | Developer | Studio    | Enterprise |
| Price                  | $0.00  | $29.00    | $149.00   | Custom     |
| Agents                 | 5      | 25        | 100       | No limit   |
| Services               | 3      | 25        | No limit  | No limit   |
| Team members           | 1      | 5         | 25        | No limit   |
| Published skills       | 3      | 25        | 100       | No limit   |
| Passports              | 50,000 | 500,000   | 5,000,000 | No limit   |
| Drop-offs              | 500    | 25,000    | 250,000   | No limit   |
| Proxy calls            | 5,000  | 50,000    | 500,000   | No limit   |
| Free-skill invocations | 1,000  | 25,000    | 250,000   | No limit   |
| Passport               | $0.0001 from the wallet | $0.0001 from the wallet | $0.0001 from the wallet | No limit |
| Drop-off               | $0.0001 from the wallet | $0.0001 from the wallet | $0.0001 from the wallet | No limit |
| Proxy call             | $0.001 from the wallet  | $0.001 from the wallet  | $0.001 from the wallet  | No limit |
| Free-skill invocation  | $0.001 from the wallet  | $0.001 from the wallet  | $0.001 from the wallet  | No limit |
"""
AGENT = """
|                   | Free         | Starter  | Growth   | Enterprise |
| Price             | $0.00        | $99.00   | $249.00  | Custom     |
| Wallets           | 3            | 10       | 50       | No limit   |
| Reads per minute  | 60           | 200      | 500      | 2,000      |
| Writes per minute | 10           | 50       | 100      | 500        |
| Production access | Not included | Included | Included | Included   |
| Agent definitions | 3            | 10       | 50       | No limit   |
| Agent executions  | 50           | 500      | 2,000    | No limit   |
| Builder messages  | 10           | No limit | No limit | No limit   |
"""
CRED = """
|                   | Pro            |
| Price             | $9.99          |
| Price a year      | $99.90         |
| Credits           | 10,000 credits |
| Unlimited AI chat | Included       |
| Priority support  | Included       |
"""
VIEW = """
|              | Free                       | Starter                    | Growth                      | Enterprise |
| Price        | $0.00                      | $29.00                     | $99.00                      | Custom     |
| Price a year |                            | $290.00                    | $990.00                     | Custom     |
| Views        | 1,000                      | 25,000                     | 150,000                     | No limit   |
| View         | $0.002 on the next invoice | $0.002 on the next invoice | $0.0015 on the next invoice | No limit   |
| Credits      | Not included               | 50 credits                 | 250 credits                 | By contract |
| Welcome credits | 20 credits              | 50 credits                 | 100 credits                 | By contract |
| Stores       | 1                          | 3                          | 10                          | No limit   |
"""
HOST = """
|              | Hobby | Pro     | Team    | Enterprise |
| Price        | $0.00 | $20.00  | $80.00  | Custom     |
| Price a year |       | $200.00 | $800.00 | Custom     |
| Agents       | 1     | 5       | 25      | No limit   |
"""
DOCUMENTED = {"oper": OPER, "agent": AGENT, "cred": CRED, "view": VIEW, "host": HOST}
BESIDE_PLANS = {
    "oper": {
        "Paid-skill invocation": "At list price",
        "Compute": "Cost plus 15%",
        "Identity verification": "Cost plus 15%",
    },
    "agent": {},
    "cred": {"AI chat": "50 credits"},
    "view": {
        "Generate a model": "10 credits",
        "100 credits": "$10.00",
        "500 credits": "$45.00",
        "2,000 credits": "$160.00",
    },
    "host": {"Model calls": "At cost"},
}


@pytest.fixture
def on_offer(session: Session) -> Callable[[str], None]:
    """Puts a shipped catalogue, or the text of one, on offer."""

    def put(source: str) -> None:
        text = shipped.text_of(source) if source in shipped.names() else source
        with transaction(session):
            publish.apply(session, file.read(text, currency="usd"), actor="cli")

    return put


def rows_of(table: str) -> list[list[str]]:
    lines = [line.strip().strip("|").split("|") for line in table.strip().splitlines()]
    return [[cell.strip() for cell in line] for line in lines]


def words(node: Element) -> str:
    return " ".join(" ".join(node.itertext()).split())


def of_class(tree: Element, tag: str, name: str) -> list[Element]:
    return [node for node in tree.iter(tag) if name in (node.get("class") or "").split()]


def page_facts(client: PageClient, address: str) -> dict[tuple[str, str], str]:
    """(label, plan) to what the page says: prices from the cards, the rest from the comparison."""
    tree = html5lib.parse(client.get(address).text, namespaceHTMLElements=False)
    facts = {}
    for card in of_class(tree, "div", "plans")[0]:
        facts["Price", words(card.find(".//h2"))] = words(of_class(card, "p", "figure")[0])
    tables = of_class(tree, "table", "cmp")
    if tables:
        names = [words(cell) for cell in tables[0].find(".//thead/tr")][1:]
        for row in tables[0].findall(".//tbody/tr"):
            label, *cells = [words(cell) for cell in row]
            facts |= {(label, name): cell for name, cell in zip(names, cells, strict=False)}
    return facts


def markdown_facts(client: PageClient) -> dict[tuple[str, str], str]:
    """The same from the Markdown, with the group's name taken off the label."""
    plans = client.get("/pricing.md").text.split("## Plans\n\n")[1].split("\n\n")[0]
    (_, *names), _, *rows = rows_of(plans)
    return {(row[0].split(": ")[-1], name): cell for row in rows for name, cell in zip(names, row[1:], strict=True)}


@pytest.mark.parametrize("name", shipped.names())
def test_both_lists_show_the_documented_figures(client: PageClient, on_offer: Callable[[str], None], name: str) -> None:
    on_offer(name)

    monthly, yearly = page_facts(client, "/pricing"), page_facts(client, "/pricing?cycle=yearly")
    told = markdown_facts(client)

    (_, *plans), *rows = rows_of(DOCUMENTED[name])
    for label, *figures in rows:
        for plan, figure in zip(plans, figures, strict=True):
            if label == "Price":
                assert monthly[label, plan] == (figure if figure == "Custom" else f"{figure} a month")
                assert told["Price a month", plan] == figure.replace("Custom", "contact us")
            elif label == "Price a year":
                once = {"": f"{monthly['Price', plan]}", "Custom": "Custom"}.get(figure, f"{figure} a year")
                assert yearly["Price", plan] == once
                assert told[label, plan] == {"": "not sold by the year", "Custom": "contact us"}.get(figure, figure)
            else:
                assert (label, plan, monthly[label, plan], told[label, plan]) == (label, plan, figure, figure)


@pytest.mark.parametrize("name", shipped.names())
def test_no_figure_of_a_plan_is_missing_from_either_list(
    client: PageClient, on_offer: Callable[[str], None], name: str
) -> None:
    """Counted from the catalogue itself: each limit and each feature has its row on the page and in the Markdown."""
    on_offer(name)
    catalogue = file.read(shipped.text_of(name), currency="usd")
    names = {meter.key: meter.name for meter in catalogue.meters}
    spoken = {"rate": "{} per minute", "count": "{}", "flag": "{}"}

    page, told = page_facts(client, "/pricing"), markdown_facts(client)

    assert {label for label, _ in page} - {"Price"} <= {label for label, _ in told}
    for plan in catalogue.plans:
        for limit in plan.limits:
            title = limit.key.replace("_", " ").capitalize()
            label = names[limit.key] if limit.kind == "allowance" else spoken[limit.kind].format(title)
            figure = "No limit" if limit.amount is None else f"{limit.amount:,}"
            if limit.kind == "flag":
                figure = "Included" if limit.amount else "Not included"
            assert (label, page[label, plan.name], told[label, plan.name]) == (label, figure, figure)
        for feature in plan.features:
            assert (page[feature, plan.name], told[feature, plan.name]) == ("Included", "Included")


@pytest.mark.parametrize("name", shipped.names())
def test_both_lists_show_what_is_sold_beside_plans(
    client: PageClient, on_offer: Callable[[str], None], name: str
) -> None:
    on_offer(name)

    tree = html5lib.parse(client.get("/pricing").text, namespaceHTMLElements=False)
    lines = {words(line[0]): words(line[1]) for bill in of_class(tree, "dl", "bill") for line in bill}
    markdown = client.get("/pricing.md").text

    for thing, price in BESIDE_PLANS[name].items():
        assert lines[thing] == price
        assert f"| {thing} |" in markdown
        assert any(line.startswith(f"| {thing} |") and line.endswith(f"| {price} |") for line in markdown.splitlines())


def test_the_markdown_is_markdown(client: PageClient, on_offer: Callable[[str], None]) -> None:
    on_offer("oper")

    answer = client.get("/pricing.md")

    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.text.startswith("# Pricing\n\nAmounts in US dollars, before tax.\n\n## Plans\n\n| Plan | Free |")
    assert "| Tier | `free` | `developer` | `studio` | `enterprise` |" in answer.text


def test_what_staff_wrote_cannot_break_a_table_or_a_page(client: PageClient, on_offer: Callable[[str], None]) -> None:
    on_offer('[plans.a]\nrank = 0\nname = "A|B<i>"\nmonthly = "1.00"')

    assert "| Plan | A\\|B&lt;i> |" in client.get("/pricing.md").text
    assert "A|B&lt;i&gt;" in client.get("/pricing").text


def test_without_plans_both_say_so(client: PageClient) -> None:
    page, markdown = client.get("/pricing"), client.get("/pricing.md")

    assert (page.status_code, markdown.status_code) == (200, 200)
    assert "No plans yet" in page.text
    assert 'href="/sign-up"' in page.text
    assert "$" not in page.text.split("<main")[1]
    assert "No plans are on offer at the moment." in markdown.text


def test_a_retired_plan_leaves_both_at_once(client: PageClient, on_offer: Callable[[str], None]) -> None:
    on_offer("oper")
    on_offer("cred")

    assert "Developer" not in client.get("/pricing").text
    assert "Developer" not in client.get("/pricing.md").text


def test_the_switch_is_made_of_links_and_says_what_a_year_saves(
    client: PageClient, on_offer: Callable[[str], None]
) -> None:
    on_offer("view")

    page = client.get("/pricing?cycle=yearly").text

    assert '<a href="/pricing"' in page
    assert '<a href="/pricing?cycle=yearly" aria-current="true"' in page
    assert "Yearly, 2 months free" in page
    assert "$24.17 a month" in page


def test_without_a_yearly_price_there_is_no_switch(client: PageClient, on_offer: Callable[[str], None]) -> None:
    on_offer("oper")

    assert "Billing cycle" not in client.get("/pricing").text


def test_the_switch_takes_the_part_alone_where_scripts_run(client: PageClient, on_offer: Callable[[str], None]) -> None:
    on_offer("view")

    part = client.get("/pricing?cycle=yearly", headers={"HX-Request": "true"}).text

    assert part.lstrip().startswith('<div id="pricing"')
    assert "<html" not in part


def test_each_plan_leads_to_where_it_is_bought(client: PageClient, on_offer: Callable[[str], None]) -> None:
    on_offer("agent")

    page = client.get("/pricing").text

    assert page.count('href="/sign-up"') == 1  # the free one begins with an account
    assert 'href="/plan/change?plan=STARTER&amp;interval=month"' in page
    assert "Contact us for a price" in page
    # Signed out it leads there by way of signing in.
    asked = client.get("/plan/change?plan=STARTER&interval=month")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/plan/change?plan%3DSTARTER%26interval%3Dmonth"


def test_whoever_has_a_plan_is_not_offered_it_again(subscriber, ada, client_of) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes("starter")
    browser = client_of(ada)

    page = browser.get("/pricing").text

    assert "Your plan" in page
    assert "plan=starter" not in page
    assert "plan=growth" in page
    assert "Your plan</span>" not in browser.get("/pricing?cycle=yearly").text


def test_whom_a_choice_would_lead_to_a_refusal_is_offered_none(subscriber, cy, support, client_of) -> None:
    for reader in (cy, support):
        page = client_of(reader).get("/pricing").text

        assert "Starter" in page
        assert "/plan/change" not in page
        assert "/credits/packs/" not in page


def test_who_is_signed_in_finds_the_way_back(ada, client_of, on_offer: Callable[[str], None]) -> None:
    on_offer("agent")

    page = client_of(ada).get("/pricing").text

    assert "To your overview" in page
    assert "/sign-up" not in page


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return replace(settings, **getattr(request, "param", {}))


@pytest.mark.parametrize("settings", [{"mail_from": "Sales <sales@example.com>"}], indirect=True)
def test_a_custom_plan_has_an_address_to_write_to(
    app: Flask, client: PageClient, on_offer: Callable[[str], None]
) -> None:
    on_offer("agent")

    assert 'href="mailto:sales@example.com">Contact us</a>' in client.get("/pricing").text
    assert "write to sales@example.com" in client.get("/pricing.md").text
