"""What the demo's people do with credits: come by each day for some, buy a pack, spend them, get one back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app import checkin, credits
from app.catalogue import check_in, reads
from app.catalogue.terms import Catalogue, CheckInTerms
from app.cli.past import Happening, Past
from app.customers.models import Customer
from app.db import transaction

BEGINS = 28  # days ago, when check-in was switched on
RULES = CheckInTerms(credits=2, bonuses=((7, 6),), who="verified")

# Days ago, and how often the shop's first action. Ada misses one day in four weeks, and has yet to come today.
ADA_DAYS = (*range(28, 12, -1), *range(11, 0, -1))
ADA_SPENDS = (
    (104, 4), (96, 3), (83, 2), (71, 3), (57, 12), (51, 9), (43, 14), (38, 8), (31, 11),
    (26, 3), (24, 2), (19, 4), (17, 5), (13, 2), (10, 6), (9, 3), (4, 5), (2, 4), (1, 6),
)  # fmt: skip
ADA_PACKS = (60, 8)
ADA_GETS_BACK = 3  # days ago: one that failed
BO_DAYS, BO_SPENDS = (11, 10, 9, 6), ((10, 1), (5, 1))
CY_DAYS, CY_SPENDS = (5, 4, 3, 2, 1, 0), ((30, 1),)


def of_the_shop(past: Past) -> None:
    """Check-in is switched on, where credits are good for something and nobody has decided otherwise."""
    with past.at(BEGINS, hour=6), transaction(past.session) as session:
        if check_in.newest(session) is None and reads.live(session).actions:
            check_in.save(session, RULES, is_on=True, actor="system")


def of_ada(past: Past, customer_id: str, *, by: str) -> list[Happening]:
    """Four weeks of check-ins, two packs, and models made all along; one failed and was given back."""
    shop = reads.live(past.session)
    packs = sorted(shop.packs, key=lambda pack: pack.credits)
    happened: list[Happening] = []
    if packs:
        customer = past.session.get_one(Customer, customer_id)
        buys = partial(past.buys_pack, customer, packs[len(packs) // 2].key, by=by)
        happened += [(days_ago, buys) for days_ago in ADA_PACKS]
    happened += _spends(past, customer_id, shop, ADA_SPENDS)
    if shop.actions:
        happened.append((ADA_GETS_BACK, partial(_gets_one_back, past, customer_id, shop.actions[0].key)))
    return happened + _checks_in(past, customer_id, ADA_DAYS, by)


def of_bo(past: Past, customer_id: str, *, by: str) -> list[Happening]:
    """A few days, and nothing left."""
    spends = _spends(past, customer_id, reads.live(past.session), BO_SPENDS)
    return spends + _checks_in(past, customer_id, BO_DAYS, by)


def of_cy(past: Past, customer_id: str, *, by: str) -> list[Happening]:
    """Every day since he found it, today too."""
    spends = _spends(past, customer_id, reads.live(past.session), CY_SPENDS)
    return spends + _checks_in(past, customer_id, CY_DAYS, by)


def grants(past: Past, plan: list[Happening]) -> list[Happening]:
    """What a plan brings in credits, on the days on which something becomes of it; to stand after them in the list."""
    return [(days_ago, past.grants_credits) for days_ago, _ in plan]


def _checks_in(past: Past, customer_id: str, days: tuple[int, ...], by: str) -> list[Happening]:
    if check_in.live(past.session) is None:
        return []
    return [(days_ago, partial(_at_noon, past, days_ago, _check_in(past, customer_id, by))) for days_ago in days]


def _at_noon(past: Past, days_ago: int, verb: Callable[[], object]) -> None:
    """After whatever else the day brings: the books never run backwards."""
    with past.at(days_ago, hour=12, minute=days_ago % 10):
        verb()


def _check_in(past: Past, customer_id: str, by: str) -> Callable[[], object]:
    def verb() -> None:
        with transaction(past.session) as session:
            checkin.check_in(session, customer_id, actor=by)

    return verb


def _spends(past: Past, customer_id: str, shop: Catalogue, spends: tuple[tuple[int, int], ...]) -> list[Happening]:
    """The first action of the shop, as often as there are credits for."""
    if not shop.actions:
        return []
    action = shop.actions[0].key
    return [(days_ago, partial(_spend, past, customer_id, action, times, days_ago)) for days_ago, times in spends]


def _spend(past: Past, customer_id: str, action: str, times: int, days_ago: int) -> None:
    with transaction(past.session) as session:
        if credits.quote(session, customer_id, action, times).enough:
            credits.spend(session, customer_id, action, times, key=f"seed-{days_ago}", actor="seed")


def _gets_one_back(past: Past, customer_id: str, action: str) -> None:
    with transaction(past.session) as session:
        if not credits.quote(session, customer_id, action).enough:
            return
        failed = credits.spend(session, customer_id, action, key="seed-failed", actor="seed")
        reason = "It failed, and was not charged"
        credits.reverse(session, customer_id, failed.entry.id, key="seed-returned", reason=reason)
