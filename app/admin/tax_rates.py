"""Staff: the tax rates that our own invoices charge, by place and kind of buyer. Admins set and end them (SPEC I2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.admin import before_after, words
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.admin.typed import Typed
from app.catalogue.difference import Differing
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import csv_file, hx
from app.invoices import countries, rates
from app.invoices.models import TaxRate
from app.invoices.rates import Wanted

pages = Blueprint("admin_tax_rates", __name__)

BUYERS = (("", "Anyone"), ("business", "Businesses"), ("person", "Persons"))
FIELDS = ("name", "percent", "country", "region", "customer_type", "number")
_COLUMNS: dict[str, Callable[[TaxRate], object]] = {
    "id": lambda rate: rate.id,
    "name": lambda rate: rate.name,
    "percent": lambda rate: csv_file.Figure(rates.percent(rate.rate_ppm)),
    "country": lambda rate: rate.country,
    "region": lambda rate: rate.region,
    "buyers": lambda rate: dict(BUYERS)[rate.customer_type],
    "number": lambda rate: rate.number,
    "reverse_charge": lambda rate: "yes" if rate.reverse_charge else "no",
    "since": lambda rate: csv_file.instant(rate.valid_from),
    "until": lambda rate: csv_file.instant(rate.valid_until),
}


@pages.get("/admin/tax-rates")
@staff_reads
def index() -> str:
    """The rates in force and to come, and the form for another."""
    return _page(Typed({}))


@pages.get("/admin/tax-rates.csv")
@staff_reads
def index_csv() -> Response:
    """The same rates as a file."""
    session = db.session()
    return csv_file.of_list(session, "tax-rates", _COLUMNS, lambda _: (rates.listed(session), None))


@pages.post("/admin/tax-rates")
@staff_edits_catalogue
def create() -> Response | str:
    """Charge a rate from now on, once what it replaces has been shown; one of the same name, place and buyers ends."""
    typed = Typed(request.form)
    try:
        wanted = rates.checked(_wanted(typed))
        facts = _facts(wanted)
        if not before_after.was_shown(facts):
            return hx.answer(_page(typed, facts))
        with transaction(db.session):
            rate = rates.set_rate(db.session(), **asdict(wanted), actor=actor())
    except Refusal as refusal:
        typed.wrong(refusal.field if refusal.field in FIELDS else "name", refusal.sentence)
        return hx.answer(_page(typed), 422)
    flash(f"{rate.name} {rates.percent(rate.rate_ppm)}% is charged from now on", "pos")
    return hx.go(url_for(".index"))


@pages.post("/admin/tax-rates/<rate_id>/end")
@staff_edits_catalogue
def end(rate_id: str) -> Response:
    """Charge it no longer."""
    with transaction(db.session):
        rate = rates.end_rate(db.session(), rate_id, actor=actor())
    flash(f"{rate.name} {rates.percent(rate.rate_ppm)}% is charged no longer", "pos")
    return hx.go(url_for(".index"))


def place(country: str, region: str) -> str:
    """`Canada, QC`, or everywhere."""
    name = countries.names().get(country, country)
    return ", ".join(part for part in (name, region) if part) or "Everywhere"


def _wanted(typed: Typed) -> Wanted:
    """What was typed. Raises Invalid for a percentage that is none."""
    return Wanted(
        name=typed.line("name"),
        rate_ppm=rates.parse_percent(typed.line("percent")),
        country=typed.line("country"),
        region=typed.line("region"),
        customer_type=typed.line("customer_type"),
        number=typed.line("number") or None,
        reverse_charge=typed.ticked("reverse_charge"),
    )


def _facts(wanted: Wanted) -> Differing:
    """The rate as it is now, and as it would be; empty when it is so already."""
    where = f"{wanted.name}, {place(wanted.country, wanted.region)}"
    before = "; ".join(old.told() for old in rates.replaced_by(db.session(), wanted))
    return () if before == wanted.told() else ((where, before, wanted.told()),)


def _page(typed: Typed, facts: Differing | None = None) -> str:
    return render_template(
        "admin/tax_rates/index.html",
        rates=rates.listed(db.session()),
        typed=typed,
        facts=facts,
        confirmed=before_after.shown(facts),
        affects="Invoices from now on are made with it. Those that were made stay as they are.",
        label="Charge it from now on",
        happened=words.of_group(db.session(), "tax_rate."),
        percent=rates.percent,
        place=place,
        buyers=BUYERS,
        countries=[("", "Everywhere"), *countries.names().items()],
        may_edit=may_edit_catalogue(),
    )
