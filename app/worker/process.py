"""The worker's loop: every task in a thread of its own, until told to stop. No fault of one task ends it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Event, Thread
from time import monotonic

from app import clock, jobs
from app.config import Settings
from app.db import transaction
from app.providers.port import Provider
from app.worker.tasks import SessionFactory, Task, tasks

log = logging.getLogger(__name__)

_LAST_PATIENCE = 30.0  # seconds for what is under way when we are told to stop
_MOST_ROUNDS = 1000  # of `run_once`, for a queue that is filled as fast as it is emptied


def run(
    session_factory: SessionFactory,
    settings: Settings,
    providers: Mapping[str, Provider],
    *,
    on_ready: Callable[[], object] = lambda: None,
) -> None:
    """A worker process: works until SIGTERM or SIGINT, then finishes what is under way and returns.

    `on_ready` is called once it would end cleanly: whoever waits for its word may stop it at once.
    """
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    on_ready()
    loop(session_factory, settings, providers, stop)


def loop(session_factory: SessionFactory, settings: Settings, providers: Mapping[str, Provider], stop: Event) -> None:
    """Work until `stop` is set. Any number may run at once, in any number of processes."""
    threads = [
        Thread(target=_repeat, args=(task, stop, writer(session_factory)), name=f"worker-{task.name}", daemon=True)
        for task in tasks(session_factory, settings, providers)
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(_LAST_PATIENCE)


def run_once(session_factory: SessionFactory, settings: Settings, providers: Mapping[str, Provider]) -> dict[str, int]:
    """Do everything that is due now and say how much of each that was. A task's fault is raised here."""
    did: dict[str, int] = {}
    notes: list[jobs.Note] = []
    for task in reversed(tasks(session_factory, settings, providers)):  # the sweep may fill the inbox
        did[task.name], began, at = 0, monotonic(), clock.now()
        for _ in range(_MOST_ROUNDS):
            now = task.run()
            did[task.name] += now
            if not now:
                break
        notes.append(jobs.Note(task.name, at, _since(began), did[task.name]))
    with session_factory() as session, transaction(session):
        jobs.keep(session, notes)
    return did


def writer(session_factory: SessionFactory) -> Callable[[jobs.Note], None]:
    """Writes what one task did where staff see it; seldom, and a fault in that never stops the task."""
    notes = jobs.Notes()

    def write(note: jobs.Note) -> None:
        due = notes.due(note)
        if due is None:
            return
        try:
            with session_factory() as session, transaction(session):
                jobs.keep(session, [due])
        except Exception:
            log.exception("what the worker's task %s did could not be kept", note.name)

    return write


def _repeat(task: Task, stop: Event, tell: Callable[[jobs.Note], None] = lambda _note: None) -> None:
    pause = task.shortest
    while not stop.is_set():
        began, at = monotonic(), clock.now()
        did, error = _safely(task)
        wait = 0.0 if did else pause
        tell(jobs.Note(task.name, at, _since(began), did, error, clock.now() + timedelta(seconds=wait)))
        if did:
            pause = task.shortest
            continue
        (task.wake or stop.wait)(pause)
        pause = min(pause * 2, task.longest)


def _safely(task: Task) -> tuple[int, str]:
    """Run it once; whatever breaks is logged and counts as nothing done, so that it is tried again after a pause."""
    try:
        return task.run(), ""
    except Exception as fault:
        log.exception("the worker's task %s failed and will be tried again", task.name)
        return 0, f"{type(fault).__name__}: {' '.join(str(fault).split())}"


def _since(began: float) -> int:
    return round((monotonic() - began) * 1000)
