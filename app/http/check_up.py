"""What the installation says of itself without asking anybody else: for `purser doctor` and the page of settings."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from app import schema, settings_problems
from app.config import Settings
from app.payments import doctor as payments
from app.providers.port import Provider

Line = tuple[bool, str]  # whether it is well, and the sentence


def offline(settings: Settings, engine: Engine, providers: Mapping[str, Provider]) -> list[Line]:
    """Every check that needs no network."""
    own = [*of_settings(settings), of_tables(engine), *of_mail(settings)]
    return [*own, *payments.configured(settings, providers)]


def of_settings(settings: Settings) -> list[Line]:
    """Why the program would not start, or that it does."""
    problems = settings_problems.of(settings)
    return [(False, problem) for problem in problems] or [(True, f"The settings are usable, as {settings.env}.")]


def of_tables(engine: Engine) -> Line:
    """Whether the tables are those of this program."""
    here, wanted = schema.current(engine), schema.head()
    if here != wanted:
        return False, f"The database is at revision {here or 'none'}, not {wanted}: run `purser migrate`."
    return True, f"The database answers, at revision {here}."


def of_mail(settings: Settings) -> list[Line]:
    """Where mail goes, as far as the settings tell."""
    if settings.smtp_url:
        return [(True, "Mail goes out by SMTP.")]
    if settings.is_production:
        return [(False, "SMTP_URL is missing: mail, password links too, goes to the log for whoever reads it to use.")]
    return [(True, "Mail is printed where the program runs, since SMTP_URL is not set.")]
