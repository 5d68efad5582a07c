"""The command line `purser`: one group of commands, one place that turns faults into sentences and exit codes.

Exit codes: 0 done, 1 refused or found wrong, 2 the command or the settings cannot be used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.cli.answers import fail
from app.cli.audit_log import audit
from app.cli.books import books
from app.cli.catalogue import catalogue
from app.cli.clock import clock
from app.cli.customers import customers
from app.cli.demo import demo
from app.cli.doctor import doctor
from app.cli.keys import keys
from app.cli.migrate import migrate
from app.cli.reconcile import reconcile
from app.cli.seed import seed
from app.cli.serve import serve
from app.cli.staff import staff
from app.cli.users import users
from app.cli.wallet import wallet
from app.cli.webhooks import webhooks
from app.cli.work import work
from app.config import SettingsError
from app.errors import Refusal

NO_TABLES = "The database has no tables yet, or old ones: run `purser migrate` first."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def purser() -> None:
    """Purser: plans, wallets and invoices for the customers of your product."""


_COMMANDS = (
    *(
        demo,
        serve,
        work,
        migrate,
        seed,
        doctor,
        audit,
        books,
        catalogue,
        customers,
        keys,
        reconcile,
        staff,
        users,
        wallet,
        webhooks,
        clock,
    ),
)
for command in _COMMANDS:
    purser.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit. Every fault a person can mend is one sentence, or one JSON object with --json."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = purser.main(args=given, prog_name="purser", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.ctx.get_help())
        code = 2
    except click.ClickException as wrong:
        code = fail(as_json, "USAGE", [wrong.format_message()], code=2)
    except click.Abort:
        code = fail(as_json, "STOPPED", ["Stopped."], code=1)
    except SettingsError as wrong:
        code = fail(as_json, "SETTINGS", wrong.problems, code=2)
    except Refusal as refusal:
        code = fail(as_json, refusal.code, [refusal.sentence], details=refusal.details)
    except (OperationalError, ProgrammingError) as fault:
        code = fail(as_json, "DATABASE", [_database_fault(str(fault.orig))], code=2)
    sys.exit(code if isinstance(code, int) else 0)


def _database_fault(told: str) -> str:
    if "no such table" in told or "no such column" in told or "does not exist" in told:
        return NO_TABLES
    return "The database does not answer as it should: " + " ".join(told.split())[:300].rstrip(".") + "."
