"""Changing one's own password: every session ends, this browser gets a new one, and a mail tells the owner."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import notices
from app.customers.signed_in import SignedIn
from app.db import transaction
from app.people import passwords, sessions, users
from app.people.models import LoginSession, User


def change(session: Session, base_url: str, user_id: str, password: str, who: SignedIn) -> str:
    """Set the password, which was checked, and return the token of this browser's new session."""
    password_hash = passwords.hashed(password)
    with transaction(session):
        user = session.get_one(User, user_id)
        before = next((one for one in sessions.of_user(session, user_id) if one.id == who.session_id), None)
        address, browser = _where(before)
        users.set_password(session, user, password_hash)
        link = f"{base_url}/forgot-password"
        notices.queue(session, "password_changed", user.email, name=user.name, link=link)
        return sessions.begin(session, user, address=address, browser=browser, customer_id=who.customer_id)


def _where(before: LoginSession | None) -> tuple[str, str]:
    return (before.address, before.browser) if before else ("", "")
