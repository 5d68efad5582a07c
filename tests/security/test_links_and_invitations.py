"""Mailed links and invitations must not outlive what they were given for: a way back in is a way in."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.customers import api_keys, invitations, members, signed_in
from app.customers.invitations import InvitationDead
from app.db import transaction
from app.flows import reset_password, sign_up
from app.people import email_links, passwords, sessions, users
from app.people.email_links import LinkDead
from app.people.models import User
from tests.support.people import Person


def _link(session: Session, who: Person, purpose: str, email: str) -> str:
    with transaction(session):
        return email_links.issue(session, _user(session, who), purpose, email)


def _user(session: Session, who: Person) -> User:
    user = users.by_id(session, who.id)
    assert user is not None
    return user


def test_a_new_password_ends_a_change_of_address_that_a_thief_began(session: Session, settings, ada: Person) -> None:
    # given a thief who knew Ada's password, and asked to make the account's address their own
    theirs = _link(session, ada, "verify", "thief@example.com")

    # when Ada notices, and chooses another password by mail
    reset_password.finish(session, settings, _link(session, ada, "reset", ada.email), "quartz lantern meadow")

    # then the thief's link leads nowhere, or they would have the account by its address
    with pytest.raises(LinkDead):
        sign_up.verify(session, settings, theirs)
    session.rollback()
    assert _user(session, ada).email == ada.email


def test_a_new_password_chosen_on_the_profile_ends_the_links_too(session: Session, ada: Person) -> None:
    links = {purpose: _link(session, ada, purpose, "thief@example.com") for purpose in ("verify", "reset")}

    with transaction(session):
        users.set_password(session, _user(session, ada), passwords.hashed("quartz lantern meadow"))

    assert not any(email_links.works(session, token, purpose) for purpose, token in links.items())


def test_who_signed_up_with_a_strangers_address_keeps_no_key_once_it_is_proven(session: Session, settings) -> None:
    # given somebody who signed up with Eve's address, and made a key
    user = sign_up.sign_up(
        session, settings, name="Mal", email="eve@example.com", password="violet harbour tandem", company="Mal's"
    )
    assert user is not None
    customer_id = members.of_user(session, user.id)[0][0]
    squatter = Person(session, user.id, "Mal", "eve@example.com", customer_id)
    key = squatter.key()
    with transaction(session):
        theirs = sessions.begin(session, user)

    # when Eve proves the mailbox by choosing a password
    reset_password.finish(session, settings, _link(session, squatter, "reset", user.email), "quartz lantern meadow")

    # then neither the key nor the session works
    assert api_keys.caller(session, key) is None
    assert signed_in.load(session, theirs) is None


def test_a_forgotten_password_leaves_the_keys_of_a_proven_mailbox_alone(session: Session, settings, ada) -> None:
    key = ada.key()

    reset_password.finish(session, settings, _link(session, ada, "reset", ada.email), "quartz lantern meadow")

    assert api_keys.caller(session, key) is not None


def test_a_reset_link_mailed_to_the_old_address_ends_with_it(session: Session, settings, ada: Person) -> None:
    # given somebody who reads Ada's old mailbox and asked for a new password there
    old = _link(session, ada, "reset", ada.email)

    # when Ada moves her account to a mailbox of her own
    sign_up.verify(session, settings, _link(session, ada, "verify", "ada@new.example.com"))

    with pytest.raises(LinkDead):
        reset_password.finish(session, settings, old, "quartz lantern meadow")


@pytest.mark.parametrize("then", ["removed", "demoted"])
def test_an_invitation_ends_with_the_right_to_invite(session: Session, ada: Person, bo: Person, then: str) -> None:
    # given an owner who invited a second address of theirs, as an owner
    eve = ada.hires("Eve", "owner")
    with transaction(session):
        _, token = invitations.invite(session, ada.customer_id, "eve.again@example.com", "owner", actor=eve.id)

    # when they are no longer an owner
    with transaction(session):
        if then == "removed":
            members.remove(session, ada.customer_id, eve.id, actor=ada.id)
        else:
            members.change(session, ada.customer_id, eve.id, "read", actor=ada.id)

    # then there is no way back in
    with pytest.raises(InvitationDead), transaction(session):
        invitations.accept(session, token, _user(session, bo))
    assert members.permission_of(session, ada.customer_id, bo.id) is None


def test_an_invitation_lives_on_while_its_owner_is_one(session: Session, ada: Person, bo: Person) -> None:
    eve = ada.hires("Eve", "write")
    with transaction(session):
        _, token = invitations.invite(session, ada.customer_id, bo.email, "read", actor=ada.id)
        members.change(session, ada.customer_id, eve.id, "owner", actor=ada.id)
        members.remove(session, ada.customer_id, eve.id, actor=ada.id)

    with transaction(session):
        invitations.accept(session, token, _user(session, bo))

    assert members.permission_of(session, ada.customer_id, bo.id) == "read"
