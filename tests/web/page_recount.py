"""Checking pages against raw rows: every number read back from the HTML is what events and the ledger come to.

Nothing the pages ask is asked here: events, ledger legs and holds are summed row by row, and projections are made of
fractions.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import clock as the_clock
from app.metering.models import UsageEvent
from tests.support import recount
from tests.support.page_figures import Figures, amounts, count, money
from tests.support.people import Person
from tests.web.model_recount import check_models
from tests.web.raw_books import Books

DAY = timedelta(days=1)
FROM_WALLET = {"views", "calls"}  # Ada's views in the demo, and the calls of the random ones


def over(events: list[UsageEvent]) -> tuple[int, int, int]:
    """Units, units beyond the allowance, and what those cost in micros."""
    return (
        sum(event.quantity for event in events),
        sum(event.over for event in events),
        sum(event.over_micros for event in events),
    )


def heading(events: list[UsageEvent], every: list[UsageEvent], start: datetime, end: datetime) -> int:
    """What the period comes to when the last seven full days go on: worked out with fractions."""
    now = the_clock.now()
    midnight = datetime.combine(now.date(), time(), UTC)
    used = sum(event.quantity for event in events)
    # As the page says: of the last full days, up to seven, since the first use of the last fourteen.
    full = [date.fromisoformat(event.day) for event in every if event.day < now.date().isoformat()]
    full = [day for day in full if day >= now.date() - 14 * DAY]
    if not full:
        return used
    days = min(7, (now.date() - min(full)).days)
    recent = [e.quantity for e in every if now.date() - days * DAY <= date.fromisoformat(e.day) < now.date()]
    today = sum(event.quantity for event in every if event.day == now.date().isoformat())
    left = end - max(midnight, start)
    expected = Fraction(sum(recent) * (left // timedelta(seconds=1)), days * 86_400)
    return max(used, used - min(today, used) + int(expected + Fraction(1, 2)))


def check_pages(client_of, session: Session, who: Person) -> None:
    """Read every page of this customer's usage and their overview, and compare each number."""
    browser, books = client_of(who), Books(session, who.customer_id)
    session.rollback()
    assert recount.faults(session, who.customer_id) == []

    def shown(address: str, **query: str) -> str:
        # Without the house rules, which other tests hold these pages to.
        answer = FlaskClient.open(browser, address, query_string=query)
        assert answer.status_code == 200, (address, query)
        return answer.text

    check_overview(Figures(shown("/")), books)
    check_credits(Figures(shown("/credits")), books)
    check_models(shown, books)
    now = books.standing.period.start
    for start in {*books.periods, now}:
        period = the_clock.timestamp(start)
        page = Figures(shown("/usage", period=period))
        check_meters(page, books, start, is_now=start == now)
        check_stats(page, books, start, is_now=start == now)
        check_other_periods(page, books, start)
        for meter in books.periods.get(start, ()):
            # Most of a chart is its table's numbers again: one of each period is enough.
            for view in ("chart", "table") if meter == min(books.periods[start]) else ("table",):
                days = Figures(shown("/usage/days", period=period, meter=meter, view=view))
                check_one(days, books, start, meter)
        check_csv(shown("/usage.csv", period=period), books, start)


def check_one(page: Figures, books: Books, start: datetime, meter: str) -> None:
    events = books.events(start, meter)
    name = next(one for one, key in books.keys.items() if key == meter)
    check_days(page, f"{name} by day", events, start)
    check_sources(page, f"{name} by source", events)


def check_meters(page: Figures, books: Books, start: datetime, *, is_now: bool) -> None:
    keys = books.keys
    for name, row in page.meters().items():
        if name not in keys:
            continue  # a fixed limit: nothing of it is in events
        events = books.events(start, keys[name])
        used, _, micros = over(events)
        assert count(row[2]) == used, name
        if "$" in row[4]:
            assert money(row[4]) == micros, name
        else:
            assert micros == 0, name
        if row[0].endswith(" over"):
            assert count(row[0]) == used - count(row[3]), name
        elif row[0].endswith("% used"):
            assert count(row[0]) == used * 100 // count(row[3]), name
        if is_now:
            check_heading(row, books, events, keys[name], micros)
    assert set(books.periods.get(start, ())) <= {keys.get(name) for name in page.meters()}


