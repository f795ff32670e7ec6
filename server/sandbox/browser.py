"""A browser as far as consent needs one: cookies, redirects, and a form with two buttons.

It follows what the servers say, step by step, so that what stands in between (state, cookie, code)
is really carried by redirects and can be looked at.
"""

from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import requests

SECONDS = 10


def call(method: str, url: str, **parts: Any) -> requests.Response:
    """One request as a stranger makes it: no cookies, no redirects, no proxy of ours."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=SECONDS, allow_redirects=False, **parts)


class Form(HTMLParser):
    """The page's one form: where it goes, and what its fields hold."""

    def __init__(self, page: requests.Response) -> None:
        super().__init__()
        self.action = page.url
        self.fields: dict[str, str] = {}
        self._select = ""
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form" and has.get("action"):
            self.action = urljoin(self.action, has["action"])
        elif tag == "input" and has.get("name"):
            self.fields[has["name"]] = has.get("value", "")
        elif tag == "select":
            self._select = has["name"]
        elif tag == "option" and self._select:  # the first one is chosen
            self.fields.setdefault(self._select, has["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


class Browser:
    """One person's browser. ``seen`` are the URLs that it was sent to."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.seen: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.close()

    def get(self, url: str) -> requests.Response:
        """The page, after all redirects."""
        return self._follow(self.session.get(url, timeout=SECONDS, allow_redirects=False))

    def decide(self, page: requests.Response, **chosen: str) -> requests.Response:
        """Fill in the consent form and press its button; follow where that leads."""
        form = Form(page)
        data = {**form.fields, "decision": "allow", **chosen}
        reply = self.session.post(form.action, data=data, timeout=SECONDS, allow_redirects=False)
        return self._follow(reply)

    def back_link(self, page: requests.Response, **chosen: str) -> str:
        """Where the consent would lead, without going there."""
        form = Form(page)
        data = {**form.fields, "decision": "allow", **chosen}
        reply = self.session.post(form.action, data=data, timeout=SECONDS, allow_redirects=False)
        return reply.headers["Location"]

    def _follow(self, reply: requests.Response) -> requests.Response:
        while reply.is_redirect:
            self.seen.append(reply.headers["Location"])
            url = urljoin(reply.url, reply.headers["Location"])
            reply = self.session.get(url, timeout=SECONDS, allow_redirects=False)
        return reply
