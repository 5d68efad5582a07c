"""How a sandbox is told to start, and when it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace

import pytest

from app.sandbox import SandboxConfig, SandboxRefuses, create_sandbox
from app.sandbox.__main__ import main


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret_key": "sk_live_123"},
        {"secret_key": "rk_live_123"},
        {"secret_key": "something"},
        {"secret_key": ""},
        {"webhook_url": "http://127.0.0.1/hook"},
    ],
)
def test_it_refuses_a_live_key_and_a_webhook_without_secret(tmp_path, wrong):
    with pytest.raises(SandboxRefuses):
        SandboxConfig(database=tmp_path / "s.db", **wrong)


def test_it_never_shows_its_secrets(tmp_path):
    config = SandboxConfig(
        tmp_path / "s.db", secret_key="sk_test_abc", webhook_url="http://x/", webhook_secret="whsec_abc"
    )

    assert "abc" not in repr(config)


def test_the_command_says_why_it_will_not_start(capsys, tmp_path):
    status = main(["--database", str(tmp_path / "s.db"), "--secret-key", "sk_live_1"])

    assert status == 2
    assert "no live key" in capsys.readouterr().err


def test_starting_again_with_another_address_moves_the_endpoint(config):
    addresses = []
    for url in (config.webhook_url, "http://127.0.0.1:1/other", ""):
        app = create_sandbox(replace(config, webhook_url=url))
        with app.extensions["sandbox"].reading() as tx:
            addresses.append([(each["url"], each["status"]) for each in tx.every("webhook_endpoint")])
        app.extensions["sandbox"].close()

    assert addresses == [
        [(config.webhook_url, "enabled")],
        [("http://127.0.0.1:1/other", "enabled")],
        [("http://127.0.0.1:1/other", "disabled")],
    ]


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_alone_on_a_port(tmp_path, told):
    words = [sys.executable, "-m", "app.sandbox", "--port", "0", "--database", str(tmp_path / "s.db")]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        said = process.stdout.readline()
        with urllib.request.urlopen(said.split()[1] + "/") as page:
            shown = page.read().decode()
        process.send_signal(told)
        status = process.wait(60)

    assert "Webhooks and clock" in shown
    assert status == 0
