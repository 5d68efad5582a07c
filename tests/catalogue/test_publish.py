"""Putting a catalogue on offer: all or nothing, nothing the second time, and never a change to what was sold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.catalogue import check_in, difference, drafts, file, publish, reads, shipped
from app.catalogue.difference import Change
from app.catalogue.models import Meter, Plan, PlanLimit, PlanVersion
from app.db import transaction
from app.errors import Conflict, NotFound

pytestmark = pytest.mark.both_databases

Apply = Callable[[str], list[Change]]


def sell(session: Session, key: str) -> PlanVersion:
    """Somebody buys the plan as it is offered."""
    with transaction(session):
        plan = session.scalars(select(Plan).where(Plan.key == key)).one()
        return publish.mark_sold(session, plan.id, plan.current_version)


def plan_of(session: Session, key: str):
    return next(plan for plan in reads.offered_plans(session) if plan.key == key)


@pytest.mark.parametrize("name", shipped.names())
def test_what_is_read_back_is_what_the_file_says(session: Session, apply: Apply, name: str) -> None:
    apply(shipped.text_of(name))

    assert reads.live(session) == file.read(shipped.text_of(name), currency="usd")


@pytest.mark.parametrize("name", shipped.names())
def test_applying_twice_changes_nothing(session: Session, apply: Apply, name: str) -> None:
    apply(shipped.text_of(name))
    lines = session.query(Activity).count()

    assert apply(shipped.text_of(name)) == []
    assert session.query(Activity).count() == lines


def test_an_unsold_version_is_edited_in_place(session: Session, apply: Apply, small: str) -> None:
    apply(small)

    changes = apply(small.replace('"29.00"', '"31.00"'))

    assert [(change.how, change.key, change.facts) for change in changes] == [
        ("changed", "studio", (("monthly", "29.00 USD", "31.00 USD"),))
    ]
    assert (plan_of(session, "studio").version, plan_of(session, "studio").monthly_minor) == (1, 3_100)


def test_a_sold_version_stays_as_it_was(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    sold = sell(session, "studio")
    bought = reads.version_of(session, sold.plan_id, 1)

    changes = apply(small.replace('"29.00"', '"31.00"').replace("views = 5_000", "views = 6_000"))

    assert [(change.how, change.key) for change in changes] == [("version", "studio")]
    assert reads.version_of(session, sold.plan_id, 1) == bought
    now = plan_of(session, "studio")
    assert (now.version, now.monthly_minor, now.limits[0].amount, now.is_sold) == (2, 3_100, 6_000, False)


def test_there_and_back_again_is_a_third_version(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    sell(session, "studio")
    apply(small.replace('"29.00"', '"31.00"'))
    sell(session, "studio")

    apply(small)

    assert plan_of(session, "studio").version == 3
    assert session.query(PlanVersion).filter_by(number=2).one().monthly_minor == 3_100


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('monthly = "price_1"', 'monthly = "price_2"'),
        ('rank = 1\nname = "Studio"', 'rank = 5\nname = "Studio"'),
    ],
)
def test_what_is_not_bought_changes_under_a_sold_version(
    session: Session, apply: Apply, small: str, old: str, new: str
) -> None:
    apply(small)
    sell(session, "studio")

    changes = apply(small.replace(old, new))

    assert [change.how for change in changes] == ["changed"]
    assert plan_of(session, "studio").version == 1
    assert apply(small.replace(old, new)) == []


def test_what_the_file_leaves_out_is_retired_and_can_come_back(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    sold = sell(session, "studio")
    without = small[: small.index("[plans.studio]")]

    retired = apply(without)

    assert [(change.how, change.kind, change.key) for change in retired] == [("retired", "plan", "studio")]
    assert [plan.key for plan in reads.offered_plans(session)] == ["free"]
    assert reads.version_of(session, sold.plan_id, 1).name == "Studio"
    apply(small)
    assert plan_of(session, "studio").version == 1


def test_a_meter_can_be_retired_and_come_back(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    apply('[plans.free]\nrank = 0\nname = "Free"\nmonthly = "0.00"')
    assert not reads.live(session).meters

    apply(small)

    assert [meter.key for meter in reads.live(session).meters] == ["views"]
    assert session.query(Meter).count() == 1


def test_a_fault_half_way_leaves_nothing(session: Session, apply: Apply, small: str) -> None:
    wanted = file.read(small, currency="usd")
    broken = replace(wanted, plans=(wanted.plans[0], replace(wanted.plans[1], monthly_minor=-1)))

    with pytest.raises(IntegrityError), transaction(session):
        publish.apply(session, broken, actor="cli")

    assert reads.live(session) == file.read("", currency="usd")
    assert session.query(PlanLimit).count() == 0


def test_the_audit_log_has_each_change_with_before_and_after(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    apply(small.replace('"29.00"', '"31.00"'))

    line = session.scalars(select(Activity).where(Activity.action == "catalogue.changed")).one()
    assert (line.actor, line.subject) == ("cli", "plan:studio")
    assert line.details == {"facts": {"monthly": ["29.00 USD", "31.00 USD"]}, "version": 1}


def test_looking_at_the_difference_changes_nothing(session: Session, small: str) -> None:
    changes = difference.between(reads.live(session), file.read(small, currency="usd"))

    assert [change.how for change in changes] == ["new"] * 3
    assert session.query(Plan).count() == 0


def test_the_difference_reads_well(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    sell(session, "studio")
    wanted = file.read(small.replace("views = 5_000", 'views = "unlimited"'), currency="usd")

    lines = [line for change in difference.between(reads.live(session), wanted) for line in change.lines()]

    assert lines == [
        "~ plan studio, as a new version",
        "    allowance views: 5,000, then wallet at 0.0001 -> unlimited",
    ]


def test_the_first_sale_is_noted_once(session: Session, apply: Apply, small: str) -> None:
    apply(small)

    first = sell(session, "studio").sold_at

    assert first is not None
    assert sell(session, "studio").sold_at == first


def test_an_edit_waits_for_a_sale_under_way_and_leaves_its_terms(
    engine: Engine, session: Session, apply: Apply, small: str
) -> None:
    apply(small)
    bought = plan_of(session, "studio")
    session.rollback()
    wanted = file.read(small.replace('"29.00"', '"31.00"'), currency="usd")

    def edit() -> None:
        with Session(engine, expire_on_commit=False) as other, transaction(other):
            publish.apply(other, wanted, actor="cli")

    with transaction(session):
        publish.mark_sold(session, bought.id, bought.version)
        session.flush()
        editing = threading.Thread(target=edit)
        editing.start()
        editing.join(0.5)
        assert editing.is_alive(), "the edit did not wait for the sale"
    editing.join(30)

    assert reads.version_of(session, bought.id, 1).monthly_minor == 2_900
    assert (plan_of(session, "studio").version, plan_of(session, "studio").monthly_minor) == (2, 3_100)


def test_what_does_not_exist_cannot_be_sold_or_read(session: Session) -> None:
    with pytest.raises(NotFound), transaction(session):
        publish.mark_sold(session, "plan_none", 1)
    with pytest.raises(NotFound):
        reads.version_of(session, "plan_none", 1)


def test_the_free_plan_is_the_one_that_costs_nothing(session: Session, apply: Apply, small: str) -> None:
    assert reads.free_plan(session) is None
    apply(small)

    free = reads.free_plan(session)

    assert free is not None
    assert free.key == "free"


def test_the_check_in_goes_on_and_off_with_the_file(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    [on] = apply(small + "[check_in]\ncredits = 10\nbonuses = { 7 = 30 }\n")
    [more] = apply(small + "[check_in]\ncredits = 12\n")
    [off] = apply(small)

    assert [change.how for change in (on, more, off)] == ["new", "changed", "retired"]
    assert list(more.lines()) == [
        "~ check-in daily",
        "    credits: 10 -> 12",
        "    bonus every 7 days: 30 -> none",
    ]
    assert list(off.lines()) == ["- check-in daily, no longer offered"]
    kept = check_in.newest(session)
    assert kept is not None
    assert (kept.is_on, kept.credits, kept.version) == (False, 12, 3)


def test_only_what_was_looked_at_is_done(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    wanted = file.read(small.replace('"29.00"', '"31.00"'), currency="usd")
    live = reads.whole(session)
    seen = publish.fingerprint(live, difference.between(live, wanted))
    sell(session, "studio")

    with pytest.raises(Conflict), transaction(session):
        publish.apply(session, wanted, actor="cli", seen=seen)

    live = reads.whole(session)
    seen = publish.fingerprint(live, difference.between(live, wanted))
    session.rollback()
    with transaction(session):
        [change] = publish.apply(session, wanted, actor="cli", seen=seen)
    assert change.how == "version"


def test_a_draft_is_kept_gone_on_with_and_dropped(session: Session, apply: Apply, small: str) -> None:
    apply(small)
    studio = plan_of(session, "studio")
    session.rollback()
    how = {"plan_id": studio.id, "name": "Soon", "base": "{}", "actor": "cli"}
    with transaction(session):
        first = drafts.save(session, form={"monthly": "ten"}, seen=("", None), **how)
    with transaction(session):
        again = drafts.save(session, form={"monthly": "11"}, seen=(first.id, first.saved_at), **how)

    assert [(draft.id, draft.form) for draft in drafts.of_plan(session, studio.id)] == [(again.id, {"monthly": "11"})]
    session.rollback()
    with transaction(session):
        drafts.drop(session, first.id)
    assert drafts.every(session) == []
