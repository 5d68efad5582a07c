"""Editing one meter, pack or action by hand: what differs is told, recorded, and what a file would do as well."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.activity.models import Activity
from app.catalogue import edit_rows, file, publish, reads, shipped
from app.catalogue.difference import between
from app.catalogue.edit_rows import RowWrong
from app.catalogue.models import Pack
from app.catalogue.terms import ActionTerms, MeterTerms, PackTerms
from app.db import transaction
from app.errors import Conflict, NotFound

HUGE = PackTerms("huge", "5,000 credits", 5_000, "usd", 35_000, 3)


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def view(session):
    with transaction(session):
        return publish.apply(session, shipped_view(), actor="cli")


def shipped_view():
    return file.read(shipped.text_of("view"), currency="usd")


def save(session, terms, **how):
    with transaction(session):
        return edit_rows.save(session, terms, is_new=how.get("is_new", False), actor="staff:usr_1")


def pack(session, key):
    return edit_rows.one(session, "pack", key).terms


def last(session):
    return session.scalars(select(Activity).where(Activity.actor == "staff:usr_1")).one()


def test_a_new_pack_is_on_offer_and_recorded(session, view):
    change = save(session, HUGE, is_new=True)

    assert [each.key for each in reads.live(session).packs] == ["small", "medium", "large", "huge"]
    assert change.how == "new"
    noted = last(session)
    assert (noted.action, noted.subject, noted.actor) == ("catalogue.new", "pack:huge", "staff:usr_1")
    assert noted.details["facts"]["price"] == ["", "350.00 USD"]


def test_a_change_says_before_and_after_and_a_file_takes_it_back(session, view):
    change = save(session, replace(pack(session, "medium"), price_minor=5_000))

    assert change.facts == (("price", "45.00 USD", "50.00 USD"),)
    [back] = between(reads.live(session), shipped_view())
    assert (back.kind, back.key, back.facts) == ("pack", "medium", (("price", "50.00 USD", "45.00 USD"),))


def test_what_a_provider_calls_it_stays(session, view):
    with transaction(session):
        row = session.get_one(Pack, "small")
        row.provider_ids = {"creem": {"product": "prod_1"}}

    save(session, replace(pack(session, "small"), name="A hundred"))

    assert pack(session, "small").provider_ids == {"creem": {"product": "prod_1"}}


def test_saving_what_is_there_changes_nothing(session, view):
    assert save(session, pack(session, "small")) is None


def test_a_key_that_is_there_is_refused_even_when_it_was_retired(session, view):
    with transaction(session):
        edit_rows.retire(session, "pack", "small", actor="staff:usr_1")

    with pytest.raises(RowWrong) as refused:
        save(session, PackTerms("small", "Small", 5, "usd", 500), is_new=True)

    assert refused.value.field == "key"


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        (PackTerms("Big", "", 0, "usd", 0, 5_000), ["key", "name", "position", "credits", "price"]),
        (PackTerms("big", "Big", 10**9 + 1, "usd", 100), ["credits"]),
        (MeterTerms("new-meter", "Views\0", ""), ["key", "name", "unit"]),
        (ActionTerms("", " Draw", -1), ["key", "name", "credits"]),
    ],
)
def test_every_mistake_is_told_with_its_field(session, terms, fields):
    with pytest.raises(RowWrong) as refused:
        save(session, terms, is_new=True)

    assert [each["field"] for each in refused.value.details["mistakes"]] == fields


def test_a_retired_one_is_offered_again_as_it_was(session, view):
    with transaction(session):
        edit_rows.retire(session, "action", "generate_model", actor="staff:usr_1")
    assert reads.live(session).actions == ()
    with pytest.raises(Conflict):
        save(session, replace(edit_rows.one(session, "action", "generate_model").terms, credits=30))

    with transaction(session):
        edit_rows.offer_again(session, "action", "generate_model", actor="staff:usr_1")

    assert between(reads.live(session), shipped_view()) == []


def test_a_meter_that_plans_count_by_cannot_be_retired(session, view):
    with pytest.raises(Conflict) as refused, transaction(session):
        edit_rows.retire(session, "meter", "views", actor="staff:usr_1")

    assert "counts by it" in refused.value.sentence
    assert reads.live(session).meters


def test_what_is_not_there_is_not_found(session, view):
    with pytest.raises(NotFound):
        edit_rows.one(session, "pack", "views")
    with pytest.raises(NotFound):
        save(session, HUGE)


def test_a_new_one_comes_after_the_last(session, view):
    assert (edit_rows.next_place(session, "pack"), edit_rows.next_place(session, "meter")) == (3, 1)
