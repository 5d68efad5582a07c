"""Staff: the worker's jobs, and what is kept of their runs."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from app import clock, jobs
from app.db import transaction
from app.jobs import Note, Notes
from app.worker import process
from app.worker.tasks import Task
from tests.admin.conftest import HX

HERE = "/admin/jobs"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def keeps(session, *notes: Note) -> None:
    session.rollback()
    with transaction(session):
        jobs.keep(session, notes)


def test_before_a_worker_ran_it_says_so(as_support):
    assert "No worker has run yet" in as_support.get(HERE).text


def test_it_shows_what_each_job_did_last(session, as_support, clock):
    now = clock.now
    soon = now + timedelta(seconds=8)
    keeps(session, Note("events", now, 320, 4, "", soon), Note("mail", now, 5_000, 0, "OSError: <no route>", soon))

    page = as_support.get(HERE).text

    for words in ("Webhook inbox", "320 ms", "Mail", "OSError: &lt;no route&gt;", "Failed", "Done"):
        assert words in page, words
    assert "overdue" not in page
    assert "Webhook inbox" not in as_support.get(HERE + "?state=failed", headers=HX).text
    assert "Nothing matches" in as_support.get(HERE + "?state=late", headers=HX).text
    assert as_support.get(HERE + "?state=odd").status_code == 422
    assert "mail,2026-03-14T09:30:00Z,5000,failed,0,,OSError: <no route>" in as_support.get(HERE + ".csv").text
    assert "mail," in as_support.get(HERE + ".csv?state=failed").text
    assert "events," not in as_support.get(HERE + ".csv?state=failed").text


def test_what_it_did_and_what_broke_it_stay_known(session, as_support, clock):
    now = clock.now
    for number, note in enumerate((("did", 3, ""), ("failed", 0, "OSError: away"), ("idle", 0, ""))):
        keeps(session, Note("mail", now + timedelta(minutes=number), 10, note[1], note[2]))

    [task] = jobs.all_tasks(session)

    assert (task.outcome, task.error) == ("idle", None)
    assert task.did_at < task.failed_at < task.ran_at
    assert "Nothing to do" in as_support.get(HERE).text


def test_a_worker_that_is_gone_is_noticed(session, as_support, clock):
    keeps(session, Note("mail", clock.now, 10, 0, "", clock.now + timedelta(seconds=8)))

    clock.advance(minutes=10)

    page = as_support.get(HERE).text
    assert "1 of the jobs is overdue" in page
    assert "purser work" in page


def test_notes_are_written_seldom_and_lose_nothing() -> None:
    now, written = 0.0, []
    notes = Notes(lambda: now)
    # Each half second a run: a hundred that did something, then nothing for five minutes.
    for number in range(700):
        now = number / 2
        due = notes.due(Note("t", clock.now(), 1, 1 if number < 100 else 0))
        written += [due] if due else []

    assert sum(note.did for note in written) == 100
    assert len(written) <= 10 + 1 + 6
    assert written[-1].outcome == "idle"


def test_a_failure_is_not_hidden_by_the_idle_runs_after_it() -> None:
    now = 0.0
    notes = Notes(lambda: now)
    assert notes.due(Note("t", clock.now(), 1))
    now = 1.0
    assert notes.due(Note("t", clock.now(), 1, 0, "OSError: away")) is None

    now = 6.0
    told = notes.due(Note("t", clock.now(), 1))

    assert told is not None
    assert told.error == "OSError: away"


def test_the_loop_keeps_what_its_tasks_do(session, sessions) -> None:
    stop, results = threading.Event(), iter([5])

    def run() -> int:
        found = next(results, None)
        if found is None:
            stop.set()
        return found or 0

    process._repeat(Task("mail", run, 0.001, 0.002), stop, process.writer(sessions))

    [task] = jobs.all_tasks(session)
    assert (task.name, task.outcome, task.did) == ("mail", "did", 5)
    assert task.next_at is not None


def test_a_database_that_is_away_stops_no_task(caplog: pytest.LogCaptureFixture) -> None:
    def sessions():
        raise OSError("the disk is full")

    process.writer(sessions)(Note("mail", clock.now(), 1))

    assert "could not be kept" in caplog.text
