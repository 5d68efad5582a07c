"""Staff: an admin is left, also where two demote each other at the same moment, on both databases."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy.orm import sessionmaker

from app.flows import staff as flow
from app.people import staff
from app.people.staff import LastAdmin


@pytest.mark.both_databases
def test_two_admins_who_demote_each_other_at_once_leave_one(session, engine, admin, finance) -> None:
    flow.change_role(session, finance.id, "admin", actor="cli")
    gate, came_to = Barrier(2), []

    def demote(who: str) -> None:
        with sessionmaker(engine, expire_on_commit=False)() as own:
            gate.wait(timeout=60)
            try:
                flow.change_role(own, who, "support", actor="cli")
                came_to.append("done")
            except LastAdmin:
                came_to.append("refused")

    threads = [Thread(target=demote, args=(who,)) for who in (admin.id, finance.id)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    session.rollback()
    assert sorted(came_to) == ["done", "refused"]
    assert len(staff.everyone(session, "admin")) == 1
