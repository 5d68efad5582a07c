"""Every setting is documented, and everything documented is a setting."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from app.config import Settings, variable
from tests.support.tree import text

NAMES = {variable(field.name) for field in fields(Settings)}


def test_every_setting_is_documented() -> None:
    documented = text(Path("docs/settings.md"))

    assert not [name for name in sorted(NAMES) if f"`{name}`" not in documented]


def test_every_documented_setting_exists() -> None:
    documented = set(re.findall(r"`((?:PURSER|STRIPE|SMTP|REDIS)_[A-Z_]+)`", text(Path("docs/settings.md"))))

    assert documented <= NAMES
