"""A statement as it is read: every figure and date as text, the same on the page, in the PDF and in the CSV (SPEC W8).

Its times are UTC, and nothing on it can change later: not the customer's name, not the time zone they read in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.credits import words as credit_words
from app.credits.accounts import credits_of
from app.http import csv_file
from app.http.filters import MONTH_NAMES, day_text, exact
from app.ledger import Line
from app.wallet import reads
from app.wallet.accounts import wallet_of
from app.wallet.statements import Month, Part, lines, part

AT_ONCE = 500
HEADING = ("account", "id", "time", "type", "title", "detail", "amount", "balance_after", "unit")

Said = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One movement."""

    at: str
    title: str
    detail: str
    amount: str
    balance: str
    is_credit: bool


@dataclass(frozen=True)
class Section:
    """One account's month as text."""

    name: str
    unit: str
    part: Part
    opening: str
    closing: str
    change: str
    say: Callable[[Line], Said]
    show: Callable[..., str]

    def rows(self, session: Session, *, skip: int = 0, limit: int = 10**9) -> Iterator[Row]:
        """Its movements, oldest first."""
        for line in self.lines(session, skip=skip, limit=limit):
            title, detail = self.say(line)
            amount, balance = self.show(line.amount, sign=True), self.show(line.balance_after)
            yield Row(moment(line.recorded_at), title, detail, amount, balance, line.amount > 0)

    def lines(self, session: Session, *, skip: int = 0, limit: int = 10**9) -> Iterator[Line]:
        last = min(self.part.count, skip + limit)
        while skip < last:
            found = lines(session, self.part, skip=skip, limit=min(AT_ONCE, last - skip))
            # A long file must not hold one read transaction open all the while.
            session.rollback()
            yield from found
            skip += AT_ONCE


def sections(session: Session, customer_id: str, currency: str, month: Month) -> list[Section]:
    """The wallet, and the credits of who ever had any."""
    money = part(session, wallet_of(customer_id, currency), month)
    units = part(session, credits_of(customer_id), month)
    made = [_section("Wallet", currency.upper(), money, reads.line_title, lambda n, **how: exact(n, currency, **how))]
    if units.until or units.opening:
        made.append(_section("Credits", "credits", units, credit_words.line_title, _units))
    return made


def csv_rows(session: Session, sections: Sequence[Section]) -> Iterator[Sequence[object]]:
    """Each section's opening balance, its movements and its closing balance."""
    for one in sections:
        month, cell = one.part.month, csv_file.decimal if one.name == "Wallet" else _whole
        fixed = (one.name.lower(),)
        yield (*fixed, "", stamp(month.start), "opening", "Opening balance", "", "", cell(one.part.opening), one.unit)
        for line in one.lines(session):
            said = (line.entry_id, stamp(line.recorded_at), line.kind, *one.say(line))
            yield (*fixed, *said, cell(line.amount), cell(line.balance_after), one.unit)
        yield (*fixed, "", stamp(month.end), "closing", "Closing balance", "", "", cell(one.part.closing), one.unit)


def title_of(month: Month) -> str:
    """`March 2026`."""
    return f"{MONTH_NAMES[month.start.month - 1]} {month.start.year}"


def span_of(month: Month) -> str:
    """`1 Mar 2026 to 31 Mar 2026`, both days included."""
    return f"{day_text(month.start.date())} to {day_text((month.end - timedelta(days=1)).date())}"


def moment(instant: datetime) -> str:
    """`4 Nov 2026, 14:22`, in UTC."""
    here = instant.astimezone(UTC)
    return f"{day_text(here.date())}, {here:%H:%M}"


def stamp(instant: datetime) -> str:
    """For the CSV: to the microsecond, so that its order can be seen."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _section(name: str, unit: str, found: Part, say: Callable[[Line], Said], show: Callable[..., str]) -> Section:
    return Section(
        name, unit, found, show(found.opening), show(found.closing), show(found.change, sign=True), say, show
    )


def _units(amount: int, *, sign: bool = False) -> str:
    figures = f"{abs(amount):,}"
    return f"\N{MINUS SIGN}{figures}" if amount < 0 else f"+{figures}" if sign and amount else figures


def _whole(amount: int) -> csv_file.Figure:
    return csv_file.Figure(str(amount))
