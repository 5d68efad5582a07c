"""E-mail addresses: what may be one, when two are the same mailbox, and when they are the same person."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from app.errors import Refusal

LONGEST = 254  # RFC 5321: longer cannot be delivered

# Deliberately loose: only the mail that arrives proves an address. Nothing that could break a mail header gets in.
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)*[^\W_](?:[\w-]{0,61}[^\W_])?")
_DOTS_MEAN_NOTHING = ("gmail.com", "googlemail.com")


class AddressInvalid(Refusal):
    """This cannot be an e-mail address."""

    code = "INVALID_EMAIL"


def clean(typed: str) -> str:
    """The address as its owner writes it, without the space around it. Raises AddressInvalid."""
    address = typed.strip()
    printable = all(unicodedata.category(letter)[0] not in "CZ" for letter in address)
    if len(address) > LONGEST or not printable or not _ADDRESS.fullmatch(address):
        raise AddressInvalid("Enter an email address like name@example.com.", field="email")
    return address


def key(address: str) -> str:
    """How we compare addresses: two with the same key are the same mailbox and the same user."""
    return unicodedata.normalize("NFKC", address.strip()).casefold()


def person_hash(address: str) -> str:
    """SHA-256 of the person behind a mailbox: case, +alias and Gmail's dots ignored, so one person is welcomed once (W1)."""
    local, _, domain = key(address).rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTS_MEAN_NOTHING:
        local, domain = local.replace(".", ""), _DOTS_MEAN_NOTHING[0]
    return hashlib.sha256(f"{local}@{domain}".encode()).hexdigest()