def check_heading(row: list[str], books: Books, events: list[UsageEvent], meter: str, micros: int) -> None:
    now = books.standing
    every = [event for period in books.periods.values() for event in period.get(meter, ())]
    total = heading(events, every, now.period.start, now.period.end)
    used = sum(event.quantity for event in events)
    if "Stops at" in row[1]:
        total = max(used, min(total, count(row[3])))
    assert ("Heading for" in row[1]) == (total > used), row
    if total > used:
        assert count(row[1]) == total
    terms = now.plan.limit("allowance", meter)
    if terms.overage_micros and terms.amount is not None:
        more = max(0, total - max(terms.amount, used)) * terms.overage_micros
        assert (f"about {cents(micros + more)} by" in row[5]) == (more > 0), row


def check_stats(page: Figures, books: Books, start: datetime, *, is_now: bool) -> None:
    events = [event for of_meter in books.periods.get(start, {}).values() for event in of_meter]
    micros = over(events)[2]
    stats = page.stats()
    if not stats:
        assert micros == 0
        return
    figure, note = stats["Overage so far" if is_now else "Overage"]
    assert money(figure) == micros
    wallet = sum(event.over_micros for event in events if event.meter in FROM_WALLET)
    if wallet:
        held = min(wallet, books.held("overage:")) if is_now else 0
        assert amounts(note)[: 1 + bool(held)] == [wallet - held, held][: 1 + bool(held)]
    if "Wallet available" in stats:
        shown = money(stats["Wallet available"][0])
        assert 0 <= books.balance("wallet") - books.held() - shown < 10_000


def check_days(page: Figures, heading: str, events: list[UsageEvent], start: datetime) -> None:
    by_day: dict[str, list[UsageEvent]] = defaultdict(list)
    for event in events:
        by_day[event.day if event.day >= start.date().isoformat() else "late"].append(event)
    rows = page.table(heading)
    if not rows:  # the chart
        shown = {bar.split(": ")[0]: count(bar.split(": ")[1]) for bar in page.bars()}
        counted = {short(day): over(of_day)[0] for day, of_day in by_day.items() if day != "late"}
        assert {day: number for day, number in shown.items() if number} == counted
        return
    running, seen = 0, set()
    for cells in reversed(rows[1:-1]):
        key = "late" if cells[0].startswith("Before") else day_of(cells[0])
        used, beyond, micros = over(by_day.get(key, []))
        running += used
        seen.add(key)
        assert [count(cells[1]), count(cells[2]), count(cells[3]), money(cells[4])] == [used, running, beyond, micros]
    assert set(by_day) <= seen
    used, beyond, micros = over(events)
    assert [count(rows[-1][1]), count(rows[-1][3]), money(rows[-1][4])] == [used, beyond, micros]


def check_sources(page: Figures, heading: str, events: list[UsageEvent]) -> None:
    by_source: dict[str, list[UsageEvent]] = defaultdict(list)
    for event in events:
        by_source[event.source or "No source named"].append(event)
    rows = page.table(heading)[1:]
    assert {row[0] for row in rows[:-1]} == set(by_source)
    for name, quantity, share, beyond, cost in rows:
        of_source = over(by_source.get(name, events))
        assert (count(quantity), count(beyond), money(cost)) == of_source
        assert abs(count(share) - of_source[0] * 100 / over(events)[0]) <= 0.5 or share == "under 1%"


def check_other_periods(page: Figures, books: Books, start: datetime) -> None:
    others = {begun: meters for begun, meters in books.periods.items() if begun != start}
    rows = page.table("Earlier periods")[1:] or page.table("Other periods")[1:]
    assert len(rows) == len(others)
    for row, begun in zip(rows, sorted(others, reverse=True), strict=True):
        sums = [over(events) for events in others[begun].values()]
        assert sorted(count(part.split(": ")[1]) for part in row[1].split(", ") if ": " in part) == sorted(
            used for used, _, _ in sums
        )
        assert money(row[2]) == sum(micros for _, _, micros in sums)


