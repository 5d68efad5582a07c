"""`purser clock`: the demo's movable clock (SPEC R9). Real time is not ours to move."""

from __future__ import annotations

import re
from pathlib import Path

import click

from app import clock as the_clock
from app.cli import demo_files
from app.cli.answers import Answer, answering
from app.config import ROOT, Settings, SettingsError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_STEP = re.compile(r"(?P<count>\d{1,9})(?P<unit>[smhdw])\Z", re.ASCII)
LONGEST = 10 * 366 * 86400


@click.group()
def clock() -> None:
    """Show or move the clock of the demo."""


@clock.command()
@answering
def show() -> Answer:
    """Say what time it is for the demo."""
    _follow()
    return _told()


@clock.command()
@click.argument("step")
@answering
def advance(step: str) -> Answer:
    """Move the clock forward by STEP: 90s, 45m, 12h, 31d or 2w."""
    seconds = read_step(step)
    _follow()
    the_clock.advance(seconds)
    return _told()


def read_step(text: str) -> int:
    """Seconds from text such as `31d`. Raises click.BadParameter for anything else, and for more than ten years."""
    found = _STEP.match(text.strip().lower())
    if not found:
        raise click.BadParameter(
            f"{text!r} is not a step; write a number and s, m, h, d or w, like 31d.", param_hint="STEP"
        )
    seconds = int(found["count"]) * SECONDS[found["unit"]]
    if not 0 < seconds <= LONGEST:
        raise click.BadParameter("A step is more than nothing and at most ten years.", param_hint="STEP")
    return seconds


def _follow() -> None:
    settings = Settings.from_env()
    directory = Path(settings.demo_directory)
    if settings.clock_file and not settings.is_production:
        the_clock.use_offset_file(ROOT / settings.clock_file)
    elif not settings.clock_file and (directory / demo_files.STATE_FILE).exists():
        the_clock.use_offset_file(directory / "clock")
    else:
        raise SettingsError(
            ["The clock moves in the demo only: start `purser demo` first, or name its PURSER_CLOCK_FILE."]
        )


def _told() -> Answer:
    now = the_clock.timestamp(the_clock.now())
    return Answer([f"It is {now} in the demo."], {"now": now})
