"""The project's own files, as the house rules read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", "var", "node_modules", "__pycache__", "build", "dist"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, relative to its top: what git would hold, or without git all but the left-overs."""
    told = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode == 0:
        named = {Path(line) for line in told.stdout.splitlines()}
    else:
        named = {path.relative_to(ROOT) for path in ROOT.rglob("*") if not _is_left_over(path.relative_to(ROOT))}
    return tuple(sorted(path for path in named if (ROOT / path).is_file()))


def under(folder: str, ending: str = ".py") -> list[Path]:
    """The project's files under one folder."""
    return [path for path in files() if path.is_relative_to(folder) and path.name.endswith(ending)]


def text(path: Path) -> str:
    """A file's text; "" for a picture and the like."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(text(path), filename=str(path))


def nodes(folder: str, *kinds: type[ast.AST]) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of these kinds in the Python files under a folder."""
    for path in under(folder):
        for node in ast.walk(parsed(path)):
            if isinstance(node, kinds):
                yield path, node


def _is_left_over(path: Path) -> bool:
    return any(part in NOT_OURS or part.endswith("_cache") for part in path.parts)
