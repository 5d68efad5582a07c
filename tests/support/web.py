"""The web application under test, and a client that holds every page it sees to the house rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from app import create_app
from app.config import Settings
from tests.support.kept import Kept, disconnect
from tests.support.pages import check_page


class CompiledTemplates(BytecodeCache):
    """Templates compiled by one test's application serve the next one's: compiling them was a third of all time."""

    def __init__(self) -> None:
        self._code: dict[str, Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key + bucket.checksum] = bucket.code


COMPILED = CompiledTemplates()


class PageClient(FlaskClient):
    """A test client that behaves as a browser on our own page would, and checks every page it gets."""

    def open(self, *args, **kwargs):
        answer = super().open(*args, **kwargs)
        check_page(self.application, answer)
        return answer


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The settings of the application under test; override this fixture to change one with dataclasses.replace."""
    return Settings(
        env="test",
        database_url=database_url,
        password_memory_kib=8,  # a real hash takes 60 ms, and a journey makes dozens
        secret_key="a-secret-of-the-tests-and-nothing-else",
        base_url="http://localhost",
        stripe_secret_key="sk_test_of_the_tests",
        stripe_webhook_secret="whsec_of_the_tests_only",
        # Nobody listens at port 9: a test that needs Stripe says where it is.
        stripe_api_base="http://127.0.0.1:9/sandbox",
    )


@pytest.fixture
def app(settings: Settings, kept_engines: Kept) -> Iterator[Flask]:
    """The application on this test's database. Forms need no token here; tests/http covers that they do.

    It may have served other tests before. A test that adds routes to it asks for `own_app`.
    """
    if not kept_engines.keeps(settings.database_url):
        with _of_its_own(settings) as made:
            yield made
        return
    with kept_engines.application(settings, _made) as found:
        yield found


@pytest.fixture
def own_app(settings: Settings) -> Iterator[Flask]:
    """An application that has served nobody yet, so that a test may add to it."""
    with _of_its_own(settings) as made:
        yield made


@contextmanager
def _of_its_own(settings: Settings) -> Iterator[Flask]:
    made = _made(settings)
    yield made
    disconnect(made)


def _made(settings: Settings) -> Flask:
    made = create_app(settings)
    made.test_client_class = PageClient
    made.jinja_env.bytecode_cache = COMPILED
    made.config["WTF_CSRF_ENABLED"] = False
    return made


@pytest.fixture
def client(app: Flask) -> PageClient:
    return app.test_client()
