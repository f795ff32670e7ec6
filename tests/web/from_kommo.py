"""How a user's page inside Kommo asks Billhook to let it in, and what that answers."""

from typing import Any

import requests

from server.sandbox.browser import call
from server.web import sessions
from tests.rig import Rig

EVIL = "https://evil.example"


def ask(rig: Rig, token: str, *, lang: str = "en", **headers: str) -> requests.Response:
    sent = {"X-Auth-Token": token, "Origin": rig.kommo.url, **headers}
    sent = {name: value for name, value in sent.items() if value}
    return call("POST", f"{rig.url}/embed/session?lang={lang}", headers=sent)


def token_of(rig: Rig, user_id: int | None = None, **claims: Any) -> str:
    return rig.kommo.make_one_time_token(user_id, **claims)


def opened(rig: Rig, reply: requests.Response) -> sessions.Session:
    assert reply.status_code == 200, reply.text
    session = sessions.opened(rig.world, reply.json()["session"])
    assert session is not None
    return session


def refusal(reply: requests.Response) -> tuple[int, str]:
    assert "session" not in reply.json()
    return reply.status_code, reply.json()["error"]


def page(rig: Rig, reply: requests.Response, path: str = "/app/") -> requests.Response:
    headers = {sessions.HEADER: reply.json()["session"], "HX-Request": "true"}
    return call("GET", rig.url + path, headers=headers)
