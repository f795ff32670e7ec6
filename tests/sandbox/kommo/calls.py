"""Raw HTTP against an emulated Kommo account, so that no client of ours hides a quirk."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import requests

from server.sandbox import Sandbox
from server.sandbox.kommo.account import Account

CLIENT_ID = "7a1f0c52-3f7e-4c1b-9a7d-2f6f3d0a9b11"
SECRET = "kommo-integration-secret-for-tests-0001"
REDIRECT = "http://127.0.0.1:1/oauth/kommo/callback"


@dataclass
class Kommo:
    """One connected account; every method returns the plain ``requests`` reply."""

    sandbox: Sandbox
    account: Account
    token: str = ""

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        url = path if "://" in path else f"{self.account.url}{path}"
        return requests.request(
            method, url, headers=headers, timeout=5, allow_redirects=False, **more
        )

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.send("GET", f"/api/v4/{path}", params=params)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.send("POST", f"/api/v4/{path}", json=body)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.send("PATCH", f"/api/v4/{path}", json=body)

    def token_call(self, host: str = "", **changes: str) -> requests.Response:
        body = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uri": REDIRECT,
            **changes,
        }
        url = f"http://{host or self.account.host}/oauth2/access_token"
        return requests.post(url, json=body, timeout=5)

    def exchange(self, code: str) -> requests.Response:
        return self.token_call(grant_type="authorization_code", code=code)

    def refresh(self, token: str, host: str = "") -> requests.Response:
        return self.token_call(host, grant_type="refresh_token", refresh_token=token)

    def connect(self, user_id: int | None = None) -> dict[str, Any]:
        """A token pair of a fresh consent; its access token is used from now on."""
        pair: dict[str, Any] = self.exchange(self.account.make_code(CLIENT_ID, user_id)).json()
        self.token = pair["access_token"]
        return pair

    def hook_bodies(self) -> Iterator[bytes]:
        """Bodies of the hooks that were queued, oldest first."""
        return (hook.body for hook in self.sandbox.deliveries.history if hook.method == "POST")

    def hook_pairs(self) -> list[dict[str, str]]:
        """The queued hooks as key → value."""
        return [
            dict(parse_qsl(body.decode(), keep_blank_values=True)) for body in self.hook_bodies()
        ]


def errors(reply: requests.Response) -> list[tuple[str, str, str]]:
    """(request_id, code, path) of a validation reply."""
    return [
        (row["request_id"], error["code"], error["path"])
        for row in reply.json()["validation-errors"]
        for error in row["errors"]
    ]
