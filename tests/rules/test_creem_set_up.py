"""What operators are told to set up at Creem is what the program uses."""

from __future__ import annotations

import re
from pathlib import Path

from app.providers.creem.told import SENT
from tests.support.tree import text

DOCUMENTED = text(Path("docs/creem.md"))


def test_every_event_that_is_used_is_documented_and_no_other() -> None:
    rows = [line for line in DOCUMENTED.splitlines() if line.startswith("| ")]

    assert {name for row in rows for name in re.findall(r"`([a-z_]+\.[a-z_.]+)`", row)} == set(SENT)
