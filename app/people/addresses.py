"""E-mail addresses: what may be one, when two are the same mailbox, and when they are the same person."""

from __future__ import annotations

import hashlib
import unicodedata

from email_validator import EmailNotValidError, validate_email

from app.errors import Refusal

_DOTS_MEAN_NOTHING = ("gmail.com", "googlemail.com")


class AddressInvalid(Refusal):
    """This cannot be an e-mail address."""

    code = "INVALID_EMAIL"


def clean(typed: str) -> str:
    """The address as its owner writes it, without the space around it. Raises AddressInvalid.

    Only the mail that arrives proves an address, so no domain is looked up. Nothing that could break a mail header
    gets through.
    """
    try:
        # test_environment lets .test through, which demos and tests of the people who install this use.
        return validate_email(typed.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as wrong:
        raise AddressInvalid("Enter an email address like name@example.com.", field="email") from wrong


def key(address: str) -> str:
    """How we compare addresses: two with the same key are the same mailbox and the same user."""
    return unicodedata.normalize("NFKC", address.strip()).casefold()


def person_hash(address: str) -> str:
    """SHA-256 of the person behind a mailbox: case, +alias and Gmail's dots ignored, so one is welcomed once (W1)."""
    local, _, domain = key(address).rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTS_MEAN_NOTHING:
        local, domain = local.replace(".", ""), _DOTS_MEAN_NOTHING[0]
    return hashlib.sha256(f"{local}@{domain}".encode()).hexdigest()
