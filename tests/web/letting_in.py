"""A client that was let in, as the pages are: by a header in the frame, by a cookie on its own."""

from typing import Any

from flask.testing import FlaskClient

from server.web import sessions
from server.web.auth import Role
from tests.rig import Rig


class LetIn:
    """``get`` and ``post`` with a session of ``role``; ``csrf`` is what a cookie's forms carry."""

    def __init__(self, rig: Rig, session: sessions.Session) -> None:
        self._client: FlaskClient = rig.app.test_client()
        self._headers = {}
        token = sessions.seal(rig.world, session)
        if session.where == "kommo":
            self._headers = {sessions.HEADER: token, "HX-Request": "true"}
        else:
            self._client.set_cookie("billhook-session", token)
        self.csrf = sessions.form_key(session)

    def get(self, path: str, **parts: Any) -> Any:
        return self._send("GET", path, **parts)

    def post(self, path: str, **parts: Any) -> Any:
        return self._send("POST", path, **parts)

    def _send(self, method: str, path: str, **parts: Any) -> Any:
        headers = {**self._headers, **parts.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **parts)


def let_in(
    rig: Rig,
    role: Role = Role.ADMIN,
    *,
    where: str = "kommo",
    account_id: int | None = None,
    language: str = "en",
) -> LetIn:
    whose = rig.account_id if account_id is None else account_id
    session = sessions.begin(
        rig.world, whose, role, where=where, who="1", name="Ann Lee", language=language
    )
    return LetIn(rig, session)
