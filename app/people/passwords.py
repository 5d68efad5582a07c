"""Passwords: what may be one, and how it is kept (argon2id; ASVS 6.2, 11.4.2)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Refusal

SHORTEST, LONGEST = 8, 256
MEMORY_KIB, ROUNDS = 19 * 1024, 2  # the OWASP minimum: about 60 ms

_hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1, type=Type.ID)
_UNLEET = str.maketrans("@4301!$57", "aaeoiisst")


class PasswordRefused(Refusal):
    """This password is too short, too long or among the first an attacker tries."""

    code = "PASSWORD_REFUSED"


def use(memory_kib: int = MEMORY_KIB, rounds: int = ROUNDS) -> None:
    """Hash new passwords at this cost from now on; older hashes are renewed when their owners sign in."""
    global _hasher
    _hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1, type=Type.ID)
    _decoy.cache_clear()
    _decoy()  # made now, so that the first stranger to sign in waits no longer than the second


def check(password: str, *, email: str = "", field: str = "password") -> None:
    """Raise PasswordRefused unless it may be a password: 8 to 256 characters, not a common one, no other rules."""
    if len(password) < SHORTEST:
        raise PasswordRefused(f"Use {SHORTEST} characters or more. A few unrelated words work well.", field=field)
    if len(password) > LONGEST:
        raise PasswordRefused(f"Use {LONGEST} characters or fewer.", field=field)
    known = password.casefold()
    if is_common(password) or known in (email.casefold(), email.casefold().partition("@")[0]):
        raise PasswordRefused("This password is among the first an attacker tries. Choose another.", field=field)


def hashed(password: str) -> str:
    """The argon2id hash. Takes tens of milliseconds on purpose: never call it inside a transaction."""
    return _hasher.hash(_normal(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether this is the password. Takes the same time when there is none to compare with."""
    if len(password) > LONGEST:
        return False
    try:
        _hasher.verify(password_hash or _decoy(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return _hasher.check_needs_rehash(password_hash)


def is_common(password: str) -> bool:
    """Whether guessing programs try it early: a listed word, however dressed up with digits, signs or case."""
    plain = _normal(password).casefold()
    if len(set(plain)) <= 3 or _is_run(plain):
        return True
    bases = {plain, re.sub(r"[\W\d_]+$", "", plain), re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)}
    bases |= {base.translate(_UNLEET) for base in bases}
    bases |= {_unrepeated(base) for base in bases}
    bases.discard("")
    # Digits and signs alone around nothing: dates, telephone numbers and pins.
    return re.fullmatch(r"[\d\W_]{1,11}", plain) is not None or not bases.isdisjoint(_listed())


def _normal(password: str) -> str:
    # The same accented letter typed on two systems must be the same password.
    return unicodedata.normalize("NFKC", password)


def _is_run(text: str) -> bool:
    """Letters or digits that follow each other in the alphabet: abcdefgh, 98765432."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1


def _unrepeated(text: str) -> str:
    """`monkeymonkey` is `monkey`."""
    found = re.fullmatch(r"(.{2,}?)\1+", text)
    return found[1] if found else text


@cache
def _listed() -> frozenset[str]:
    text = (Path(__file__).parent / "common_passwords.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@cache
def _decoy() -> str:
    return _hasher.hash("nobody's password")
