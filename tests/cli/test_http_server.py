"""The HTTP server's own log."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from app.cli import http_server


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/reset-password/s3cret", "/reset-password/…"),
        ("/verify-email/s3cret?a=b", "/verify-email/…"),
        ("/wallet?q=s3cret", "/wallet/…"),
    ],
)
def test_a_fault_names_the_page_and_not_the_secret_in_its_address(capsys, address, page):
    http_server.mask_addresses()
    log = Logger(Config())

    log.error("Error handling request %s %s", "POST", address)
    log.warning("Invalid request from ip=%s: %s", "127.0.0.1", ValueError(f"Invalid line: 'GET {address}'"))

    told = capsys.readouterr().err
    assert "s3cret" not in told
    assert told.count(page) == 2
