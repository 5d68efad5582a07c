"""An independent recount of the dashboard: each figure worked out anew in plain Python from the rows themselves.

Nothing that the dashboard asks is asked here: whole tables are read, and sums, states and coupons are made by hand,
with fractions. Then each figure's link is followed, and the list must count and add up to the same.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app.db import Base
from tests.support.page_figures import Figures, amounts, count, money, said

MICROS = 10_000  # of a cent
SPENT = {"debit", "invocation", "overage", "compute", "identity", "llm", "subscription", "invoice", "pack"}


class Rows:
    """Every row of the tables that the figures are made of."""

    def __init__(self, session: Session) -> None:
        session.rollback()
        self._session = session
        self.now = the_clock.now()
        self.legs = [row for row in self.of("ledger_leg") if row.seq is not None]
        self.plans = {row.id: row for row in self.of("plan")}

    def of(self, table: str) -> list[Any]:
        found: Table = Base.metadata.tables[table]
        return list(self._session.execute(select(found)).all())

    def balances(self, account: str) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for leg in self.legs:
            if leg.account == account:
                sums[leg.customer_id] += leg.amount
        return sums

    def held(self, account: str) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for hold in self.of("ledger_hold"):
            if hold.state == "held" and hold.account == account:
                sums[hold.customer_id] += hold.amount
        return sums

    def state_of(self, subscription: Any) -> str:
        if subscription.ended_at is not None:
            return "canceled"
        if subscription.cancel_at_period_end and subscription.period_end <= self.now:
            return "canceled"
        if subscription.status == "past_due" and subscription.grace_ends_at <= self.now:
            return "restricted"
        return str(subscription.status)

    def monthly(self) -> list[Fraction]:
        """What each paid subscription comes to in a month, in cents."""
        found = []
        for each in self.of("subscription"):
            if self.state_of(each) in ("active", "past_due") and each.price_minor > 0:
                left = each.price_minor - self._off(each)
                found.append(Fraction(left, 12 if each.interval == "year" else 1))
        return found

    def _off(self, subscription: Any) -> int:
        running = [
            each
            for each in self.of("coupon_redemption")
            if each.subscription_id == subscription.id and each.state == "redeemed" and each.left != 0
        ]
        if not running:
            return 0
        newest = max(running, key=lambda each: (each.finished_at, each.id))
        [coupon] = [each for each in self.of("coupon") if each.id == newest.coupon_id]
        plans = coupon.scope.get("plans") if coupon.scope else []
        if plans is None or (plans and self.plans[subscription.plan_id].key not in plans):
            return 0
        if coupon.kind == "percent":
            return rounded(Fraction(subscription.price_minor * coupon.value, 100))
        return min(subscription.price_minor, coupon.value) if coupon.kind == "amount" else 0


def rounded(value: Fraction) -> int:
    """To the nearest whole number, halves upwards."""
    return int((value * 2 + 1) // 2)


def check(browser: FlaskClient, session: Session) -> None:
    """Every figure of the dashboard, and every list it leads to, against the rows."""
    page = Seen(browser, "/admin")
    rows = Rows(session)
    _check_revenue(page, rows)
    _check_what_is_owed(page, rows)
    _check_days(page, rows)
    _check_what_waits(page, rows)


class Seen(Figures):
    """A page of the back office, with a browser to go on from it."""

    def __init__(self, browser: FlaskClient, address: str) -> None:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        super().__init__(answer.text)
        self.browser = browser

    def link(self, words: str, nth: int = 0) -> str:
        """Where the link inside the element that begins with these words leads."""
        for tag in ("div", "tr"):
            for each in self.tree.iter(tag):
                if said(each).startswith(words) and (found := list(each.iter("a"))):
                    return str(found[nth].get("href"))
        raise AssertionError(f"nothing leads on from {words!r}")

    def follow(self, words: str, nth: int = 0) -> Seen:
        return Seen(self.browser, self.link(words, nth))

    def sums(self) -> str:
        return said(self.by_id("sums"))

    def file(self) -> list[dict[str, str]]:
        """The list as its file says it, all pages together."""
        [link] = [one.get("href") or "" for one in self.tree.iter("a") if one.get("download") is not None]
        return list(csv.DictReader(io.StringIO(self.browser.get(link).get_data(as_text=True))))


def _check_revenue(page: Seen, rows: Rows) -> None:
    monthly = rows.monthly()
    told, note = page.stats()["Monthly recurring"]
    listed = page.follow("Monthly recurring")
    in_file = [Fraction(row["a_year"]) * 100 / 12 for row in listed.file()]

    expected = (len(monthly), rounded(sum(monthly, Fraction())) * MICROS)
    assert (count(note), money(told)) == expected
    assert (len(in_file), rounded(sum(in_file, Fraction())) * MICROS) == expected
    if monthly:
        assert (count(listed.sums()), money(listed.sums())) == expected
    states = [rows.state_of(each) for each in rows.of("subscription")]
    right_now = page.bill("Right now")
    for heading, word, state in (
        ("Active subscriptions", "Active subscriptions", "active"),
        ("Past due", "Past due full access, a payment failed", "past_due"),
        ("Grace period over", "Grace period over restricted until paid", "restricted"),
    ):
        assert count(right_now[word]) == states.count(state), word
        assert len(page.follow(heading).file()) == states.count(state), word


def _check_what_is_owed(page: Seen, rows: Rows) -> None:
    for label, account, unit in (("Held for customers", "wallet", money), ("Credits not spent", "credits", count)):
        balances, held = rows.balances(account), rows.held(account)
        some = {whose for whose in {*balances, *held} if balances.get(whose) or held.get(whose)}
        told, note = page.stats()[label]
        listed = page.follow(label)
        assert (count(note), unit(told)) == (len(some), sum(balances.values())), label
        if some:
            sums = listed.sums()
            assert (count(sums), unit(sums.partition(",")[2])) == (len(some), sum(balances.values())), label
        assert {row["customer_id"] for row in listed.file()} == some
    balances, held = rows.balances("wallet"), rows.held("wallet")
    below = {whose: balance for whose, balance in balances.items() if balance < 0}
    bill = page.bill("Right now")
    assert money(bill[f"Wallets below zero {len(below):,}, owed to us"]) == sum(below.values())
    assert micros(page.follow("Wallets below zero").file(), "balance") == sum(below.values())
    assert money(bill["Held in wallets set aside, not spent yet"]) == sum(held.values())
    assert micros(page.follow("Held in wallets").file(), "held") == sum(held.values())


def micros(rows: Iterable[dict[str, str]], column: str) -> int:
    return int(sum((Fraction(row[column]) for row in rows), Fraction()) * 1_000_000)


def _check_days(page: Seen, rows: Rows) -> None:
    last = rows.now.date()
    days: dict[date, list[int]] = {last - timedelta(days=number): [0, 0, 0, 0] for number in range(30)}
    for leg in rows.legs:
        sums = days.get(leg.recorded_at.date())
        if sums is None or leg.account != "wallet":
            continue
        if leg.kind == "topup":
            sums[0] += 1
            sums[1] += leg.amount
        elif leg.kind in SPENT:
            sums[2] += 1
            sums[3] -= leg.amount
    head, *lines, foot = page.table("Last 30 days")
    assert head[0] == "Day, UTC"
    told = [[count(line[1]), money(line[2]), count(line[3]), money(line[4])] for line in lines]
    assert told == list(days.values())
    whole = [sum(column) for column in zip(*days.values(), strict=True)]
    assert [count(foot[1]), money(foot[2]), count(foot[3]), money(foot[4])] == whole
    busy = [place for place, sums in enumerate(days.values()) if sums[0] or sums[2]]
    for place in [*busy[:3], *busy[-1:]]:
        _check_lists(page, lines[place][0], list(days.values())[place])
    _check_lists(page, "Total", whole)


def _check_lists(page: Seen, row: str, sums: list[int]) -> None:
    """The transactions behind a day's two amounts: as many, and as much, by the page's own sum and in its file."""
    [line] = [each for each in page.tree.iter("tr") if said(each).startswith(f"{row} ") or said(each).startswith(row)][
        :1
    ]
    links = [str(one.get("href")) for one in line.iter("a")]
    for link in links:
        number, amount = sums[:2] if "type=topup" in link else sums[2:]
        listed = Seen(page.browser, link)
        if number:
            came, went = amounts(listed.sums())
            assert (count(listed.sums()), came - went) == (number, amount), link
        in_file = listed.file()
        assert (len(in_file), abs(micros(in_file, "amount"))) == (number, amount), link
    wanted = ("type=topup" if sums[0] else "", "type=spending" if sums[2] else "")
    assert all(any(word in link for link in links) for word in wanted if word)


def _check_what_waits(page: Seen, rows: Rows) -> None:
    failed = [each for each in rows.of("invoice") if each.status == "open" and each.failed_at is not None]
    due = sum(each.total_minor - each.paid_minor - each.credited_minor for each in failed) * MICROS
    told, note = page.stats()["Failed payments"]
    assert (count(note), money(told)) == (len(failed), due)
    listed = page.follow("Failed payments")
    assert (len(listed.file()), micros(listed.file(), "due")) == (len(failed), due)
    if failed:
        assert (count(listed.sums()), money(listed.sums())) == (len(failed), due)

    attention = {line[0]: line[1] for line in page.table("Needs a person")[1:]}
    live = [each for each in rows.of("dispute") if each.phase in ("inquiry", "open")]
    disputed = sum(each.amount_minor for each in live) * MICROS
    labels = [label for label in attention if label.startswith("Disputes not decided")]
    assert [(count(label), money(attention[label])) for label in labels] == ([(len(live), disputed)] if live else [])
    cases = [label for label in attention if label.startswith("Dispute, ")]
    assert len(cases) == min(5, len(live))
    assert sum("evidence due" in label for label in cases) == min(5, sum(each.due_by is not None for each in live))
    if live:
        sums = page.follow("Disputes not decided").sums()
        assert (count(sums), money(sums)) == (len(live), disputed)
    _check_refunds(page, rows)
    _check_messages(page, rows, attention)
    waiting = [each for each in rows.of("adjustment") if each.state == "waiting"]
    told = [value for label, value in attention.items() if label.startswith("Adjustments to decide")]
    assert told == ([f"{len(waiting):,}"] if waiting else [])
    assert all(re.search(r"[1-9]", value) for value in attention.values()), "what is nothing needs nobody"
    assert bool(attention) != ("Nothing needs a person" in said(page.panel("Needs a person")))


def _check_refunds(page: Seen, rows: Rows) -> None:
    asked = [each for each in rows.of("refund") if each.state == "requested"]
    wanted = sum(each.amount_minor for each in asked) * MICROS
    told = page.bill("Right now")[f"Refunds to decide {len(asked):,} waiting"]
    listed = page.follow("Refunds to decide")
    assert money(told) == wanted
    assert (len(listed.file()), micros(listed.file(), "amount")) == (len(asked), wanted)
    if asked:
        assert (count(listed.sums()), money(listed.sums())) == (len(asked), wanted)


def _check_messages(page: Seen, rows: Rows, attention: dict[str, str]) -> None:
    for name, table, over in (("Webhooks", "provider_event", "dead"), ("Outgoing", "webhook_delivery", "gave_up")):
        found = rows.of(table)
        waiting = [each for each in found if each.state == "pending"]
        tried = [each for each in waiting if (each.error if table == "provider_event" else each.tries)]
        given_up = sum(each.state == over for each in found)
        for words, state, there, needed in (
            (f"{name} under way", "pending", len(waiting), bool(tried)),
            (f"{name} given up", over, given_up, bool(given_up)),
        ):
            labels = [label for label in attention if label.startswith(words)]
            assert [count(attention[label]) for label in labels] == ([there] if needed else [])
            if needed:
                assert re.search(rf"[?&]state={state}\b", page.link(words))
            if needed and state == "pending":
                assert count(labels[0]) == len(tried)
                assert "oldest waits since" in labels[0]
    audits = [each for each in rows.of("activity") if each.action.startswith("books.")]
    [books] = [value for label, value in page.bill("Right now").items() if label.startswith("Books")]
    faults = max(audits, key=lambda each: (each.at, each.id)).details.get("fault_count", 0) if audits else 0
    assert books == (
        "Audit" if not audits else f"{faults} faults" if faults > 1 else "1 fault" if faults else "No fault"
    )
