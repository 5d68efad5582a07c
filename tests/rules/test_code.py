"""House rules that a linter does not know, over the program's own code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.tree import nodes, parsed, text, under

pytestmark = pytest.mark.xdist_group("code")  # every file is read once, by one process

COMMITS = {
    "app/db.py": "transaction() is the one place that commits",
    "app/schema.py": "ends the transaction that took the migration lock; no rows change",
}
FINGERPRINTS = {
    "app/http/idempotency.py": "compares the hash of a request with that of an earlier one",
    "app/ledger/sheet.py": "the same, for postings",
    "app/llm/calls.py": "the same, for calls to models",
    "app/payments/inbox.py": "compares the digest of an event with the one kept",
}
NAMED_AFTER_A_LAYER = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "service",
    "services",
    "manager",
    "managers",
    "views",
}
SECRET_NAME = re.compile(r"(signature|digest|hash|hmac|secret|token)$", re.IGNORECASE)
SQL_CALLS = {"text", "execute", "executemany", "exec_driver_sql", "executescript"}
OUTBOUND = {"urlopen", "create_connection", "SMTP", "SMTP_SSL", "HTTPConnection", "HTTPSConnection", "RequestsClient"}
HTTP_LIBRARIES = {"httpx", "requests"}


def test_only_one_place_commits() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Call)
        if isinstance(node, ast.Call) and _called(node) == "commit" and str(path) not in COMMITS
    ]

    assert not found, f"a commit outside of app/db.py: {found}"


def test_no_file_is_longer_than_300_lines() -> None:
    long = [f"{path}: {len(text(path).splitlines())}" for path in _ours() if len(text(path).splitlines()) > 300]

    assert not long


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {(node.end_lineno or 0) - node.lineno + 1}"
        for path in _ours()
        if not path.is_relative_to("migrations/versions")  # a migration is a list
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 50
    ]

    assert not long


def test_no_file_is_named_after_a_layer() -> None:
    assert not [str(path) for path in _ours() if {path.stem, path.parent.name} & NAMED_AFTER_A_LAYER]


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path in _ours() if text(path).strip() and not ast.get_docstring(parsed(path))]

    assert not silent, f"no first line that says what the module is: {silent}"


def test_no_float_is_made_anywhere() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Call)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]

    assert not found, f"money is integers, and so is everything near it: {found}"


def test_no_sql_is_made_with_an_f_string() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Call)
        if isinstance(node, ast.Call) and _called(node) in SQL_CALLS and node.args and _is_glued(node.args[0])
    ]

    assert not found, f"SQL takes its values as parameters: {found}"


def test_secrets_are_compared_in_constant_time() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Compare)
        if isinstance(node, ast.Compare)
        and str(path) not in FINGERPRINTS
        and any(isinstance(how, ast.Eq | ast.NotEq) for how in node.ops)
        and any(SECRET_NAME.search(_name(side)) for side in (node.left, *node.comparators))
        and not any(_is_column(side) or isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
    ]

    assert not found, f"use hmac.compare_digest: {found}"


def test_every_outbound_call_has_a_timeout() -> None:
    found = []
    for path, node in nodes("app", ast.Call):
        assert isinstance(node, ast.Call)
        goes_out = _called(node) in OUTBOUND or _module_of(node) in HTTP_LIBRARIES
        if goes_out and not any(word.arg == "timeout" or word.arg is None for word in node.keywords):
            found.append(f"{path}:{node.lineno}")

    assert not found, f"no timeout: {found}"


def test_certificates_are_always_checked_and_nothing_is_unpickled() -> None:
    for path, node in nodes("app", ast.Call):
        assert isinstance(node, ast.Call)
        for word in node.keywords:
            off = word.arg == "verify" and isinstance(word.value, ast.Constant) and word.value.value is False
            assert not off, f"{path}:{node.lineno} switches the certificate check off"
        assert _module_of(node) not in ("pickle", "marshal", "shelve"), f"{path}:{node.lineno} unpickles"


def test_raw_markup_is_made_of_literals_only() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Call)
        if isinstance(node, ast.Call) and _called(node) == "Markup"
        if not (node.args and isinstance(node.args[0], ast.Constant))
    ]

    assert not found, f"what is put into markup goes through Markup.format, which escapes it: {found}"


def test_the_environment_is_read_in_one_place() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Attribute)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and _name(node.value) == "os"
        if str(path) != "app/config.py"
    ]

    assert not found, f"settings are read in app/config.py: {found}"


def test_nothing_but_the_clock_asks_for_the_time() -> None:
    allowed = {"app/clock.py", "app/ids.py"}
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("app", ast.Call)
        if isinstance(node, ast.Call)
        if _called(node) == "utcnow"
        or (_called(node) in ("now", "today") and _module_of(node) in ("datetime", "date"))
        or (_called(node) in ("time", "time_ns") and _module_of(node) == "time")
        if str(path) not in allowed and not path.is_relative_to("app/sandbox")
    ]

    assert not found, f"all time comes from app.clock: {found}"


def test_nothing_is_left_unfinished() -> None:
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")

    assert not [str(path) for path in [*_ours(), *under("templates", ".html")] if mark.search(text(path))]


def _ours() -> list[Path]:
    folders = ("app", "clients", "examples", "tests/support", "migrations", "benchmarks")
    return [path for folder in folders for path in under(folder)]


def _called(node: ast.Call) -> str:
    return _name(node.func)


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _module_of(node: ast.Call) -> str:
    return _name(node.func.value) if isinstance(node.func, ast.Attribute) else ""


def _is_glued(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _is_column(node: ast.AST) -> bool:
    """A column of a model (`User.email`) or table (`users.c.email`): the database compares, on an index."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = _name(node.value)
    return owner[:1].isupper() or owner == "c"
