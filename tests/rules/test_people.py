"""The cast of the tests: made by the program's own verbs, signed in without the sign-in page."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.people import Person
from tests.support.web import PageClient


def test_ada_has_a_wallet_with_the_sign_up_credit(ada: Person) -> None:
    assert ada.balance() == 5_000_000

    ada.gets(cents=1)

    assert ada.balance() == 5_010_000


def test_the_cast_can_be_signed_in(
    ada: Person, bo: Person, cy: Person, di: Person, support: Person, client_of: Callable[[Person], PageClient]
) -> None:
    for who in (ada, bo, cy, di):
        assert client_of(who).get("/").status_code == 200
    assert client_of(support).get("/admin/customers").status_code == 200
