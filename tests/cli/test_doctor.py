"""`purser doctor` looks, and changes nothing."""

from __future__ import annotations

from tests.flows.test_deliver import mail_server
from tests.support.running import free_port


def sentences(said) -> dict[str, bool]:
    return {check["sentence"]: check["ok"] for check in said.json["checks"]}


def test_it_makes_no_database_where_there_is_none(purser, tmp_path):
    place = tmp_path / "new"

    said = purser("doctor", "--json", PURSER_DATABASE_URL=f"sqlite:///{place / 'purser.db'}")

    assert sentences(said)["The database's file is not there: run `purser migrate`."] is False
    assert not place.exists()


def test_a_mail_server_that_does_not_answer_is_told_without_its_password(purser):
    said = purser("doctor", "--json", SMTP_URL=f"smtp://ada:s3cret@127.0.0.1:{free_port()}")

    assert sentences(said)["The mail server of SMTP_URL cannot be used: ConnectionRefusedError."] is False
    assert "s3cret" not in said.out + said.err


def test_a_mail_server_that_answers_is_well(purser):
    with mail_server() as (port, received):
        said = purser("doctor", "--json", SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off")

    assert sentences(said)["Mail goes out by SMTP, and the server answers."] is True
    assert received == []
