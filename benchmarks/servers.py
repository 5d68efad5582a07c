"""The databases a benchmark runs on: a PostgreSQL of its own with production durability, and SQLite files."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def programs() -> Path:
    """Where PostgreSQL's programs are. Raises SystemExit with a sentence if there are none."""
    found = shutil.which("initdb")
    places = (
        [Path(found).parent]
        if found and (Path(found).parent / "pgbench").exists()
        else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    if not places:
        raise SystemExit("PostgreSQL's programs (initdb, pgbench) were not found; install postgresql.")
    return places[0]


def _as_nobody() -> dict[str, Any]:
    # initdb refuses to run as root.
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@contextlib.contextmanager
def postgresql(parent: Path, *, kept: bool = False) -> Iterator[Path]:
    """A server with fsync and synchronous_commit on, reached through a socket in the directory this gives.

    `kept`: its data stay in `parent`, and are there the next time.
    """
    home = parent / "pg" if kept else Path(tempfile.mkdtemp(prefix="pg", dir=parent))
    home.mkdir(exist_ok=True)
    home.chmod(0o777)
    bin_ = programs()
    run: dict[str, Any] = {"check": True, "cwd": "/", "stdout": subprocess.DEVNULL, **_as_nobody()}
    data = str(home / "data")
    if not (home / "data").exists():
        subprocess.run([bin_ / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8"], **run)
    options = f"-k {home} -h '' -c shared_buffers=512MB -c max_wal_size=8GB -c checkpoint_timeout=30min"
    subprocess.run([bin_ / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start"], **run)
    try:
        yield home
    finally:
        subprocess.run([bin_ / "pg_ctl", "-D", data, "-w", "-m", "fast" if kept else "immediate", "stop"], **run)


def pgbench(home: Path, script: str, clients: int, seconds: float) -> float:
    """Transactions per second of a script."""
    file = home / "script.sql"
    file.write_text(script)
    told = subprocess.run(
        [programs() / "pgbench", "-n", "-M", "prepared", "-f", file, "-c", str(clients), "-j", str(min(clients, 2)),
         "-T", str(max(1, round(seconds))), "-h", home, "-U", "postgres", "postgres"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return next(float(line.split()[2]) for line in told.splitlines() if line.startswith("tps"))


def compiled_limit(parent: Path) -> Path:
    """The C program, compiled."""
    program = parent / "limit"
    subprocess.run(["cc", "-O2", "-o", program, HERE / "limit.c", "-lsqlite3"], check=True)
    return program


def sqlite_limit(
    program: Path, parent: Path, wallets: int, seconds: float, batch: int, like: Path | None = None
) -> float:
    """Debits per second of the C program, on a file of its own; with the tables and indexes of the database `like`."""
    file = parent / f"{'limit' if like is None else 'kept'}{wallets}.db"
    if like is not None and not file.exists():
        _copy_tables(like, file)
    told = subprocess.run(
        [program, file, str(wallets), str(seconds), str(batch), *(["kept"] if like else [])],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return float(told)


def _copy_tables(like: Path, file: Path) -> None:
    """The ledger's tables and indexes, empty and without triggers."""
    with contextlib.closing(sqlite3.connect(like)) as ours, contextlib.closing(sqlite3.connect(file)) as theirs:
        made = ours.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name IN ('ledger_account', 'ledger_entry', 'ledger_leg') "
            "AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC"
        )
        theirs.executescript(";".join(sql for (sql,) in made))


def sync_microseconds(parent: Path) -> float:
    """The median time this disk takes to make 8 kB durable: no commit is faster, and a shared one saves it."""
    took = []
    with (parent / "synced").open("wb") as file:
        for _ in range(200):
            file.write(bytes(8192))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6
