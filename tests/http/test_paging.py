"""Cursors: what we made is read back, and everything else is refused by the field's name."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.http import paging


@given(st.integers(1, 2**63 - 1))
def test_a_cursor_is_read_back(place):
    assert paging.position(paging.cursor(place)) == place


@pytest.mark.parametrize("text", [None, ""])
def test_no_cursor_is_the_beginning(text):
    assert paging.position(text) is None


@given(st.text(min_size=1))
def test_any_other_text_is_refused_or_is_a_place(text):
    with suppress(Invalid):
        assert 0 < (paging.position(text) or 1) < 2**63


@pytest.mark.parametrize("number", ["s0", "s-1", "s9223372036854775808", "s" + "9" * 4_400, "s１", "s 1", "1"])
def test_places_that_cannot_be_are_refused(number):
    from base64 import urlsafe_b64encode

    with pytest.raises(Invalid):
        paging.position(urlsafe_b64encode(number.encode()).decode().rstrip("="))
