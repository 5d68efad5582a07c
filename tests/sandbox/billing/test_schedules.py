"""Subscription schedules: a dearer or cheaper plan from the next period on, and changing one's mind."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.billing.conftest import START, at

DECEMBER, JANUARY, FEBRUARY = at(2026, 12, 1), at(2027, 1, 1), at(2027, 2, 1)


@pytest.fixture
def downgrade(api, ada, card, prices):
    """Growth now, Pro from December on."""
    card()
    sub = api.subscriptions.create({"customer": ada.id, "items": [{"price": prices["Growth month"]}]})
    schedule = api.subscription_schedules.create({"from_subscription": sub.id})
    phase = schedule.phases[0]
    now = {"items": [{"price": prices["Growth month"], "quantity": 1}]}
    then = {"items": [{"price": prices["Pro month"], "quantity": 1}], "proration_behavior": "none"}
    api.subscription_schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "proration_behavior": "none",
            "metadata": {"change": "1"},
            "phases": [
                {**now, "start_date": phase.start_date, "end_date": phase.end_date},
                {**then, "duration": {"interval": "month", "interval_count": 1}},
            ],
        },
    )
    return sub


def test_it_mirrors_the_subscription_and_takes_phases(api, downgrade, prices, desk):
    read = api.subscriptions.retrieve(downgrade.id, {"expand": ["schedule.phases.items.price"]})
    schedule = read.schedule

    assert (schedule.status, schedule.subscription) == ("active", downgrade.id)
    assert [(each.start_date, each.end_date) for each in schedule.phases] == [(START, DECEMBER), (DECEMBER, JANUARY)]
    assert schedule.phases[1]["items"][0].price.id == prices["Pro month"]
    assert schedule.current_phase.end_date == DECEMBER
    kinds = desk.kinds()
    assert kinds.count("subscription_schedule.created") == kinds.count("subscription_schedule.updated") == 1


def test_the_next_period_is_billed_at_the_new_price_and_then_it_lets_go(api, downgrade, prices, desk):
    desk.to(DECEMBER)
    during = api.subscriptions.retrieve(downgrade.id)
    desk.to(FEBRUARY)

    after = api.subscriptions.retrieve(downgrade.id)
    assert during["items"].data[0].price.id == prices["Pro month"]
    assert during["items"].data[0].id == downgrade["items"].data[0].id
    assert (during.schedule is not None, after.schedule) == (True, None)
    totals = [each.total for each in api.invoices.list({"subscription": downgrade.id}).data]
    assert totals == [2900, 2900, 2900, 9900]
    assert api.subscription_schedules.retrieve(during.schedule).status == "released"
    assert len(desk.news("subscription_schedule.released")) == 1


def test_releasing_it_undoes_the_change(api, downgrade, prices, desk):
    schedule = api.subscriptions.retrieve(downgrade.id).schedule

    released = api.subscription_schedules.release(schedule)
    desk.to(DECEMBER)

    assert (released.status, released.released_subscription) == ("released", downgrade.id)
    now = api.subscriptions.retrieve(downgrade.id)
    assert (now.schedule, now["items"].data[0].price.id) == (None, prices["Growth month"])


@pytest.mark.parametrize("change", [{"cancel_at_period_end": True}, {"items": []}])
def test_a_scheduled_subscription_is_changed_through_its_schedule(api, downgrade, prices, change):
    if "items" in change:
        change = {"items": [{"id": downgrade["items"].data[0].id, "price": prices["Pro month"]}]}

    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        api.subscriptions.update(downgrade.id, change)
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        api.subscription_schedules.create({"from_subscription": downgrade.id})


def test_a_change_to_years_at_the_period_end_counts_from_there(api, pro, prices, desk):
    schedule = api.subscription_schedules.create({"from_subscription": pro.id})
    phase = schedule.phases[0]
    api.subscription_schedules.update(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": prices["Pro month"]}],
                    "start_date": phase.start_date,
                    "end_date": phase.end_date,
                },
                {"items": [{"price": prices["Pro year"]}], "duration": {"interval": "year", "interval_count": 1}},
            ]
        },
    )

    desk.to(DECEMBER)

    item = api.subscriptions.retrieve(pro.id)["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (DECEMBER, at(2027, 12, 1))
    assert api.invoices.list({"subscription": pro.id}).data[0].total == 29000


def test_a_subscription_that_ends_takes_its_schedule_along(api, downgrade, desk):
    schedule = api.subscriptions.retrieve(downgrade.id).schedule

    api.subscriptions.cancel(downgrade.id, {"prorate": False, "invoice_now": False})

    assert api.subscription_schedules.retrieve(schedule).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="canceled"):
        api.subscription_schedules.release(schedule)


def test_a_trial_and_a_discount_stay_what_they_are(api, ada, card, prices, desk):
    card()
    api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "forever"})
    wish = {"items": [{"price": prices["Growth month"]}], "discounts": [{"coupon": "HALF"}]}
    sub = api.subscriptions.create({"customer": ada.id, **wish, "trial_end": DECEMBER})
    schedule = api.subscription_schedules.create({"from_subscription": sub.id})
    first = schedule.phases[0]
    same = [{"discount": each.discount} for each in first.discounts]
    api.subscription_schedules.update(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": prices["Growth month"]}],
                    "start_date": first.start_date,
                    "end_date": first.end_date,
                    "trial_end": first.trial_end,
                    "discounts": same,
                },
                {"items": [{"price": prices["Pro month"]}], "duration": {"interval": "month"}, "discounts": same},
            ]
        },
    )

    desk.to(DECEMBER)

    now = api.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (now.status, now.latest_invoice.total) == ("active", 1450)


def test_a_phase_can_begin_within_a_period(api, pro, prices, desk):
    schedule = api.subscription_schedules.create({"from_subscription": pro.id})
    half = START + 15 * 86400
    api.subscription_schedules.update(
        schedule.id,
        {
            "phases": [
                {"items": [{"price": prices["Pro month"]}], "start_date": START, "end_date": half},
                {
                    "items": [{"price": prices["Growth month"]}],
                    "duration": {"interval": "month"},
                    "proration_behavior": "always_invoice",
                },
            ]
        },
    )

    desk.to(half)

    now = api.subscriptions.retrieve(pro.id, {"expand": ["latest_invoice"]})
    assert now["items"].data[0].price.id == prices["Growth month"]
    assert [line.amount for line in now.latest_invoice.lines.data] == [-1450, 4950]


def test_phases_must_follow_one_another(api, downgrade, prices):
    schedule = api.subscriptions.retrieve(downgrade.id).schedule
    month = {"items": [{"price": prices["Pro month"]}], "duration": {"interval": "month"}}

    with pytest.raises(stripe.InvalidRequestError, match="follow one another"):
        api.subscription_schedules.update(schedule, {"phases": [{**month, "start_date": START + 5}]})
