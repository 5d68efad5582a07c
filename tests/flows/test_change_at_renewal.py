"""Changing a plan where the provider neither previews a change nor schedules one (SPEC P6, P7, V1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.db import transaction
from app.errors import UnsupportedByChannel
from app.flows import cancel_plan, change_plan, follow
from app.invoices import Invoice
from app.providers.errors import Unavailable
from app.subscriptions.models import SubscriptionChange
from tests.support.patron import Patron


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # what the provider is asked; the rows are locked as by every other change


BOTH = pytest.mark.parametrize("at", ["regular", "shopper"])


@pytest.fixture
def at() -> str:
    return "regular"


@pytest.fixture
def patron(request: pytest.FixtureRequest, at: str) -> Patron:
    """Somebody on Growth ($30) at Creem, or at Lemon Squeezy."""
    made: Patron = request.getfixturevalue(at)
    made.pays(made.subscribes("growth"))
    made.hears()
    return made


def who(patron: Patron) -> tuple[Any, Any, str]:
    return patron.session, patron.providers, patron.customer_id


def moves(patron: Patron, plan: str = "starter") -> SubscriptionChange:
    """Confirmed as it was shown."""
    shown = change_plan.preview(*who(patron), plan, "month", actor="usr_1")
    return change_plan.confirm(*who(patron), shown.id, actor="usr_1")


def now(patron: Patron, change: SubscriptionChange) -> str:
    with transaction(patron.session):
        patron.session.refresh(change)
        return change.state


def price_there(patron: Patron) -> int:
    """What its renewal would charge at the provider."""
    state = patron.adapter.get_subscription(patron.sub.provider_id)
    names = getattr(patron, "products", None) or patron.variants  # type: ignore[attr-defined]
    return {names["starter"]: 1000, names["growth"]: 3000}[state.provider_price_id]


def charged(patron: Patron) -> list[int]:
    """Every payment of the subscription at the provider, the oldest first."""
    listed, _ = patron.adapter.list_invoices(
        _ref(patron), cursor=None, limit=50, subscription_id=patron.sub.provider_id
    )
    return [doc.total for doc in sorted(listed, key=lambda doc: (doc.created, doc.id))]


def _ref(patron: Patron) -> Any:
    return patron.adapter.ensure_customer(customer_id=patron.customer_id, email="a@example.com", name=None, key="k")


def to_the_last_hour(patron: Patron) -> None:
    patron.clock.set(patron.sub.period_end - timedelta(minutes=30))


def renewed_without_us(patron: Patron) -> None:
    patron.clock.set(patron.sub.period_end)
    patron.passes(minutes=1)
    patron.clock.advance(hours=2)


class TestUpgrade:
    def test_another_interval_can_not_wait_for_the_periods_end(self, patron: Patron) -> None:
        with pytest.raises(UnsupportedByChannel):
            change_plan.preview(*who(patron), "starter", "year", actor="usr_1")

    def test_half_a_month_of_the_difference_is_shown_as_about(self, regular: Patron) -> None:
        regular.pays(regular.subscribes("starter"))
        regular.hears()
        half = (regular.sub.period_end - regular.sub.period_start) / 2
        regular.clock.set(regular.sub.period_start + half)

        shown = change_plan.preview(*who(regular), "growth", "month", actor="usr_1")
        assert (shown.details["estimated"], shown.charge_minor, shown.credit_minor) == (True, 1500, 500)
        done = change_plan.confirm(*who(regular), shown.id, actor="usr_1")
        regular.hears(times=2, seed=1)

        assert (done.state, regular.sub.price_minor, charged(regular)) == ("applied", 3000, [1000, 1000])
        assert not regular.waiting


class TestDowngrade:
    @BOTH
    def test_it_waits_for_the_period_and_the_renewal_is_charged_at_the_new_price(self, patron: Patron) -> None:
        change = moves(patron)
        assert (now(patron, change), change.effective_at) == ("scheduled", patron.sub.period_end)
        patron.hears()
        patron.sweeps()
        assert price_there(patron) == 3000, "not before its time"

        to_the_last_hour(patron)
        patron.sweeps()
        patron.hears(times=2, seed=1)
        assert (price_there(patron), patron.sub.price_minor, now(patron, change)) == (1000, 3000, "scheduled")

        patron.passes(hours=1)
        patron.hears(times=2, seed=2)
        assert (patron.sub.price_minor, now(patron, change), charged(patron)) == (1000, "applied", [3000, 1000])
        assert not patron.waiting

    def test_news_of_the_renewal_that_never_comes_is_asked_for(self, patron: Patron) -> None:
        change = moves(patron)
        to_the_last_hour(patron)
        patron.sweeps()

        patron.passes(hours=1)
        patron.clock.advance(minutes=10)
        patron.sweeps()

        assert (patron.sub.price_minor, now(patron, change)) == (1000, "applied")

    @pytest.mark.parametrize(("at", "done"), [("regular", True), ("shopper", False)])
    def test_an_answer_that_was_lost_asks_once_more_and_charges_once(self, patron: Patron, done: bool) -> None:
        change = moves(patron)
        to_the_last_hour(patron)
        verb = "POST" if patron.adapter.name == "creem" else "PATCH"
        patron.there.fails(verb, "", 0, done=done)
        patron.sweeps()
        assert now(patron, change) == "scheduled"

        patron.clock.advance(minutes=11)
        patron.sweeps()
        assert price_there(patron) == 1000
        patron.passes(hours=1)
        patron.hears(seed=1)

        assert (patron.sub.price_minor, charged(patron), now(patron, change)) == (1000, [3000, 1000], "applied")

    def test_died_after_the_call_it_is_found_done(self, patron: Patron, monkeypatch: pytest.MonkeyPatch) -> None:
        change = moves(patron)
        to_the_last_hour(patron)

        def dies(*_args: Any, **_how: Any) -> Any:
            raise Unavailable("the process ended here")

        with monkeypatch.context() as during:
            during.setattr(follow, "look_at", dies)
            patron.sweeps()
        assert price_there(patron) == 1000
        patron.hears()
        assert (patron.sub.price_minor, now(patron, change)) == (3000, "scheduled"), "the news comes before its time"

        patron.clock.advance(minutes=11)
        patron.sweeps()
        patron.passes(hours=1)
        patron.hears()
        assert (patron.sub.price_minor, now(patron, change)) == (1000, "applied")

    @BOTH
    def test_renewed_before_we_were_there_it_comes_at_once_and_the_difference_goes_to_the_wallet(
        self, patron: Patron
    ) -> None:
        change = moves(patron)
        renewed_without_us(patron)
        patron.hears()
        assert (patron.sub.price_minor, now(patron, change), patron.wallet) == (3000, "scheduled", 0)

        patron.sweeps()
        patron.hears(times=2, seed=1)
        assert (patron.sub.price_minor, now(patron, change), price_there(patron)) == (1000, "applied", 1000)
        assert patron.wallet == 2000
        patron.passes(days=31)
        patron.hears()
        patron.sweeps()

        assert (charged(patron), patron.wallet) == ([3000, 3000, 1000], 2000)

    def test_of_what_a_coupon_lessened_its_share_goes_back_and_nothing_twice(self, patron: Patron) -> None:
        moves(patron)
        renewed_without_us(patron)
        patron.hears()
        of_renewal = select(Invoice).where(Invoice.subscription_id == patron.sub.id)
        with transaction(patron.session):
            invoice = max(patron.session.scalars(of_renewal), key=lambda each: each.period_start)
            invoice.discount_minor, invoice.total_minor, invoice.paid_minor = 1500, 1500, 1500
            invoice.credited_minor = 300

        patron.sweeps()
        patron.hears(times=2, seed=1)

        assert patron.wallet == 800

    def test_died_after_the_provider_was_told_late_it_is_made_right_by_its_news(
        self, patron: Patron, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change = moves(patron)
        renewed_without_us(patron)
        role = type(patron.adapter)
        asked = role.change_for_renewal

        def dies(*args: Any, **how: Any) -> Any:
            asked(*args, **how)
            raise Unavailable("the process ended here")

        with monkeypatch.context() as during:
            during.setattr(role, "change_for_renewal", dies)
            patron.sweeps()
        patron.hears()

        assert (patron.sub.price_minor, now(patron, change), patron.wallet) == (1000, "applied", 2000)

    def test_what_was_not_paid_is_not_given_back(self, patron: Patron) -> None:
        change = moves(patron)
        patron.there.books.poor = True  # type: ignore[attr-defined]
        renewed_without_us(patron)
        patron.hears()
        patron.sweeps()

        assert (now(patron, change), patron.wallet) == ("scheduled", 0)

    def test_it_is_undone_also_in_the_last_hour(self, patron: Patron) -> None:
        change = moves(patron)
        to_the_last_hour(patron)
        patron.sweeps()
        assert price_there(patron) == 1000

        change_plan.undo(*who(patron), actor="usr_1")
        patron.hears(seed=1)

        assert (now(patron, change), price_there(patron), patron.sub.price_minor) == ("undone", 3000, 3000)
        patron.passes(hours=1)
        patron.hears()
        assert (patron.sub.price_minor, charged(patron)) == (3000, [3000, 3000])

    def test_cancelling_in_the_last_hour_and_staying_leaves_the_plan_there_was(self, patron: Patron) -> None:
        change = moves(patron)
        to_the_last_hour(patron)
        patron.sweeps()

        cancel_plan.at_period_end(*who(patron), reason=None, actor="usr_1")
        cancel_plan.resume(*who(patron), actor="usr_1")
        patron.hears(seed=1)

        assert (now(patron, change), price_there(patron), patron.sub.price_minor) == ("undone", 3000, 3000)

    def test_cancelled_there_it_comes_to_nothing(self, patron: Patron) -> None:
        change = moves(patron)
        state = patron.adapter.get_subscription(patron.sub.provider_id)
        patron.adapter.cancel_at_period_end(state, reason=None, comment=None, key="theirs")
        to_the_last_hour(patron)

        patron.sweeps()

        assert (now(patron, change), price_there(patron)) == ("undone", 3000)


def change_of(patron: Patron, change: SubscriptionChange) -> SubscriptionChange:
    with transaction(patron.session):
        patron.session.refresh(change)
    return change
