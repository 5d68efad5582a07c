"""The demo's directory: its secrets (made once), its clock file, its databases, and the settings they amount to."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from app.config import Settings, SettingsError

STATE_FILE = "demo.json"
DEFAULT_DATABASE_URL = Settings().database_url
# Whose name the demo's invoices carry, unless the environment names somebody.
SELLER: dict[str, Any] = {
    "seller_name": "Purser Demo Ltd",
    "seller_address": "12 Quay Street|Bristol BS1 4DJ",
    "seller_country": "GB",
    "seller_tax_id": "GB123456789",
}


@dataclass(frozen=True)
class Demo:
    """What one demo directory holds; `databases` are the URLs the demo filled itself and may therefore wipe."""

    directory: Path
    port: int
    secret_key: str
    stripe_secret_key: str
    stripe_webhook_secret: str
    databases: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)  # shown at every start: only their hashes are in the database

    @property
    def clock_file(self) -> Path:
        return self.directory / "clock"

    @property
    def own_database(self) -> str:
        return f"sqlite:///{self.directory / 'purser.db'}"

    @property
    def sandbox_database(self) -> Path:
        return self.directory / "sandbox.db"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, given: Settings) -> Settings:
        """The demo's settings; a database, mail server, currency and seller named by the environment are kept."""
        chosen = given.database_url if given.database_url != DEFAULT_DATABASE_URL else self.own_database
        return replace(
            given,
            env="demo",
            database_url=chosen,
            secret_key=self.secret_key,
            base_url=self.base_url,
            stripe_secret_key=self.stripe_secret_key,
            stripe_webhook_secret=self.stripe_webhook_secret,
            stripe_api_base=self.base_url + "/sandbox",
            clock_file=str(self.clock_file),
            webhook_private_addresses=1,  # the receiver somebody tries it with stands beside it
            **(SELLER if given.seller_name == Settings().seller_name else {}),
        )


def claimed(directory: Path) -> IO[str]:
    """Keep other demos out of `directory` while the file given back is open: they would share, or with --reset remove,
    databases that are in use. Raises SettingsError when a demo runs there already."""
    # Beside the directory, so that wiping it leaves the lock alone.
    lock = directory.resolve().with_name(directory.resolve().name + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        other = read(directory)
        running = f"A demo runs in {directory} already" + (f", at {other.base_url}." if other else ".")
        way_out = "End it first, or give this one a directory of its own with PURSER_DEMO_DIRECTORY."
        raise SettingsError([f"{running} {way_out}"]) from None
    return file


def prepared(directory: Path, port: int) -> Demo:
    """The demo kept in `directory`, made with fresh secrets when there is none; it is to listen on `port`."""
    directory.mkdir(parents=True, exist_ok=True)
    demo = read(directory)
    if demo is None:
        demo = Demo(
            directory,
            port,
            secrets.token_urlsafe(48),
            "sk_test_" + secrets.token_hex(24),
            "whsec_" + secrets.token_hex(24),
        )
    demo = replace(demo, port=port)
    keep(demo)
    return demo


def keep(demo: Demo) -> None:
    """Write the state, readable by its owner alone: it holds secrets, if only of a demo."""
    state = {name: value for name, value in vars(demo).items() if name != "directory"}
    beside = demo.directory / (STATE_FILE + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent=1)
    os.replace(beside, demo.directory / STATE_FILE)


def wipe(directory: Path) -> None:
    """Forget the demo in `directory`. Raises SettingsError for a directory the demo did not make."""
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / STATE_FILE).exists():
        raise SettingsError([f"{directory} is not a demo's directory; nothing was removed."])
    shutil.rmtree(directory)


def settings_from(given: Settings) -> Settings:
    """With PURSER_ENV=demo, the settings of the demo started here, unless the environment says everything itself."""
    demo = read(Path(given.demo_directory))
    if demo is None or given.clock_file or given.secret_key:
        return given
    return demo.settings(given)


def read(directory: Path) -> Demo | None:
    """The demo kept in `directory`, if there is one."""
    try:
        state = json.loads((directory / STATE_FILE).read_text())
    except FileNotFoundError:
        return None
    state["databases"] = tuple(state.get("databases", ()))
    return Demo(directory=directory, **state)
