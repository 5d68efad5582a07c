"""Crashes on purpose: at the n-th step of a piece of work, counting each commit and each call, before and after."""

from __future__ import annotations

import os
import signal
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from tests.support.fake_provider import FakeProvider


class Crash(BaseException):
    """The process ends here: nothing that catches Exception sees it."""


class Doom:
    """Counts steps, and crashes at the `point`-th, from 0. What was committed before it stays."""

    def __init__(self, point: int, fake: FakeProvider | None = None) -> None:
        self.point = point
        self.passed = 0
        if fake is not None:
            fake.before = fake.after = self.step

    def step(self, _what: str = "") -> None:
        self.passed += 1
        if self.passed - 1 == self.point:
            raise Crash(self.point)

    def sessions(self, engine: Engine) -> sessionmaker[Session]:
        """Sessions whose commits are two steps each: one before it is done, one after."""
        doom = self

        class Doomed(Session):
            def commit(self) -> None:
                doom.step()
                super().commit()
                doom.step()

        return sessionmaker(engine, class_=Doomed, expire_on_commit=False)


class Doomed:
    """An adapter whose calls are two steps each: one before it is asked, one after it was done."""

    def __init__(self, real: Any, doom: Doom) -> None:
        self._real, self._doom = real, doom

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found) or name in ("verify", "normalize"):
            return found

        def call(*args: Any, **how: Any) -> Any:
            self._doom.step()
            answer = found(*args, **how)
            self._doom.step()
            return answer

        return call


class Killed(Doom):
    """The process is killed at this point, by the kernel."""

    def step(self, _what: str = "") -> None:
        self.passed += 1
        if self.passed - 1 == self.point:
            os.kill(os.getpid(), signal.SIGKILL)
