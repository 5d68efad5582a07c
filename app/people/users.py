"""Users: making one, finding one, changing what a person may change about themselves."""

from __future__ import annotations

from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Conflict, Invalid
from app.people import addresses, second_factor, sessions
from app.people.models import EmailToken, User

LONGEST_NAME = 120


def create(
    session: Session,
    *,
    name: str,
    email: str,
    password_hash: str | None,
    verified: bool = False,
    actor: str | None = None,
) -> User | None:
    """A new user, or None when the address already has one: two people who race for it get one user.

    Raises AddressInvalid and Invalid. The caller decides whether "already there" may be told.
    """
    address = addresses.clean(email)
    name = clean_name(name)
    user_id = ids.new("usr")
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    claimed = session.scalar(
        insert(User)
        .values(
            id=user_id,
            name=name,
            email=address,
            email_key=addresses.key(address),
            email_verified_at=clock.now() if verified else None,
            password_hash=password_hash,
            time_zone="UTC",
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(User.id)
    )
    if claimed is None:
        return None
    activity.record(session, actor or user_id, "user.created", user_id)
    return session.get_one(User, user_id)


def by_id(session: Session, user_id: str) -> User | None:
    return session.get(User, user_id)


def by_email(session: Session, email: str) -> User | None:
    """The user with this mailbox, also when disabled."""
    return session.scalar(select(User).where(User.email_key == addresses.key(email)))


def rename(session: Session, user: User, name: str) -> None:
    """Raises Invalid for an empty or endless name."""
    user.name = clean_name(name)
    activity.record(session, user.id, "user.renamed", user.id)


def set_time_zone(session: Session, user: User, zone: str) -> None:
    """In which zone this person reads times (R9). Raises Invalid for one that does not exist."""
    if zone not in available_timezones():
        raise Invalid("Choose a time zone from the list.", field="time_zone")
    user.time_zone = zone
    activity.record(session, user.id, "user.time_zone_changed", user.id, time_zone=zone)


def set_password(session: Session, user: User, password_hash: str, *, keep_token: str | None = None) -> None:
    """A new password. Every session ends, save the one whose token is given (ASVS 7.4.3).

    Links that could still take the account over end too: to another reset, and to an address of whoever knew the old
    password.
    """
    user.password_hash = password_hash
    _end_links(session, user, or_(EmailToken.purpose == "reset", EmailToken.email != user.email))
    ended = sessions.end_all(session, user.id, keep_token=keep_token)
    activity.record(session, user.id, "user.password_changed", user.id, sessions_ended=ended)


def take_from_stranger(session: Session, user: User, *, actor: str) -> None:
    """Whoever signed up with this address never proved it, and somebody we trust knows whose it is.

    The password they chose, their sessions and their links end; the mailbox is the only way to another password.
    """
    if user.email_verified_at is not None or user.password_hash is None:
        return
    user.password_hash = None
    if second_factor.is_on(session, user.id):  # of their phone, not of whose address it is
        second_factor.remove(session, user, actor=actor)
    _end_links(session, user, EmailToken.used_at.is_(None))
    ended = sessions.end_all(session, user.id)
    activity.record(session, actor, "user.password_dropped", user.id, sessions_ended=ended)


def renew_hash(user: User, password_hash: str) -> None:
    """The same password at today's cost: nothing anybody needs to be told about."""
    user.password_hash = password_hash


def set_email(session: Session, user: User, email: str) -> None:
    """This mailbox is theirs, proven by a link that was followed. Raises Conflict if another user has it by now."""
    user.email, user.email_key, user.email_verified_at = email, addresses.key(email), clock.now()
    try:
        session.flush()
    except IntegrityError as taken:  # the caller's whole transaction goes, so nothing half done is kept
        raise Conflict("This address belongs to another user by now.", field="email") from taken
    _end_links(session, user, EmailToken.purpose == "reset")  # they went to the mailbox that was theirs before
    activity.record(session, user.id, "user.email_verified", user.id)


def _end_links(session: Session, user: User, which: ColumnElement[bool]) -> None:
    unused = update(EmailToken).where(EmailToken.user_id == user.id, EmailToken.used_at.is_(None), which)
    session.execute(unused.values(used_at=clock.now()).execution_options(synchronize_session=False))


def clean_name(name: str, field: str = "name") -> str:
    """A name on one line. Raises Invalid."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"Enter a name of 1 to {LONGEST_NAME} characters.", field=field)
    return name
