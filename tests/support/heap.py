"""What was imported and collected is not searched for garbage again and again.

A worker of the tests holds more than a million objects before the first test begins, and none of them goes before the
last one has ended. Looking through them was a twentieth of all time.
"""

from __future__ import annotations

import gc

YOUNG = 10_000  # so many new objects before the youngest are looked at; the interpreter begins with some hundreds

gc.disable()  # until everything is imported and collected: nearly all of it stays


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    gc.enable()
