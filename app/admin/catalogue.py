"""Staff: the catalogue's front page: what is on sale, what hinders a sale, and who changed what."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, render_template, request, url_for
from sqlalchemy.orm import Session

from app import activity, clock
from app.activity.models import Activity
from app.admin import words
from app.admin.provider_ids import lacking, packs_lacking
from app.admin.roles import may_edit_catalogue, staff_reads
from app.admin.row_kinds import KINDS, PLURAL_OF, SLASH
from app.admin.words import Told
from app.catalogue import edit, reads
from app.catalogue.terms import Catalogue
from app.coupons import reads as coupons
from app.extensions import db
from app.http import hx
from app.invoices import rates
from app.ledger import HOUSE

pages = Blueprint("admin_catalogue", __name__)

PER_PAGE = 15


@dataclass(frozen=True, slots=True)
class OnSale:
    """How many of something there are, and where they are listed."""

    title: str
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class Happened:
    """A change of the catalogue: in words, every before and after, and the page of what was changed, if it has one."""

    told: Told
    what: str
    href: str
    facts: list[tuple[str, str, str]]


@pages.get("/admin/catalogue")
@staff_reads
def show() -> Response | str:
    """What is on sale, warnings, and the latest changes; older ones page by page."""
    before = request.args.get("before") or None
    page = activity.of_everyone(db.session(), customer_id=HOUSE, action="catalogue.", before=before, limit=PER_PAGE)
    history = {
        "happened": _happened(db.session(), page.lines),
        "older": url_for(".show", before=page.older) if page.older else "",
        "newest": url_for(".show") if before else "",
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/catalogue/_history.html", **history))
    live = reads.whole(db.session())
    return render_template(
        "admin/catalogue/show.html",
        on_sale=_on_sale(live),
        warnings=_warnings(live),
        check_in=live.check_in,
        may_edit=may_edit_catalogue(),
        **history,
    )


def _on_sale(live: Catalogue) -> list[OnSale]:
    now = clock.now()
    usable = [each for each in coupons.listed(db.session()) if coupons.state_of(each.coupon, now) == "active"]
    rows = {
        "packs": live.packs,
        "meters": live.meters,
        "actions": live.actions,
        "services": live.services,
        "llm-prices": live.llm_prices,
    }
    return [
        OnSale("Plans", len(live.plans), url_for("admin_plans.index")),
        *(
            OnSale(KINDS[plural].title, len(of), url_for("admin_rows.index", plural=plural))
            for plural, of in rows.items()
        ),
        OnSale("Coupons", len(usable), url_for("admin_coupons.index")),
        OnSale("Tax rates", len(rates.listed(db.session())), url_for("admin_tax_rates.index")),
    ]


def _warnings(live: Catalogue) -> list[tuple[str, str, str]]:
    """What hinders a sale: of what, the sentence, and where it is put right."""
    providers = current_app.extensions["providers"]
    told = []
    if not live.plans:
        told.append(("Plans", "There is no plan on offer: nobody can subscribe.", url_for("admin_plans.index")))
    for plan in live.plans:
        href = url_for("admin_plans.show", plan_id=plan.id)
        told += [(plan.name, sentence, href) for sentence in lacking(db.session(), plan, providers)]
    if live.packs:
        packs = url_for("admin_rows.index", plural="packs")
        told += [("Credit packs", sentence, packs) for sentence in packs_lacking(live.packs, providers)]
    return told


def _happened(session: Session, lines: list[Activity]) -> list[Happened]:
    plan_ids = {plan.key: plan.id for plan, _ in edit.every_plan(session)}
    return [
        Happened(told, line.subject.partition(":")[2], _href(line.subject, plan_ids), _facts(line))
        for line, told in zip(lines, words.told(session, lines), strict=True)
    ]


def _href(subject: str, plan_ids: dict[str, str]) -> str:
    kind, _, key = subject.partition(":")
    if kind == "plan" and key in plan_ids:
        return url_for("admin_plans.show", plan_id=plan_ids[key])
    if kind in PLURAL_OF:
        return url_for("admin_rows.show", plural=PLURAL_OF[kind], key=key.replace("/", SLASH))
    return url_for("admin_check_in.show") if kind == "check-in" else ""


def _facts(line: Activity) -> list[tuple[str, str, str]]:
    facts = line.details.get("facts")
    return [(what, str(old or ""), str(new or "")) for what, (old, new) in facts.items()] if facts else []
