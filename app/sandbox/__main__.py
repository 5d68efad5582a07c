"""`python -m app.sandbox`: the sandbox alone on a port, to point any Stripe client at."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from app.sandbox.config import SandboxConfig, SandboxRefuses
from app.sandbox.server import running_sandbox

_DUPLICATES = 5  # percent; whoever runs it by hand is here to see such things


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 2, with one sentence, for a configuration that is refused."""
    options = _parser().parse_args(arguments)
    try:
        config = SandboxConfig(
            database=options.database,
            secret_key=options.secret_key,
            base_url=options.base_url,
            webhook_url=options.webhook_url,
            webhook_secret=options.webhook_secret,
            clock_file=options.clock_file,
            strict=options.strict,
            duplicate_percent=_DUPLICATES,
        )
    except SandboxRefuses as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    with running_sandbox(config, port=options.port) as running:
        sys.stdout.write(f"Sandbox: {running.url}  (STRIPE_API_BASE={running.url}, key {config.secret_key})\n")
        sys.stdout.flush()
        _until_told_to_stop()
    return 0


def _until_told_to_stop() -> None:
    # Said outright: a shell that starts it in the background has it inherit an interrupt that is ignored.
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    told.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=4242)
    parser.add_argument("--database", default="var/sandbox.db", help="its own SQLite file")
    parser.add_argument("--secret-key", default="sk_test_sandbox", help="the key that clients must send")
    parser.add_argument("--base-url", default="", help="where people reach it, if not at its own address")
    parser.add_argument("--webhook-url", default="", help="where events go")
    parser.add_argument("--webhook-secret", default="", help="what they are signed with")
    parser.add_argument("--clock-file", default=None, help="a file with the seconds to add to the real time")
    parser.add_argument("--strict", action="store_true", help="answer 500 when an answer is not what Stripe describes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
