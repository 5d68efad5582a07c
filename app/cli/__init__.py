"""The command line `purser`."""

from __future__ import annotations


def main() -> None:
    """Entry point."""
