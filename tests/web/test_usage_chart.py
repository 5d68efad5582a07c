"""The geometry of bars: parts that neither leave the track nor overlap, and round numbers at the side."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.bars import percent, short
from app.web import usage_chart
from app.web.usage_bar import Bar, bar, percent_used
from app.web.usage_chart import Day, chart, span
from app.web.usage_words import units

TODAY = date(2026, 11, 20)


def parts(text: str) -> int:
    """`33.33%` back in hundredths; nothing is 0."""
    whole, _, rest = text.removesuffix("%").partition(".")
    return int(whole or 0) * 100 + int(rest.ljust(2, "0"))


@pytest.mark.parametrize(
    ("used", "allowance", "heading", "expected"),
    [
        (548_200, 500_000, 1_009_180, Bar("fill", "60%", "5.78%", "65.78%", "34.22%")),
        (412, 500, 762, Bar("near", "49.44%", "", "49.44%", "42%")),
        (0, 500, 0, Bar("fill", "0%")),
        (500, 500, 500, Bar("near", "60%")),
        (501, 500, 501, Bar("fill", "60%", "0.4%")),
        (9, 0, 9, Bar("fill", "60%", "40%")),
    ],
)
def test_the_parts_of_a_meter(used, allowance, heading, expected):
    assert bar(used, allowance, heading) == expected


@given(used=st.integers(0, 10**15), allowance=st.integers(0, 10**12), more=st.integers(0, 10**15))
def test_no_part_leaves_the_track(used, allowance, more):
    made = bar(used, allowance, used + more)

    end = parts(made.used) + parts(made.over)
    assert parts(made.used) <= 6_000
    assert end <= 10_000
    if made.heading:
        assert parts(made.heading_from) == end
        assert end + parts(made.heading) <= 10_000


def test_an_allowance_with_something_left_is_never_used_up():
    assert (percent_used(99_999, 100_000), percent_used(100_000, 100_000)) == (99, 100)


def test_a_day_stands_on_the_ground_with_what_is_over_on_top():
    days = [Day(date(2026, 11, 19), 43_900, 30_100), Day(TODAY, 18_100, 18_100, expected=34_220)]

    over, today = chart(days, today=TODAY, unit="call").columns

    assert (parts(over.within.y), parts(over.within.height)) == (6_934, 3_066)
    assert parts(over.over.y) + parts(over.over.height) == parts(over.within.y)
    assert over.title == "19\N{NO-BREAK SPACE}Nov: 43,900 calls"
    assert today.within is None
    assert parts(today.projected.y) + parts(today.projected.height) == parts(today.over.y)


def test_the_numbers_at_the_side_are_round_and_reach_the_highest_bar():
    assert chart([Day(TODAY, 43_900, 0)], today=TODAY, unit="call").ticks == ["45k", "30k", "15k", "0"]
    assert chart([Day(TODAY, 1, 0)], today=TODAY, unit="call").ticks == ["3", "2", "1", "0"]
    assert chart([Day(TODAY, 0, 0)], today=TODAY, unit="call").ticks == ["3", "2", "1", "0"]


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=31))
def test_every_bar_is_within_the_chart(counts):
    days = [Day(date(2026, 11, 1), count, count // 3, expected=count * 2) for count in counts]

    for column in chart(days, today=TODAY, unit="call").columns:
        assert parts(column.x) + parts(column.width) <= 10_000
        tops = [parts(box.y) for box in (column.within, column.over, column.projected) if box]
        assert tops == sorted(tops, reverse=True)
        assert all(0 <= top <= 10_000 for top in tops)


def test_dates_are_written_every_fourth_day_and_make_room_for_today():
    days = [Day(day, 1, 0) for day in span(date(2026, 11, 4), date(2026, 12, 3))]

    texts = [label.text for label in chart(days, today=TODAY, unit="call").labels]

    assert texts == ["4\N{NO-BREAK SPACE}Nov", "8", "12", "16", "Today", "24", "28", "2\N{NO-BREAK SPACE}Dec"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (45_000, "45k"), (2_500, "2.5k"), (1_500_000, "1.5M"), (10**10, "10B")]
)
def test_round_numbers_are_short(count, text):
    assert short(count) == text


@pytest.mark.parametrize(
    ("unit", "count", "said"),
    [("view", 1, "view"), ("view", 0, "views"), ("GB", 2, "GB"), ("query", 2, "queries"), ("key", 2, "keys")],
)
def test_units_are_counted_as_people_do(unit, count, said):
    assert units(unit, count) == said


def test_percentages_need_no_float():
    assert (percent(0), percent(50), percent(3_333), percent(10_000)) == ("0%", "0.5%", "33.33%", "100%")
    assert usage_chart.span(TODAY, TODAY) == [TODAY]
