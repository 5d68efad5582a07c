"""`purser doctor`: what is missing or mismatched, one sentence each, without changing anything."""

from __future__ import annotations

import smtplib

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.cli.answers import Answer, answering
from app.cli.connection import read_settings, sessions, take_up
from app.config import Settings
from app.db import make_engine
from app.flows import audit_books, deliver
from app.http import check_up
from app.http.check_up import Line
from app.payments import doctor as payments
from app.providers import registry


@click.command()
@answering
def doctor() -> Answer:
    """Check settings, database, books, mail and payment providers; exit code 1 when something is wrong."""
    settings = read_settings()
    take_up(settings)
    lines = [*check_up.of_settings(settings), *_database(settings), *_mail(settings), *_payments(settings)]
    wrong = [sentence for well, sentence in lines if not well]
    told = [f"{'well ' if well else 'WRONG'}  {sentence}" for well, sentence in lines]
    checks = [{"ok": well, "sentence": sentence} for well, sentence in lines]
    return Answer(told, {"ok": not wrong, "checks": checks}, code=1 if wrong else 0)


def _database(settings: Settings) -> list[Line]:
    if not schema.exists(settings.database_url):  # connecting would make the file
        return [(False, "The database's file is not there: run `purser migrate`.")]
    engine = make_engine(settings.database_url)
    try:
        return _tables(engine)
    except SQLAlchemyError as fault:
        return [(False, "The database does not answer: " + " ".join(str(fault.__cause__ or fault).split())[:200])]
    finally:
        engine.dispose()


def _tables(engine: Engine) -> list[Line]:
    well = check_up.of_tables(engine)
    if not well[0]:
        return [well]
    with sessions(engine)() as session:
        faults = audit_books.audit(session).faults
    return [well, *((False, fault) for fault in faults)] if faults else [well, (True, "The books are right.")]


def _mail(settings: Settings) -> list[Line]:
    if settings.smtp_url:
        return [_mail_server(settings.smtp_url)]
    return check_up.of_mail(settings)


def _mail_server(url: str) -> Line:
    try:
        deliver.reach(url, timeout=5)
    except (OSError, smtplib.SMTPException, ValueError) as trouble:
        # The text of the error may quote the URL, which holds a password, so only its kind is told.
        return False, f"The mail server of SMTP_URL cannot be used: {type(trouble).__name__}."
    return True, "Mail goes out by SMTP, and the server answers."


def _payments(settings: Settings) -> list[Line]:
    try:
        providers = registry.build(settings)
    except ValueError as fault:
        return [(False, str(fault))]
    return payments.checks(settings, providers)
