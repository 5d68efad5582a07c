"""Passwords: what may be one, and how it is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.people import passwords
from app.people.passwords import PasswordRefused


@pytest.fixture
def real_cost() -> Iterator[None]:
    passwords.use()
    yield
    passwords.use(memory_kib=8, rounds=1)


@pytest.mark.parametrize(
    "password", ["plum kettle orbit", "x" * 3 + "Qz8!vnmw", "ünïcödé-wörds", "a b c d e f g h 7", "%s" % ("qK7-" * 64)]
)
def test_it_allows_any_composition(password: str) -> None:
    passwords.check(password)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "qK7-" * 64 + "x",  # 257 characters
        "password",
        "PassWord",
        "P@ssw0rd2024!",
        "12345678",
        "87654321",
        "aaaaaaaa",
        "abcdefgh",
        "monkeymonkey",
        "qwertyuiop",
        "1q2w3e4r",
        "iloveyou!!",
        "Summer2025!",
        "2024-01-31",
        "correcthorsebatterystaple",
    ],
)
def test_it_refuses_what_is_short_long_or_common(password: str) -> None:
    with pytest.raises(PasswordRefused):
        passwords.check(password)


def test_it_refuses_thousands_of_the_common_ones() -> None:
    years = [str(year) for year in range(1990, 2031)]
    words = [
        "password",
        "welcome",
        "dragon",
        "football",
        "princess",
        "sunshine",
        "michael",
        "qwerty",
        "letmein",
        "monkey",
    ]
    guesses = {
        word + year + sign for word in words for year in years for sign in ("", "!", "!!", "#", "?", "1!", "@", "*")
    }

    assert len(guesses) > 3000
    assert all(passwords.is_common(guess) for guess in guesses)


def test_it_refuses_the_address_itself() -> None:
    with pytest.raises(PasswordRefused):
        passwords.check("Ada@Example.com", email="ada@example.com")
    with pytest.raises(PasswordRefused):
        passwords.check("adalovelace", email="adalovelace@example.com")


def test_no_character_is_cut_off() -> None:
    long = "plum kettle orbit " * 14
    kept = passwords.hashed(long[:250])

    assert passwords.matches(long[:250], kept)
    assert not passwords.matches(long[:249], kept)


def test_it_matches_only_the_password_itself() -> None:
    kept = passwords.hashed("plum kettle orbit")

    assert passwords.matches("plum kettle orbit", kept)
    assert not passwords.matches("plum kettle orbiT", kept)
    assert not passwords.matches("plum kettle orbit", None)
    assert not passwords.matches("plum kettle orbit", "not a hash")


def test_an_accented_letter_is_the_same_however_it_was_typed() -> None:
    kept = passwords.hashed("caf\u00e9 au lait noir")

    assert passwords.matches("cafe\u0301 au lait noir", kept)


def test_the_cost_is_the_one_we_promise(real_cost: None) -> None:
    assert passwords.hashed("plum kettle orbit").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_cheaper_hash_is_to_be_renewed(real_cost: None) -> None:
    passwords.use(memory_kib=8, rounds=1)
    cheap = passwords.hashed("plum kettle orbit")
    passwords.use()

    assert passwords.needs_rehash(cheap)
    assert passwords.matches("plum kettle orbit", cheap)
    assert not passwords.needs_rehash(passwords.hashed("plum kettle orbit"))


def test_a_huge_password_is_not_worth_hashing() -> None:
    assert not passwords.matches("x" * 1_000_000, passwords.hashed("plum kettle orbit"))
