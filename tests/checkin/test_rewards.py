"""What a day gives, against counting it out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.terms import CheckInTerms
from app.checkin.rewards import Award, award, bonus_on, next_bonus_on

BONUSES = st.dictionaries(st.integers(2, 40), st.integers(1, 500), max_size=3).map(lambda found: tuple(found.items()))


def terms(**given):
    return CheckInTerms(**{"credits": 10, "bonuses": ((7, 30),), **given})


def test_every_seventh_day_gives_more() -> None:
    given = [award(terms(), streak).amount for streak in range(1, 16)]

    assert given == [10, 10, 10, 10, 10, 10, 40, 10, 10, 10, 10, 10, 10, 40, 10]


@settings(max_examples=50)
@given(bonuses=BONUSES, streak=st.integers(1, 400))
def test_bonuses_that_fall_together_are_added(bonuses: tuple[tuple[int, int], ...], streak: int) -> None:
    counted = sum(more for days, more in bonuses if streak in range(days, 401, days))

    assert bonus_on(terms(bonuses=bonuses), streak) == counted


@settings(max_examples=50)
@given(bonuses=BONUSES, streak=st.integers(1, 400))
def test_the_next_bonus_is_the_first_one_on_the_way(bonuses: tuple[tuple[int, int], ...], streak: int) -> None:
    walked = next((day for day in range(streak, streak + 41) if bonus_on(terms(bonuses=bonuses), day)), None)

    assert next_bonus_on(terms(bonuses=bonuses), streak) == walked


@settings(max_examples=50)
@given(held=st.integers(0, 200), most=st.integers(10, 200), streak=st.integers(1, 30))
def test_the_cap_leaves_what_there_is_room_for(held: int, most: int, streak: int) -> None:
    whole, capped = award(terms(), streak), award(terms(most=most), streak, held=held)

    assert capped.amount == max(0, min(whole.amount, most - held))
    assert 0 <= capped.bonus <= whole.bonus
    assert capped.amount - capped.bonus <= 10


def test_at_the_cap_nothing_is_given() -> None:
    assert award(terms(most=50), 7, held=50) == Award(0, 0)
    assert award(terms(most=50), 7, held=35) == Award(15, 5)
