"""The desk over a small business, with somebody who listens to its hooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from flask import Flask, Response, request
from playwright.sync_api import Browser, Page

from server.sandbox import Sandbox, SandboxClock
from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.records import Deal
from server.sandbox.serve import serve
from tests.sandbox.desk.small_seed import seed

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class Desk:
    """``heard``: the hooks that arrived, as their decoded form fields."""

    sandbox: Sandbox
    heard: list[dict[str, str]]
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def account(self) -> Account:
        return next(iter(self.sandbox.kommo.accounts.values()))

    @property
    def url(self) -> str:
        return self.sandbox.control_url

    def deal(self, name: str) -> Deal:
        return next(deal for deal in self.account.deals.values() if deal.name == name)

    def place(self, stage: str) -> dict[str, int]:
        """A stage of the first pipeline, as an act names it."""
        pipeline = self.account.main_pipeline
        return {"pipeline": pipeline.id, "stage": pipeline.stage(stage).id}

    def state(self, since: str = "") -> dict[str, Any]:
        reply = self.session.get(f"{self.url}/desk/state.json", params={"since": since}, timeout=5)
        assert reply.status_code == 200
        found: dict[str, Any] = reply.json()
        return found

    def post(self, path: str, order: Any, **more: Any) -> requests.Response:
        return self.session.post(f"{self.url}/desk/{path}", json=order, timeout=5, **more)

    def do(self, path: str, **order: Any) -> str:
        """The act is done; what was said."""
        reply = self.post(path, order)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["said"])

    def refused(self, path: str, **order: Any) -> str:
        reply = self.post(path, order)
        assert reply.status_code == 422, reply.text
        return str(reply.json()["error"])

    def card(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            card for card in self.state()["board"]["deals"] if card["name"] == name
        )
        return found

    def settled(self) -> None:
        assert self.sandbox.deliveries.wait_idle()


@contextmanager
def running_desk() -> Iterator[Desk]:
    """Frozen at noon, hooks go out at once; one listener to moves alone."""
    heard: list[dict[str, str]] = []
    app = Flask("listener")

    def take() -> Response:
        heard.append(dict(parse_qsl(request.get_data(as_text=True))))
        return Response(status=204)

    app.add_url_rule("/hooks", view_func=take, methods=["POST"])
    listener = serve(app)
    try:
        clock = SandboxClock(NOON, frozen=True)
        with Sandbox(clock=clock, auto=True, seed=seed) as sandbox:
            desk = Desk(sandbox, heard)
            desk.account.subscribe(f"{listener.url}/hooks", ["status_lead"])
            with desk.session:
                yield desk
    finally:
        listener.stop()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with running_desk() as desk:
        yield desk


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One for all tests of a file: to open one costs as much as to load the page. Each sandbox is
    an origin of its own, so nothing that a page keeps reaches the next."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
