"""What a page costs to make where there is much of everything, beside where there is little: 10,000
entries and 200 fields to 100 and 10. Through the application itself, without a vendor; CPU, not
time: others may use the machine."""

import base64
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import thread_time

from flask import Flask
from flask.testing import FlaskClient

from bench.activity import FEW, LIMIT, MANY, NOW, fill, fill_parked
from bench.figures import Figure, at_most, plain
from server.app import create_app, wired
from server.config import Config
from server.core.settings import default_settings
from server.core.vendor_lists import KnownField, Lists, Pipeline, Stage
from server.flows.vendor_lists import CACHE
from server.store import accounts, calls, migrate, settings
from server.store.db import Database
from server.web import sessions
from server.web.auth import Role

FEW_FIELDS, MANY_FIELDS, ROUNDS = 10, 200, 30
# Of accounts where every deal needs attention, for twenty causes.
PARKED = ("/app/activity?group=needs_attention",)
PAGES = (
    "/app/",
    "/app/rules",
    "/app/rules/invoice",
    "/app/mapping",
    "/app/activity",
    "/app/activity/deal:7",
    "/app/history",
)
Filled = Callable[[Database, str, int], int]


class At:
    """A clock that stands where the entries are."""

    def now(self) -> datetime:
        return NOW


def measure() -> list[Figure]:
    with _standing() as (few, many), _standing(fill_parked) as (few_parked, many_parked):
        spent = {path: _spent(path, few, many) for path in PAGES}
        spent |= {path: _spent(path, few_parked, many_parked) for path in PARKED}
    lines = []
    for path, (little, much, weight) in spent.items():
        told = f"{little * 1000:.1f} · {much * 1000:.1f} ms, {weight // 1024} KB"
        lines.append(plain(path, told))
        lines.append(at_most(f"{path}, much to little", much / little, LIMIT))
    return lines


def _spent(path: str, few: "Let", many: "Let") -> tuple[float, float, int]:
    """CPU seconds of either, by turns; the least of many, for what else runs only adds to it. And
    how many bytes the larger one has."""
    least, weight = [float("inf")] * 2, 0
    for _ in range(ROUNDS):
        for place, account in enumerate((few, many)):
            began = thread_time()
            weight = account.get(path)
            least[place] = min(least[place], thread_time() - began)
    return least[0], least[1], weight


class Let:
    """Somebody who was let in to one account."""

    def __init__(self, app: Flask, account: int) -> None:
        world = wired(app).world
        session = sessions.begin(
            world, account, Role.ADMIN, where="kommo", who="1", name="Ann", language="en"
        )
        self._client: FlaskClient = app.test_client()
        self._headers = {sessions.HEADER: sessions.seal(world, session), "HX-Request": "true"}

    def get(self, path: str) -> int:
        answer = self._client.get(path, headers=self._headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
        return len(answer.data)


@contextmanager
def _standing(filled: Filled = fill) -> Iterator[tuple[Let, Let]]:
    with tempfile.TemporaryDirectory(prefix="billhook-bench-") as folder:
        config = Config(
            database_url=f"sqlite:///{Path(folder) / 'billhook.db'}",
            secret_keys=(base64.urlsafe_b64encode(b"k" * 32).decode(),),
            public_url="https://billhook.example.com",
        )
        app = create_app(config, clock=At())
        try:
            migrate.upgrade(wired(app).database.engine)
            little = _account(app, "few", filled(wired(app).database, "few", FEW), FEW_FIELDS)
            much = _account(app, "many", filled(wired(app).database, "many", MANY), MANY_FIELDS)
            yield little, much
        finally:
            wired(app).database.engine.dispose()


def _account(app: Flask, name: str, account: int, fields: int) -> Let:
    database = wired(app).database
    with database.write() as session:
        document = default_settings([(1, 11)])
        settings.save(session, account, document.to_json(), "Ann", NOW)
        calls.cache(session, account, CACHE, _lists(fields).to_json(), NOW)
        key = {"vendor": "kommo", "external_id": name, "realm": f"{name}.kommo.com", "name": name}
        session.add(accounts.ConnectionRow(account_id=account, connected_at=NOW, **key))
    return Let(app, account)


def _lists(fields: int) -> Lists:
    stages = tuple(Stage(10 + n, f"Stage {n}", "#99ccff", "open") for n in range(8))
    made = tuple(
        KnownField(f"deal.cf.{1000 + n}", f"Custom field {n}", "deal", "text")
        for n in range(fields)
    )
    return Lists((Pipeline(1, "Sales", stages),), made, (), NOW)
