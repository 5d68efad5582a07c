"""Running commands: `purser("customers", "create", …)` in this process, with nothing of the machine's own settings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app import clock as the_clock
from tests.support.running import OUR_VARIABLES


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def purser(monkeypatch, capsys, database_url: str, tmp_path: Path) -> Iterator[Callable[..., Said]]:
    """Runs one command on this test's database; variables are keywords: `purser("doctor", PURSER_ENV="production")`."""
    for name in [name for name in os.environ if name.startswith(OUR_VARIABLES)]:
        monkeypatch.delenv(name)
    ours = {"PURSER_ENV": "test", "PURSER_DATABASE_URL": database_url, "PURSER_DEMO_DIRECTORY": str(tmp_path / "demo")}

    def run(*words: str, **variables: str) -> Said:
        for name, value in {**ours, **variables}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        told = capsys.readouterr()
        return Said(int(ended.value.code or 0), told.out, told.err)

    yield run
    the_clock.use_offset_file(None)
