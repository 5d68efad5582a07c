"""What operators are told to set up at Stripe is what the program uses."""

from __future__ import annotations

import re
from pathlib import Path

import stripe

from app.providers.stripe.told import READERS
from tests.support.tree import text

DOCUMENTED = text(Path("docs/stripe.md"))


def test_every_event_that_is_used_is_documented_and_no_other() -> None:
    rows = [line for line in DOCUMENTED.splitlines() if line.startswith("| ")]

    assert {name for row in rows for name in re.findall(r"`([a-z_]+\.[a-z_.]+)`", row)} == set(READERS)


def test_the_version_an_endpoint_is_to_speak_is_documented() -> None:
    assert f"`{stripe.api_version}`" in DOCUMENTED
