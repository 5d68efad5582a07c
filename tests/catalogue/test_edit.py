"""Editing one plan: told before it is done, checked at its fields, in a new version where it was sold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import activity
from app.catalogue import edit, file, plan_rules, publish, reads, shipped, versions
from app.catalogue.edit import PlanWrong
from app.catalogue.models import PlanVersion
from app.catalogue.terms import Limit
from app.db import transaction
from app.errors import NotFound

ANN = "staff:usr_ann"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def studio(session, apply, small):
    apply(small)
    return next(plan for plan in reads.offered_plans(session) if plan.key == "studio")


def save(session, terms):
    with transaction(session):
        return edit.save_plan(session, terms, actor=ANN)


def test_what_would_change_is_told_and_nothing_is_changed(session, studio):
    change = edit.difference(session, replace(studio, monthly_minor=3_900))

    assert (change.how, change.facts) == ("changed", (("monthly", "29.00 USD", "39.00 USD"),))
    assert reads.offered_plans(session)[1].monthly_minor == 2_900


def test_a_plan_nobody_bought_is_changed_in_place(session, studio):
    assert save(session, replace(studio, monthly_minor=3_900)).how == "changed"

    [plan] = [plan for plan in reads.offered_plans(session) if plan.key == "studio"]
    assert (plan.version, plan.monthly_minor, plan.limits) == (1, 3_900, studio.limits)


def test_a_sold_one_gets_a_new_version_and_the_old_one_stays(session, studio):
    with transaction(session):
        publish.mark_sold(session, studio.id, 1)

    assert save(session, replace(studio, monthly_minor=3_900)).how == "version"

    newer, older = versions.of_plan(session, studio.id)
    assert (newer.terms.version, newer.actor, newer.changed) == (2, ANN, (("monthly", "29.00 USD", "39.00 USD"),))
    assert (older.terms.version, older.changed) == (1, ())
    assert reads.version_of(session, studio.id, 1).monthly_minor == 2_900
    assert reads.version_of(session, studio.id, 2).monthly_minor == 3_900


def test_a_sale_in_between_is_noticed(session, studio):
    told = edit.difference(session, replace(studio, monthly_minor=3_900))
    with transaction(session):
        publish.mark_sold(session, studio.id, 1)

    assert (told.how, save(session, replace(studio, monthly_minor=3_900)).how) == ("changed", "version")


def test_saving_what_is_there_changes_nothing(session, studio):
    assert save(session, studio) is None
    assert session.query(PlanVersion).filter_by(plan_id=studio.id).count() == 1


def test_who_changed_what_is_in_the_log(session, studio):
    save(session, replace(studio, yearly_minor=None))

    [line] = activity.of_everyone(session, actor=ANN, limit=5).lines
    assert (line.action, line.subject) == ("catalogue.changed", "plan:studio")
    assert line.details["facts"] == {"yearly": ["290.00 USD", ""]}


def test_a_retired_plan_can_be_offered_again(session, studio):
    with transaction(session):
        edit.retire_plan(session, studio.id, actor=ANN)
    assert [plan.key for plan in reads.offered_plans(session)] == ["free"]
    assert [plan.key for plan, _ in edit.every_plan(session)] == ["free", "studio"]

    with transaction(session):
        edit.offer_again(session, studio.id, actor=ANN)

    assert reads.offered_plans(session)[1] == studio
    with pytest.raises(NotFound), transaction(session):
        edit.retire_plan(session, "plan_none", actor=ANN)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("key", {"key": "two words"}),
        ("key", {"key": "STUDIO"}),
        ("name", {"name": " Studio"}),
        ("description", {"description": "two\nlines"}),
        ("rank", {"rank": -1}),
        ("monthly", {"monthly_minor": None}),
        ("custom", {"is_custom": True}),
        ("included_credits", {"included_credits": -1}),
        ("features", {"features": ("",)}),
        ("downgrade", {"downgrade": "never"}),
        ("allowance:unknown", {"limits": (Limit("allowance", "unknown", 1, "block"),)}),
        ("allowance:views", {"limits": (Limit("allowance", "views", 1, "wallet"),)}),
        ("allowance:views", {"limits": (Limit("allowance", "views", 1),)}),
        ("allowance:views", {"limits": (Limit("allowance", "views", None, "block"),)}),
        ("count:agents", {"limits": (Limit("count", "agents", 1), Limit("count", "agents", 2))}),
        ("count:Agents", {"limits": (Limit("count", "Agents", 1),)}),
        ("rate:peeks", {"limits": (Limit("rate", "peeks", 1),)}),
        ("flag:production_access", {"limits": (Limit("flag", "production_access", 2),)}),
        ("provider_ids", {"provider_ids": {"stripe": {"monthly": ""}}}),
    ],
)
def test_a_mistake_is_refused_at_its_field(session, studio, field, wrong):
    with pytest.raises(PlanWrong) as refusal:
        edit.difference(session, replace(studio, **wrong))

    assert refusal.value.field == field


def test_every_shipped_plan_keeps_the_rules():
    for name in shipped.names():
        catalogue = file.read(shipped.text_of(name), currency="usd")
        meters = [meter.key for meter in catalogue.meters]
        for plan in catalogue.plans:
            assert plan_rules.mistakes(plan, meters=meters) == []
