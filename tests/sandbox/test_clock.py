"""The sandbox's time."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from app import clock as our_clock
from app.sandbox import running_sandbox
from app.sandbox.core import Sandbox


def test_it_keeps_its_own_offset_over_a_restart(config):
    with running_sandbox(config, delivers=False) as first:
        first.advance(1000)

    with running_sandbox(config, delivers=False) as second:
        assert second.sandbox.clock.offset() == 1000


@pytest.mark.real_time
def test_it_follows_and_moves_the_clock_file_that_others_follow(config, tmp_path):
    file = tmp_path / "clock"
    our_clock.use_offset_file(file)
    try:
        with running_sandbox(replace(config, clock_file=file), delivers=False) as running:
            running.advance(86400)
            ours = int(our_clock.now().timestamp())
            our_clock.advance(3600)
            theirs = running.sandbox.clock.now()
    finally:
        our_clock.use_offset_file(None)

    assert abs(ours - int(time.time()) - 86400) <= 2
    assert abs(theirs - int(time.time()) - 90000) <= 2


def test_it_never_goes_back(config):
    sandbox = Sandbox(config)

    with pytest.raises(ValueError, match="forward"):
        sandbox.clock.advance(-1)
    sandbox.close()
