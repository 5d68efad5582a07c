"""What a command says: sentences for people, or one JSON object a program can read when it was given --json."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

OPERATOR = "cli"  # how the audit log names whoever sits at the command line


@dataclass(frozen=True)
class Answer:
    """A command's result: `sentences` for a person, `data` for a program, and the exit code."""

    sentences: Sequence[str]
    data: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0


def answering(command: Callable[..., Answer | None]) -> Callable[..., int]:
    """Give a command --json and print what it returns; None means it has said everything itself."""

    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
    @functools.wraps(command)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> int:
        click.get_current_context().meta["json"] = as_json
        answer = command(*args, **kwargs)
        if answer is None:
            return 0
        announce(answer.sentences, answer.data)
        return answer.code

    return run


def announce(sentences: Sequence[str], data: Mapping[str, Any]) -> None:
    """Say something now: for commands that go on running, such as `serve`."""
    if click.get_current_context().meta.get("json"):
        click.echo(json.dumps(data, default=str))
        return
    for sentence in sentences:
        click.echo(sentence)


def fail(
    as_json: bool, name: str, sentences: Sequence[str], *, code: int = 1, details: Mapping[str, Any] | None = None
) -> int:
    """Say why not: sentences on stderr, or the API's error object on stdout with --json. Returns the exit code."""
    if as_json:
        error = {"code": name, "message": " ".join(sentences), "details": dict(details or {})}
        click.echo(json.dumps({"error": error}, default=str))
        return code
    for sentence in sentences:
        click.echo(sentence, err=True)
    return code
