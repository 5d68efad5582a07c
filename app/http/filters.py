"""Jinja filters: amounts, credits and instants as people read them (SPEC R1, R9). Formatting is cached."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from math import gcd
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_name, get_currency_symbol
from flask import Flask, current_app, has_request_context
from flask_login import current_user
from markupsafe import Markup

from app.clock import zone
from app.config import Settings
from app.money import EXPONENTS, MICROS_PER_UNIT, micros_to_minor, minor_to_micros

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def register(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        money=money, exact=exact, cents=cents, credits=credit_count, number=number,
        day=day, moment=moment, clock=clock_time, day_text=day_text, moment_text=moment_text, printable=printable,
    )  # fmt: skip
    app.jinja_env.globals["currency_sign"] = currency_sign


def money(micros: int, currency: str | None = None, *, sign: bool = False) -> str:
    """Micros as `$1,990.00`, rounded down to whole cents as balances are shown (R1)."""
    currency = currency or default_currency()
    return _amount(minor_to_micros(micros_to_minor(micros, currency), currency), currency, sign)


def exact(micros: int, currency: str | None = None, *, sign: bool = False, places: int = 0) -> str:
    """Micros to the last digit: `−$0.0001`. Never rounded; at least the currency's decimals, and at least `places`."""
    return _amount(micros, currency or default_currency(), sign, places)


def places_of(amounts: Iterable[int]) -> int:
    """How many decimals a column of these micros needs so that its points stand under one another: 2, 4 or 6."""
    smallest = gcd(*amounts)
    return 2 if smallest % 10_000 == 0 else 4 if smallest % 100 == 0 else 6


def cents(minor: int, currency: str | None = None, *, sign: bool = False) -> str:
    """Minor units, as cards and invoices count, as `$1,990.00`."""
    currency = currency or default_currency()
    return _amount(minor_to_micros(minor, currency), currency, sign)


def small_price(hundredths: int, currency: str | None = None) -> str:
    """Hundredths of a minor unit, as prices of single credits are: `0.80¢`, or `€0.008` where there is no ¢."""
    currency = currency or default_currency()
    if currency != "usd":
        return _amount(minor_to_micros(hundredths, currency) // 100, currency, sign=False)
    return f"{hundredths // 100:,}.{hundredths % 100:02d}¢"


def credit_count(count: int, *, sign: bool = False) -> str:
    """`4,005 credits`, `1 credit`: never with a currency sign."""
    return f"{number(count, sign=sign)} {'credit' if abs(count) == 1 else 'credits'}"


def number(count: int, *, sign: bool = False) -> str:
    """A count with thousands separators and the typographic minus."""
    return f"{_signed(count, sign)}{abs(count):,}"


def day(when: datetime | date) -> Markup:
    """`4 Dec 2026` in a <time>, in the reader's zone."""
    local = _local(when) if isinstance(when, datetime) else when
    return Markup('<time datetime="{}">{}</time>').format(local.strftime("%Y-%m-%d"), day_text(when))


def moment(when: datetime) -> Markup:
    """`4 Dec 2026, 14:22` in a <time>, in the reader's zone."""
    return Markup('<time datetime="{}">{}</time>').format(_machine(when), moment_text(when))


def clock_time(when: datetime) -> Markup:
    """`14:22` in a <time>, in the reader's zone."""
    return Markup('<time datetime="{}">{}</time>').format(_machine(when), f"{_local(when):%H:%M}")


def day_text(when: datetime | date) -> str:
    """`4 Dec 2026` as text with no-break spaces."""
    local = _local(when) if isinstance(when, datetime) else when
    return f"{local.day}{NBSP}{MONTHS[local.month - 1]}{NBSP}{local.year}"


def short_day(when: date) -> str:
    """`4 Nov`, for where the year is said beside it or is plain."""
    return f"{when.day}{NBSP}{MONTHS[when.month - 1]}"


def long_day(when: date) -> str:
    """`Sunday 22 Nov`, without the year: it is near."""
    return f"{WEEKDAYS[when.weekday()]} {short_day(when)}"


def moment_text(when: datetime) -> str:
    """`4 Dec 2026, 14:22` as text with no-break spaces."""
    return f"{day_text(when)},{NBSP}{_local(when):%H:%M}"


def printable(text: object) -> str:
    """The text without control characters, which no HTML page may hold: for showing again what somebody typed."""
    return "".join(letter for letter in str(text) if letter.isprintable() or letter in "\n\t")


def reader_zone() -> ZoneInfo:
    """The signed-in person's time zone; UTC for everyone else and for a zone this machine does not know."""
    name = getattr(current_user, "time_zone", None) if has_request_context() else None
    return zone(name or "UTC")


def default_currency() -> str:
    """The installation's currency, lower case."""
    settings: Settings = current_app.extensions["settings"]
    return settings.currency


def currency_sign(currency: str | None = None) -> str:
    """`$`, as it stands before a field for money."""
    return get_currency_symbol((currency or default_currency()).upper(), locale="en_US")


def currency_name(currency: str | None = None) -> str:
    """`US dollars`, for the footer that says once what every amount is in."""
    return get_currency_name((currency or default_currency()).upper(), count=2, locale="en_US")


@lru_cache(maxsize=8192)
def _amount(micros: int, currency: str, sign: bool, places: int = 0) -> str:
    whole, part = divmod(abs(micros), MICROS_PER_UNIT)
    decimals = f"{part:06d}".rstrip("0").ljust(max(EXPONENTS[currency], places), "0")
    figures = f"{whole:,}.{decimals}" if decimals else f"{whole:,}"
    return f"{_signed(micros, sign)}{get_currency_symbol(currency.upper(), locale='en_US')}{figures}"


def _signed(amount: int, sign: bool) -> str:
    if amount < 0:
        return MINUS
    return "+" if sign and amount > 0 else ""


def _local(when: datetime) -> datetime:
    return when.astimezone(reader_zone())


def _machine(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
