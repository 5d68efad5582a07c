"""`purser catalogue apply`: a readable difference, nothing the second time, and no half of a file."""

from __future__ import annotations

import pytest

from app.catalogue import reads, shipped


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The command adds nothing that depends on the database; tests/catalogue runs on both."""
    return sqlite_url


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_catalogue_is_applied_once(purser, session, name):
    first, second = purser("catalogue", "apply", name), purser("catalogue", "apply", name)

    assert (first.code, second.code) == (0, 0)
    assert "changes made." in first.out
    assert second.out == "Nothing changes: the catalogue is as the file says.\n"
    assert reads.offered_plans(session)


def test_a_dry_run_tells_the_difference_and_changes_nothing(purser, session):
    said = purser("catalogue", "apply", "cred", "--dry-run")

    assert "+ plan Pro\n    name: Pro\n" in said.out
    assert "    monthly: 9.99 USD\n" in said.out
    assert said.out.endswith("would be made; nothing was changed.\n")
    assert not reads.offered_plans(session)


def test_the_difference_in_json(purser):
    purser("catalogue", "apply", "agent")

    said = purser("catalogue", "apply", "cred", "--dry-run", "--json")

    assert said.json["dry_run"] is True
    assert {"kind": "plan", "key": "FREE", "how": "retired", "facts": {}} in said.json["changes"]


def test_a_file_of_ones_own(purser, session, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[plans.only]\nrank = 0\nname = "Only"\nmonthly = "5.00"\n')

    assert purser("catalogue", "apply", str(file)).code == 0
    assert [plan.monthly_minor for plan in reads.offered_plans(session)] == [500]


def test_a_file_with_mistakes_changes_nothing_and_tells_each(purser, session, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[plans.a]\nrank = 0\nname = "A"\nmonthly = "5.00"\n[plans.b]\nmonthly = 5\n')

    plain, as_json = purser("catalogue", "apply", str(file)), purser("catalogue", "apply", str(file), "--json")

    assert plain.code == 1
    assert "3 mistakes in" in plain.err
    assert "  plans.b.monthly: must be a price in quotes" in plain.err
    assert as_json.json["error"]["details"]["mistakes"][0]["place"] == "plans.b.monthly"
    assert not reads.offered_plans(session)


def test_neither_file_nor_name(purser, tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")

    missing, binary = (
        purser("catalogue", "apply", "nonsense"),
        purser("catalogue", "apply", str(tmp_path / "binary.toml")),
    )

    assert (missing.code, binary.code) == (2, 2)
    assert "agent, cred, host, oper, view" in missing.err
    assert "UTF-8" in binary.err


def test_seeding_can_begin_with_a_catalogue(purser, session):
    said = purser("seed", "--catalogue", "oper")

    assert said.code == 0
    assert [plan.key for plan in reads.offered_plans(session)] == ["free", "developer", "studio", "enterprise"]
