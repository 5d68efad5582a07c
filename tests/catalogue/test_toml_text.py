"""The catalogue written as a file: read again it is the same, however it came to be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue import file, shipped, toml_text
from app.catalogue.difference import between
from app.catalogue.plan_rules import LARGEST, mistakes
from app.catalogue.terms import (
    ActionTerms,
    Catalogue,
    CheckInTerms,
    Limit,
    LlmPriceTerms,
    MeterTerms,
    PackTerms,
    PlanTerms,
    ServiceTerms,
)

KEYS = st.sampled_from(["a", "views", "x_1", "true", "inf", "name", "a" * 40])
LINES = st.sampled_from(['"', "\\", "a # b", "'''", "=1+1", "é – “x”", "true", "\\u0041", "[a]", "🙂", "x" * 60])
COUNTS = st.integers(0, 9) | st.integers(0, LARGEST)
PLACES = st.integers(0, 1_000)
IDS = st.dictionaries(KEYS, st.dictionaries(KEYS, LINES, min_size=1, max_size=2), max_size=2)


def limits(meters):
    of_meters = st.sampled_from(meters)
    priced = st.builds(Limit, st.just("allowance"), of_meters, COUNTS, st.sampled_from(("wallet", "invoice")), COUNTS)
    stops = st.builds(Limit, st.just("allowance"), of_meters, COUNTS, st.just("block"))
    endless = st.builds(Limit, st.just("allowance"), of_meters, st.none())
    counts = st.builds(Limit, st.just("count"), KEYS, COUNTS | st.none())
    rates = st.builds(Limit, st.just("rate"), st.sampled_from(("reads", "writes")), COUNTS | st.none())
    flags = st.builds(Limit, st.just("flag"), st.just("production_access"), st.integers(0, 1))
    each = priced | stops | endless | counts | rates | flags
    return st.lists(each, max_size=6, unique_by=lambda limit: (limit.kind, limit.key)).map(tuple)


def plans(meters):
    minor = st.integers(0, 10**11)
    sold = st.tuples(st.just(False), minor, minor | st.none()) | st.just((True, None, None))

    def made(key, rank, name, said, of, counts, downgrade, features, caps, ids):
        what = {"included_credits": counts[0], "welcome_credits": counts[1], "downgrade": downgrade}
        return PlanTerms(key, rank, name, said, "usd", *of, **what, features=features, limits=caps, provider_ids=ids)

    said = LINES | st.just("")
    features = st.lists(LINES, max_size=3).map(tuple)
    downgrades = st.sampled_from(("period_end", "immediate"))
    return st.builds(
        made, KEYS, PLACES, LINES, said, sold, st.tuples(COUNTS, COUNTS), downgrades, features, limits(meters), IDS
    )


def some(each):
    return st.lists(each, max_size=3, unique_by=lambda thing: thing.key).map(tuple)


@st.composite
def catalogues(draw):
    meters = draw(
        st.lists(st.builds(MeterTerms, KEYS, LINES, LINES, PLACES), min_size=1, max_size=3, unique_by=lambda m: m.key)
    )
    charged, cached = st.integers(1, LARGEST), COUNTS
    prices = st.tuples(charged, charged, cached, cached)
    steps = st.lists(st.tuples(st.integers(1, LARGEST), prices), max_size=2, unique_by=lambda step: step[0])
    days = st.dates().map(lambda day: day.isoformat())
    models = st.sampled_from(["gpt-5", "openai/gpt-4o:free", "0"])
    price = st.builds(
        lambda model, day, first, more: LlmPriceTerms(
            model, day, "usd", *first, tuple((above, *each) for above, each in sorted(more))
        ),
        models,
        days,
        prices,
        steps,
    )
    percent = st.integers(0, 100) | st.none()
    service = st.builds(
        lambda key, name, cost, own, place: ServiceTerms(
            key, name, *(("cost_plus", own, None) if cost else ("list_price", None, own)), place
        ),
        KEYS,
        LINES,
        st.booleans(),
        percent,
        PLACES,
    )
    rules = st.builds(
        CheckInTerms,
        st.integers(1, 9),
        st.sampled_from(((), ((7, 30),), ((2, 1), (366, 1_000_000)))),
        st.none() | st.integers(1, 3_650),
        st.none() | st.integers(9, 10**15),
        st.sampled_from(("customer", "utc")),
        st.sampled_from(("everyone", "payer")),
    )
    pack = st.builds(PackTerms, KEYS, LINES, st.integers(1, 10**9), st.just("usd"), st.integers(1, 10**11), PLACES, IDS)
    return Catalogue(
        plans=draw(st.lists(plans([m.key for m in meters]), max_size=2, unique_by=lambda p: p.key.lower()).map(tuple)),
        meters=tuple(meters),
        actions=draw(some(st.builds(ActionTerms, KEYS, LINES, st.integers(1, 10**9), PLACES))),
        packs=draw(some(pack)),
        services=draw(some(service)),
        llm_prices=draw(some(price)),
        check_in=draw(st.none() | rules),
    )


@settings(max_examples=12)
@given(catalogues())
def test_whatever_may_be_on_offer_can_be_written_and_read_again(catalogue):
    meters = [meter.key for meter in catalogue.meters]
    assert [wrong for plan in catalogue.plans for wrong in mistakes(plan, meters=meters)] == []

    text = toml_text.write(catalogue, currency="usd", heading="Ours\nand ours alone")

    assert between(catalogue, file.read(text, currency="usd")) == []
    assert between(file.read(text, currency="usd"), catalogue) == []


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_catalogue_is_written_as_it_was_read(name):
    read = file.read(shipped.text_of(name), currency="usd")

    assert file.read(toml_text.write(read, currency="usd"), currency="usd") == read


def test_the_place_on_pages_is_the_place_in_the_file_unless_it_says_another():
    file_with = '[meters.a]\nname = "A"\nunit = "a"\nposition = 7\n[meters.b]\nname = "B"\nunit = "b"\n'

    found = file.read(file_with, currency="usd").meters

    assert [(meter.key, meter.position) for meter in found] == [("b", 1), ("a", 7)]
