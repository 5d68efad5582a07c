"""A forgotten password: mail a link that proves the mailbox, and let whoever follows it choose a new one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import activity, notices
from app.customers import api_keys
from app.db import transaction
from app.flows.sign_up import Terms, confirm
from app.people import email_links, passwords, second_factor, users
from app.people.models import User


def ask(session: Session, base_url: str, email: str) -> None:
    """Mail a link, if the address has a user who is not disabled. The asker cannot tell."""
    with transaction(session):
        user = users.by_email(session, email)
        if user is None or user.disabled_at is not None:
            return
        token = email_links.issue(session, user, "reset", user.email)
        # To the address we hold, never to the one just typed: look-alike letters could make them differ.
        link = f"{base_url}/reset-password/{token}"
        notices.queue(session, "reset_password", user.email, name=user.name, link=link)
        activity.record(session, "system", "user.reset_asked", user.id)


def finish(session: Session, terms: Terms, token: str, password: str) -> User:
    """The new password. Every session ends. Raises PasswordRefused (the link stays good) and LinkDead.

    Until a mailbox is proven, anybody may have signed up with its address. When its owner proves it this way, the API
    keys of whoever that was stop too, and so does their second factor.
    """
    passwords.check(password)
    password_hash = passwords.hashed(password)
    with transaction(session):
        proven = email_links.follow(session, token, "reset")
        users.set_password(session, proven.user, password_hash)
        if proven.user.email_verified_at is None:
            api_keys.revoke_made_by(session, proven.user.id, actor=proven.user.id)
            if second_factor.is_on(session, proven.user.id):
                second_factor.remove(session, proven.user, actor=proven.user.id)
            confirm(session, terms, proven)
        link = f"{terms.base_url}/forgot-password"
        notices.queue(session, "password_changed", proven.user.email, name=proven.user.name, link=link)
    return proven.user
