"""E-mail addresses: what may be one, when two are one mailbox, when two are one person."""

from __future__ import annotations

import pytest

from app.people import addresses
from app.people.addresses import AddressInvalid


@pytest.mark.parametrize(
    "typed", ["ada@example.com", " ada@example.com ", "ada+tag@example.com", "zoë@example.com", "a@b.test"]
)
def test_it_takes_addresses(typed: str) -> None:
    assert addresses.clean(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a@b@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nX: y",
        "ada@exa\u0000mple.com",
        "ada,eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@" + "x" * 250 + ".com",
        "ada@\u202eexample.com",
    ],
)
def test_it_refuses_what_is_none_or_would_break_a_header(typed: str) -> None:
    with pytest.raises(AddressInvalid):
        addresses.clean(typed)


def test_case_and_width_do_not_make_another_mailbox() -> None:
    assert addresses.key("Ada@Example.COM ") == addresses.key("ada@example.com")
    assert addresses.key("\uff41da@example.com") == addresses.key("ada@example.com")
    assert addresses.key("ada@example.com") != addresses.key("ad@example.com")


def test_aliases_are_the_same_person() -> None:
    ada = addresses.person_hash("ada.lovelace@gmail.com")

    assert addresses.person_hash("AdaLovelace+billing@googlemail.com") == ada
    assert addresses.person_hash("a.d.a.lovelace@gmail.com") == ada
    assert addresses.person_hash("ada.lovelace@example.com") != ada
    assert addresses.person_hash("ada.lovelace@example.com") != addresses.person_hash("adalovelace@example.com")
