"""Whatever staff do to the catalogue on its pages, every subscription keeps the terms it was bought with (SPEC P2)."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from app.catalogue import reads, shipped
from app.catalogue.models import Plan
from app.db import transaction
from app.subscriptions.models import Subscription
from tests.admin.conftest import CONFIRMED, saves
from tests.admin.test_plans import Inputs
from tests.support.plans import PLANS, Subscriber


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


class Staff:
    """Somebody who edits at random; `did` says what, for a failure to be understood."""

    def __init__(self, browser, session, seed):
        self.browser, self.session, self.chance = browser, session, random.Random(seed)
        self.did = []
        self.to_do = [*[self.plan] * 4, *[self.standing] * 2, *[self.file] * 2, self.meter, self.pack]
        self.chance.shuffle(self.to_do)

    def edits(self):
        verb = self.to_do.pop()
        self.did.append((verb.__name__, verb()))

    def plan(self):
        """Another price, name, limit or credits; some of it makes no sense, and changes nothing."""
        plan = self.one_of(Plan.retired_at.is_(None))
        address = f"/admin/plans/{plan}"
        form = Inputs(self.browser.get(address).text).sent
        form |= {
            "monthly": self.chance.choice(["5.00", "99.00", "12.50", "-1"]),
            "yearly": self.chance.choice(["", "100.00"]),
            "name": self.chance.choice(["Another", form["name"]]),
            "included_credits": self.chance.choice(["0", "70"]),
            "rank": str(self.chance.randint(0, 9)),
            "rate-reads": self.chance.choice(["", "unlimited", "60"]),
            "provider_ids": self.chance.choice(["", "creem.monthly = prod_1"]),
            "count-0-key": "seats",
            "count-0-amount": str(self.chance.randint(1, 9)),
        }
        looked = self.browser.post(address, data=form)
        found = CONFIRMED.search(looked.text)
        if found:
            self.browser.post(address, data=Inputs(looked.text).sent)
        return plan, form["monthly"]

    def standing(self):
        """Retired, or on offer again."""
        plan, verb = self.one_of(), self.chance.choice(["retire", "offer"])
        return plan, self.browser.post(f"/admin/plans/{plan}/{verb}").status_code

    def meter(self):
        form = {"name": self.chance.choice(["Views", "Looks"]), "key": "views", "unit": "view"}
        return saves(self.browser, f"/admin/meters/{self.chance.choice(['views', 'new-one'])}", form).status_code

    def pack(self):
        form = {"name": "A pack", "key": "small", "credits": str(self.chance.randint(1, 99)), "price": "9.00"}
        return saves(self.browser, f"/admin/packs/{self.chance.choice(['small', 'new-one'])}", form).status_code

    def file(self):
        """Another catalogue, or the first one at other prices."""
        text = self.chance.choice([shipped.text_of("agent"), PLANS, PLANS.replace('"30.00"', '"31.00"')])
        return saves(self.browser, "/admin/catalogue/file", {"text": text}).status_code

    def one_of(self, *conditions):
        with transaction(self.session):
            plans = sorted(self.session.scalars(select(Plan.key).where(*conditions)))
            key = self.chance.choice(plans)
            return self.session.scalars(select(Plan.id).where(Plan.key == key)).one()


def bought(session):
    """What each subscription is of, as it reads now: its terms and its price."""
    with transaction(session):
        session.expire_all()
        return {
            each.id: (
                reads.version_of(session, each.plan_id, each.version).sold_facts(),
                (each.version, each.price_minor, each.interval, each.status),
            )
            for each in session.scalars(select(Subscription))
        }


@pytest.mark.parametrize("seed", [1])
def test_no_edit_changes_what_anybody_bought(as_admin, session, subscriber, bo, seed):
    staff = Staff(as_admin, session, seed)
    subscriber.gets(20_000)
    subscriber.subscribes("growth")
    kept = bought(session)
    second = Subscriber(bo)
    second.gets(100_000)

    half = len(staff.to_do) // 2
    while staff.to_do:
        staff.edits()
        if len(staff.to_do) == half:  # somebody comes while it goes on, and has from then on what was offered then
            with transaction(session):
                sold = next(plan for plan in reads.offered_plans(session) if plan.monthly_minor)
            second.subscribes(sold.key)
            kept |= {sub: terms for sub, terms in bought(session).items() if sub not in kept}
        assert bought(session) == kept, staff.did

    assert len(kept) == 2
