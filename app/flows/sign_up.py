"""Signing up: a user, their customer, its wallet with the sign-up credit, and a mail to confirm the address."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import notices
from app.credits import welcome
from app.customers import customers, members
from app.db import transaction
from app.money import minor_to_micros
from app.people import addresses, email_links, passwords, users
from app.people.email_links import Proven
from app.people.models import User
from app.wallet import signup


class Terms(Protocol):
    """The settings a sign-up depends on."""

    @property
    def base_url(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def signup_credit(self) -> int: ...
    @property
    def signup_credit_when(self) -> str: ...


def sign_up(session: Session, terms: Terms, *, name: str, email: str, password: str, company: str) -> User | None:
    """Open an account, or None when the address has one: its owner is told by mail, the asker is told the same as ever.

    Raises AddressInvalid, PasswordRefused and Invalid. Of two who race for one address, one gets it.
    """
    address = addresses.clean(email)
    name, company = users.clean_name(name), users.clean_name(company, "company")
    passwords.check(password, email=address)
    # Slow on purpose, so it comes before the transaction; and for known addresses too, so that time tells nothing.
    password_hash = passwords.hashed(password)
    with transaction(session):
        user = users.create(session, name=name, email=address, password_hash=password_hash)
        if user is None:
            _tell_the_owner(session, terms, address)
            return None
        customer = customers.open_customer(session, name=company, email=address, actor=user.id, currency=terms.currency)
        members.join(session, customer.id, user, "owner", actor=user.id)
        if terms.signup_credit_when == "signup":
            _welcome(session, terms, customer.id, address)
        ask_to_verify(session, terms, user, address)
    return user


def verify(session: Session, terms: Terms, token: str) -> User:
    """Follow the mailed link: the address is theirs. Raises LinkDead, and Conflict when another user has it by now."""
    with transaction(session):
        proven = email_links.follow(session, token, "verify")
        before = proven.user.email
        confirm(session, terms, proven)
        if addresses.key(before) != addresses.key(proven.email):
            notices.queue(session, "email_changed", before, name=proven.user.name)
    return proven.user


def confirm(session: Session, terms: Terms, proven: Proven) -> None:
    """Whoever followed a mailed link reads that mailbox, within the caller's transaction: it is theirs, and the first
    one proven brings the sign-up credit that waited for it (W1). Raises Conflict when another user has it by now.
    """
    first_time = proven.user.email_verified_at is None
    users.set_email(session, proven.user, proven.email)
    if first_time and terms.signup_credit_when == "verified":
        for customer_id in _owned(session, proven.user.id):
            _welcome(session, terms, customer_id, proven.email)


def ask_to_verify(session: Session, terms: Terms, user: User, email: str) -> None:
    """Mail a link that proves `email`, within the caller's transaction."""
    token = email_links.issue(session, user, "verify", email)
    link = f"{terms.base_url}/verify-email/{token}"
    notices.queue(session, "verify_email", email, name=user.name, link=link)


def _welcome(session: Session, terms: Terms, customer_id: str, email: str) -> None:
    """What a person gets once, whatever spelling of their address comes later: wallet credit, and the free plan's."""
    gives_credits = welcome.credits_of_free_plan(session) > 0
    if (terms.signup_credit or gives_credits) and customers.claim_signup(session, customer_id, email):
        micros = minor_to_micros(terms.signup_credit, terms.currency)
        signup.give_credit(session, customer_id, email, micros, currency=terms.currency)
        if gives_credits:
            welcome.customer(session, customer_id)


def _tell_the_owner(session: Session, terms: Terms, address: str) -> None:
    user = users.by_email(session, address)
    if user is not None:  # to the address we hold, never to the one just typed
        link = f"{terms.base_url}/sign-in"
        notices.queue(session, "signed_up_already", user.email, name=user.name, link=link)


def _owned(session: Session, user_id: str) -> list[str]:
    mine = members.of_user(session, user_id)
    return [customer_id for customer_id, _ in mine if members.permission_of(session, customer_id, user_id) == "owner"]
