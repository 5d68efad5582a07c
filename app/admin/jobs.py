"""Staff: the worker's jobs. Each task with its last run, what came of it, and when it is asked again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import clock, jobs
from app.admin.roles import staff_reads
from app.errors import Invalid
from app.extensions import db
from app.http import csv_file, hx
from app.jobs.models import WorkerTask

pages = Blueprint("admin_jobs", __name__)

# What each task is for, in a sentence; one that is not here is shown by its name alone.
TITLES = {
    "reconcile": ("Reconciliation", "Reads the payment channels again, hourly and when asked."),
    "events": ("Webhook inbox", "Applies what payment providers told."),
    "mail": ("Mail", "Sends the mail that is queued."),
    "hooks": ("Outgoing webhooks", "Delivers events to the host product."),
    "renewals": ("Renewals", "Charges what renews, retries what failed, ends what was cancelled."),
    "credits": ("Credits", "Gives the credits that are due, and lets others expire."),
    "moves": ("Moves to another version", "Brings subscribers to the version of their plan that staff chose."),
    "usage": ("Usage", "Closes periods and bills what was used."),
    "sweep": ("Open orders", "Asks providers about payments nobody told of, and ends overdue holds."),
    "calls": ("Model calls", "Ends model calls that nobody ended."),
    "wallets": ("Low wallets", "Looks for wallets that fell below their level."),
    "top_ups": ("Automatic top-ups", "Charges cards for wallets that are low."),
    "refunds": ("Refunds", "Continues refunds that were begun."),
    "disputes": ("Disputes", "Asks the channels that do not tell of disputes by themselves."),
    "sums": ("Daily sums", "Keeps the figures that make big books quick to read."),
    "audit": ("Audit of the books", "Checks what was written since the last time."),
    "log": ("Audit log", "Seals new lines, and checks the chain once a day."),
}
OUTCOMES = {"did": ("Done", "ok", "pos"), "idle": ("Nothing to do", "dash", ""), "failed": ("Failed", "fail", "neg")}
STATES = (("", "Any"), ("failed", "Failed"), ("late", "Overdue"))
# The worker writes once a minute at least; whatever is that much behind its own word is not running.
LATE = timedelta(minutes=5)
_COLUMNS: dict[str, Callable[[WorkerTask], object]] = {
    "task": lambda task: task.name,
    "ran_at": lambda task: csv_file.instant(task.ran_at),
    "took_ms": lambda task: task.took_ms,
    "outcome": lambda task: task.outcome,
    "did": lambda task: task.did,
    "did_at": lambda task: csv_file.instant(task.did_at),
    "error": lambda task: task.error,
    "failed_at": lambda task: csv_file.instant(task.failed_at),
    "next_at": lambda task: csv_file.instant(task.next_at),
}


@pages.get("/admin/jobs")
@staff_reads
def index() -> Response | str:
    """Every task; for htmx the list alone, which asks for itself again."""
    now, every, state = clock.now(), jobs.all_tasks(db.session()), _state()
    shown: dict[str, Any] = {
        "tasks": [task for task in every if _is(task, state, now)],
        "some": bool(every),
        "late": [task for task in every if is_late(task, now)],
        "is_late": lambda task: is_late(task, now),
        "state": state,
        "csv": url_for(".index_csv", state=state or None),
        "states": STATES,
        "titles": TITLES,
        "outcomes": OUTCOMES,
        "title": title,
        "took": took,
    }
    template = "admin/jobs/_rows.html" if hx.is_partial() else "admin/jobs/index.html"
    return hx.answer(render_template(template, **shown))


@pages.get("/admin/jobs.csv")
@staff_reads
def index_csv() -> Response:
    """The same as a file."""
    now, session, state = clock.now(), db.session(), _state()
    wanted = [task for task in jobs.all_tasks(session) if _is(task, state, now)]
    return csv_file.of_list(session, "jobs", _COLUMNS, lambda _: (wanted, None))


def is_late(task: WorkerTask, now: datetime) -> bool:
    """Whether the worker has not come back to it when it said it would; of one run by hand nobody knows."""
    return task.next_at is not None and now - task.next_at > LATE


def title(task: WorkerTask) -> str:
    """What the page calls it."""
    return TITLES[task.name][0] if task.name in TITLES else task.name.replace("_", " ").capitalize()


def took(task: WorkerTask) -> str:
    """`320 ms`, `4 s`, `2 min`."""
    milliseconds = task.took_ms
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    return f"{milliseconds // 1_000} s" if milliseconds < 120_000 else f"{milliseconds // 60_000} min"


def _state() -> str:
    state = request.args.get("state", "").strip()
    if state not in [value for value, _ in STATES]:
        raise Invalid("There is no such state.", field="state")
    return state


def _is(task: WorkerTask, state: str, now: datetime) -> bool:
    return {"failed": task.outcome == "failed", "late": is_late(task, now)}.get(state, True)
