"""Staff: the rules of the daily check-in, with what they gave away and what others would have (SPEC C5)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.admin import before_after, meanwhile, words
from app.admin.meanwhile import Meanwhile
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.admin.typed import Typed
from app.catalogue import check_in as rules
from app.catalogue import reads as catalogue
from app.catalogue.difference import Differing, of_facts
from app.catalogue.models import DAYS_OF, WHO_CHECKS_IN, CheckInRules
from app.catalogue.terms import CheckInTerms, PackTerms
from app.checkin import reads
from app.checkin.reads import GivenAway
from app.checkin.rewards import bonus_on
from app.db import transaction
from app.errors import Invalid
from app.extensions import db
from app.http import hx
from app.money import round_half_away

pages = Blueprint("admin_check_in", __name__)

LOOKED_AT = 30  # days
DAYS = dict(zip(DAYS_OF, ("00:00, customer’s time zone", "00:00 UTC"), strict=True))
WHO = dict(
    zip(
        WHO_CHECKS_IN,
        ("All plans", "All plans, email confirmed", "Who has paid for something", "Paid plans"),
        strict=True,
    )
)
BONUSES = range(1, rules.MOST_BONUSES + 1)


@dataclass(frozen=True)
class Cost:
    """What check-ins gave in the last days, and what the same days give by the rules that are typed, if these differ.

    `worth_minor` is the price of as many credits in `pack`; None where no packs are sold.
    """

    given: GivenAway
    each_bonus: int | None
    worth_minor: int | None
    pack: PackTerms | None
    typed: int | None = None


@pages.get("/admin/check-in")
@staff_reads
def show() -> str:
    """The rules as they are."""
    kept = rules.newest(db.session())
    return _page(_typed_of(kept), kept)


@pages.post("/admin/check-in")
@staff_edits_catalogue
def save() -> Response | str:
    """Make what was typed the rules, once what that changes has been shown."""
    typed, kept = Typed(request.form), rules.newest(db.session())
    other = meanwhile.look(request.form.get(meanwhile.BASE), _typed_of(kept).values, typed.values)
    if other is not None:
        typed = Typed(other.values)
    terms, is_on = _checked(typed), typed.ticked("on")
    facts = () if terms is None else _facts(kept, terms, is_on=is_on)
    if other is not None:
        return hx.answer(_page(typed, kept, terms, facts, other), 409)
    if terms is None:
        return hx.answer(_page(typed, kept), 422)
    if not before_after.was_shown(facts):
        return hx.answer(_page(typed, kept, terms, facts))
    with transaction(db.session):
        rules.save(db.session(), terms, is_on=is_on, actor=actor())
    flash(_said(kept, is_on=is_on), "pos")
    return hx.go(url_for(".show"))


@pages.post("/admin/check-in/cost")
@staff_edits_catalogue
def cost() -> Response | str:
    """What the rules that are typed so far would have given; for htmx the panel alone."""
    typed = Typed(request.form)
    terms = _terms(typed)
    kept = rules.newest(db.session())
    if hx.is_partial():
        return hx.answer(
            render_template("admin/check_in/_cost.html", typed=typed, cost=_cost(kept, terms), days=LOOKED_AT)
        )
    return hx.answer(_page(typed, kept, terms), 422 if typed.errors else 200)


def _page(
    typed: Typed,
    kept: CheckInRules | None,
    terms: CheckInTerms | None = None,
    facts: Differing | None = None,
    other: Meanwhile | None = None,
) -> str:
    return render_template(
        "admin/check_in/show.html",
        typed=typed,
        base=meanwhile.opened(_typed_of(kept).values),
        other=other,
        facts=facts,
        confirmed=before_after.shown(facts),
        affects="What a day gives changes from each customer’s next day on; the rest counts at once.",
        label="Save rules",
        happened=words.of_subject(db.session(), "check-in:daily"),
        cost=_cost(kept, terms),
        days=LOOKED_AT,
        terms=rules.terms_of(kept) if kept else None,
        is_on=kept is not None and kept.is_on,
        changed=kept,
        day_choices=DAYS,
        who_choices=WHO,
        bonuses=BONUSES,
        may_edit=may_edit_catalogue(),
    )


def _facts(kept: CheckInRules | None, terms: CheckInTerms, *, is_on: bool) -> Differing:
    """What would change of the rules, in words; a mistake the domain finds is told when they are saved."""
    was = {"check-in": "on" if kept.is_on else "off", **rules.terms_of(kept).facts()} if kept else {"check-in": "off"}
    return of_facts(was, {"check-in": "on" if is_on else "off", **terms.facts()})


def _cost(kept: CheckInRules | None, terms: CheckInTerms | None) -> Cost:
    given = reads.given_away(db.session(), days=LOOKED_AT)
    live = rules.terms_of(kept) if kept else None
    packs = sorted(catalogue.live(db.session()).packs, key=lambda pack: pack.credits)
    pack = packs[len(packs) // 2] if packs else None  # what most people buy is the one in the middle
    return Cost(
        given=given,
        each_bonus=given.bonus // given.bonuses if given.bonuses and given.bonus % given.bonuses == 0 else None,
        worth_minor=round_half_away(given.total * pack.price_minor, pack.credits) if pack else None,
        pack=pack,
        typed=None if terms is None or terms == live else _by(terms, given),
    )


def _by(terms: CheckInTerms, given: GivenAway) -> int:
    """What the same check-ins give by these rules, before any cap."""
    return sum(count * (terms.credits + bonus_on(terms, streak)) for streak, count in given.by_streak.items())


def _typed_of(kept: CheckInRules | None) -> Typed:
    """The form as the rules fill it; who has none yet begins with some that are moderate."""
    terms = rules.terms_of(kept) if kept else CheckInTerms(credits=10, bonuses=((7, 30),))
    values = {
        "on": "1" if kept and kept.is_on else "",
        "credits": f"{terms.credits:,}",
        "expires_days": "" if terms.expires_days is None else f"{terms.expires_days:,}",
        "most": "" if terms.most is None else f"{terms.most:,}",
        "day": terms.day,
        "who": terms.who,
    }
    for place, (days, more) in enumerate(terms.bonuses, 1):
        values |= {f"every-{place}": str(days), f"bonus-{place}": f"{more:,}"}
    return Typed(values)


def _terms(typed: Typed) -> CheckInTerms | None:
    """What was typed; None, with the mistakes in the form, when it cannot be read."""
    daily = typed.whole("credits", least=1, most=rules.MOST_CREDITS)
    if daily is None:
        typed.wrong("credits", f"Enter a whole number from 1 to {rules.MOST_CREDITS:,}.")
    bonuses = [bonus for place in BONUSES if (bonus := _bonus(typed, place)) is not None]
    expires = typed.whole("expires_days", least=1, most=rules.LONGEST_EXPIRY)
    most = typed.whole("most", least=1)
    day, who = typed.choice("day", DAYS), typed.choice("who", WHO)
    return (
        None if typed.errors or daily is None else CheckInTerms(daily, tuple(sorted(bonuses)), expires, most, day, who)
    )


def _checked(typed: Typed) -> CheckInTerms | None:
    """What was typed, where it makes sense; else None, with the mistakes in the form."""
    terms = _terms(typed)
    try:
        if terms is not None:
            rules.check(terms)
    except Invalid as wrong:
        typed.wrong(_input(wrong.field), wrong.sentence)
        return None
    return terms


def _bonus(typed: Typed, place: int) -> tuple[int, int] | None:
    """One of the rows; None for one that says nothing, or half of it."""
    every, more = f"every-{place}", f"bonus-{place}"
    days = typed.whole(every, least=2, most=rules.LONGEST_ROW)
    added = typed.whole(more, least=1, most=rules.MOST_CREDITS)
    if days is None and added is not None:
        typed.wrong(every, "Say every how many days.")
    if added is None and days is not None:
        typed.wrong(more, "Say how many credits.")
    return None if days is None or added is None else (days, added)


def _input(field: str | None) -> str:
    """The input at which a mistake of this name is shown."""
    return "every-1" if field == "bonuses" else field or "credits"


def _said(before: CheckInRules | None, *, is_on: bool) -> str:
    was_on = before is not None and before.is_on
    return f"Check-in is {'on' if is_on else 'off'} from now on" if is_on != was_on else "The rules are saved"
