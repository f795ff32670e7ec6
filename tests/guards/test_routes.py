"""Nobody gets in where they don't belong: every route says who may, and a stranger may not."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.routing.converters import NumberConverter

from server.app import create_app, wired
from server.config import Config
from server.store import migrate
from server.store.db import Base
from server.web.auth import Act, Auth, Page, Role, may

# From the outside contract: others have these addresses.
PROMISED = {
    "/oauth/kommo/start",
    "/oauth/kommo/callback",
    "/oauth/kommo/revoked",
    "/oauth/freshbooks/start",
    "/oauth/freshbooks/callback",
    "/app/",
    "/app/sign-in",
    "/embed/settings",
    "/embed/session",
    "/hooks/kommo/key",
    "/hooks/kommo-dp/key",
    "/hooks/freshbooks/key",
    "/healthz",
    "/readyz",
    "/metrics",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A Billhook with an empty database and nothing connected."""
    place: Path = tmp_path_factory.mktemp("routes")
    config = Config(
        database_url=f"sqlite:///{place / 'billhook.db'}",
        secret_keys=(base64.urlsafe_b64encode(b"k" * 32).decode(),),
        public_url="https://billhook.example.com",
    )
    app = create_app(config)
    engine = wired(app).database.engine
    migrate.upgrade(engine)
    yield app
    engine.dispose()


def _auth(app: Flask, rule: Rule) -> object:
    return getattr(app.view_functions[rule.endpoint], "auth", None)


def _rows(app: Flask) -> int:
    with wired(app).database.engine.connect() as connection:
        counts = (sa.select(sa.func.count()).select_from(t) for t in Base.metadata.sorted_tables)
        return sum(connection.scalar(count) or 0 for count in counts)


def test_every_route_declares_its_auth(app: Flask) -> None:
    undeclared = [str(rule) for rule in app.url_map.iter_rules() if _auth(app, rule) not in Auth]
    assert undeclared == []


def test_what_others_rely_on_is_there(app: Flask) -> None:
    urls = app.url_map.bind("billhook.example.com")
    lost = [path for path in PROMISED if not any(urls.test(path, m) for m in ("GET", "POST"))]
    assert lost == []


def test_a_stranger_without_credentials_is_refused_and_leaves_no_row(app: Flask) -> None:
    before = _rows(app)
    for rule in app.url_map.iter_rules():
        if _auth(app, rule) is Auth.NOBODY:
            continue
        for values in _arguments(rule):
            with app.test_request_context():
                path = app.url_map.bind("x").build(rule.endpoint, values, method=_method(rule))
            answer = app.test_client().open(path, method=_method(rule))
            led_away = _auth(app, rule) is Auth.SESSION and answer.location == "/app/sign-in"
            assert 400 <= answer.status_code < 500 or led_away, f"{path} {answer.status}"
    assert _rows(app) == before


def test_every_page_for_people_says_which_it_is_and_whether_it_changes(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if _auth(app, rule) is Auth.SESSION:
            assert view.page in Page, rule
            changes = "POST" in (rule.methods or ())
            assert not changes or view.act is Act.CHANGE, f"{rule} changes and asks for no right"


def test_a_manager_gets_past_no_page_but_the_activity() -> None:
    allowed = [(page, act) for page in Page for act in Act if may(Role.MANAGER, page, act)]
    assert allowed == [(Page.ACTIVITY, Act.READ)]
    assert all(may(Role.ADMIN, page, act) for page in Page for act in Act)


def _method(rule: Rule) -> str:
    return "POST" if "POST" in (rule.methods or ()) else "GET"


def _any(rule: Rule, name: str) -> object:
    numeric = isinstance(rule._converters[name], NumberConverter)
    return 1 if numeric else "nobody-knows-it"


def _arguments(rule: Rule) -> Iterator[dict[str, object]]:
    """Values for the parts of a path; where it names its choices, each of them."""
    choices = {"kind": ("kommo", "kommo-dp"), "vendor": ("kommo", "freshbooks")}
    named = next((name for name in rule.arguments if name in choices), None)
    rest = {name: _any(rule, name) for name in rule.arguments if name != named}
    for choice in choices[named] if named else ("",):
        yield {**rest, named: choice} if named else rest