def check_csv(text: str, books: Books, start: datetime) -> None:
    lines = [line.split(",") for line in text.splitlines()[1:]]
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in lines:
        for place, number in enumerate((int(line[3]), int(line[4]), money("$" + line[5]))):
            sums[line[0]][place] += number
    assert {meter: tuple(kept) for meter, kept in sums.items()} == {
        meter: over(events) for meter, events in books.periods.get(start, {}).items()
    }


def check_overview(page: Figures, books: Books) -> None:
    wallet, held = books.balance("wallet"), books.held()
    bill = page.bill("Wallet")
    assert money(bill["Balance"]) == wallet
    assert money(bill["Held"]) == -held
    assert 0 <= wallet - held - money(page.figure("Wallet")) < 10_000
    assert count(page.figure("Credits")) == books.balance("credits")
    now = books.standing.period.start
    if page.meters():
        check_meters(page, books, now, is_now=False)
    check_activity(page, books)


def check_credits(page: Figures, books: Books) -> None:
    legs, month = books.legs("credits"), f"{the_clock.now():%B}"
    spent = [leg for leg in legs if leg.kind == "credit_spend"]
    this_month = [leg for leg in legs if leg.occurred_at >= the_clock.now().replace(day=1, hour=0, minute=0, second=0)]
    spends = [leg.amount for leg in this_month if leg.kind == "credit_spend"]
    returns = [leg.amount for leg in this_month if leg.reverses in {one.id for one in spent}]
    check_ins = [leg.amount for leg in this_month if leg.kind == "checkin"]
    stats = page.stats()
    assert count(stats["Balance"][0]) == sum(leg.amount for leg in legs)
    figure, uses = stats[f"Used in {month}"]
    assert (count(figure), count(uses)) == (-sum(spends) - sum(returns), len(spends))
    assert (f"{len(returns)} returned" in uses) == bool(returns)
    if f"Earned by check-in in {month}" in stats:
        figure, days = stats[f"Earned by check-in in {month}"]
        assert (count(figure), count(days)) == (sum(check_ins), len(check_ins))
    balances, running = [], 0
    for leg in reversed(legs):
        running += leg.amount
        balances.append((leg.amount, running))
    rows = page.table("History")[1:]
    assert [(count(row[3]), count(row[4])) for row in rows] == balances[::-1][:50]
    ends = [page.bill("Credits that end")] if page.has_panel("Credits that end") else []
    ending = [amount for _, amount in sorted(books.ending())]
    assert [count(text) for bill in ends for text in bill.values()] == ending[:12]


def check_activity(page: Figures, books: Books) -> None:
    lines = [(leg.occurred_at, "$", leg.amount) for leg in books.legs("wallet")[:5]]
    lines += [(leg.occurred_at, "credits", leg.amount) for leg in books.legs("credits")[:5]]
    newest = sorted((when for when, _, _ in lines), reverse=True)[:5]
    rows = page.table("Recent activity")[1:]
    assert len(rows) == len(newest)
    possible = [(unit, amount) for when, unit, amount in lines if when >= newest[-1]]
    for _, _, change in rows:
        found = ("$", money(change)) if "$" in change else ("credits", count(change))
        assert found in possible
        possible.remove(found)


def cents(micros: int) -> str:
    whole = int(Fraction(micros, 10_000) + Fraction(1, 2))
    return f"${whole // 100:,}.{whole % 100:02d}"


def short(day: str) -> str:
    """`4 Nov`, as the chart writes the day."""
    found = date.fromisoformat(day)
    return f"{found.day} {found:%b}"


def day_of(text: str) -> str:
    """The day of a table's first cell, `4 Nov 2026, so far`."""
    return datetime.strptime(text.split(",", maxsplit=1)[0], "%d %b %Y").date().isoformat()  # noqa: DTZ007
