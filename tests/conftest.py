"""What every test can ask for. The fixtures live in tests/support, one file for each thing.

Databases: `session`, `engine`, `database_url` (SQLite and PostgreSQL both), `sqlite_url`, `pg_url`, `new_database`.
People: `ada`, `bo`, `cy`, `di`, `support`, `finance`, `admin`, `person`, `service_key`, `client_of(ada)`.
The web: `app`, `client`, `settings`. Time: `clock`. A browser: `page`, `browser_context`, `javascript`.
The whole program: `running_purser`, `start_program`, `cold_start`.
"""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = [
    "tests.support.heap",  # the first: what the others import counts
    "tests.support.databases",
    "tests.support.time",
    "tests.support.network",
    "tests.support.web",
    "tests.support.people",
    "tests.support.browser",
    "tests.support.warm_start",
    "tests.support.running",
    "tests.support.selection",
    "tests.support.outgoing",
    "tests.support.payments",
    "tests.support.card_paid",
    "tests.support.invoicing",
    "tests.support.plans",
    "tests.support.polar",
    "tests.support.creem",
    "tests.support.usage",
    "tests.support.llm_double",
    "tests.support.proxying",
    "tests.support.lemon",
    "tests.support.two_channels",
]

# One machine is slower than another; a test that is wrong is caught by its assertions, not by a stop-watch.
settings.register_profile("purser", deadline=None, print_blob=True)
settings.load_profile("purser")
