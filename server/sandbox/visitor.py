"""A person with a browser: follows a connection's redirects and presses *Allow*.

The demo and the tests connect by the real OAuth pages through it, cookies included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

PATIENCE = 30.0  # seconds for one page


@dataclass
class Form:
    """A page's first form with what would be sent if nobody changed anything."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self._over = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = Form(known.get("action", ""))
        if self.form is None or self._over:
            return
        name = known.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self.form.fields.setdefault(self._select, known.get("value", ""))
        elif tag == "button" and name:
            self.form.buttons.setdefault(name, known.get("value", ""))
        elif tag == "input" and name and known.get("type") not in ("radio", "checkbox"):
            self.form.fields[name] = known.get("value", "")
        elif tag == "input" and name:
            self.form.fields.setdefault(name, known.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "form" and self.form is not None:
            self._over = True


def first_form(page: str) -> Form:
    """Raises LookupError with the page's text where there is none."""
    reader = _FormReader()
    reader.feed(page)
    if reader.form is None:
        raise LookupError(f"no form on the page: {page[:400]}")
    return reader.form


class Visitor:
    """One browser; its cookies live as long as it does."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def consent(self, start_url: str, choices: Mapping[str, str] | None = None) -> str:
        """Open the link, allow with these choices (field name to value), follow back; the text of
        the page where it ends. Raises requests' errors and LookupError."""
        with self.session.get(start_url, timeout=PATIENCE) as asked:
            form = first_form(asked.text)
            url = urljoin(asked.url, form.action) if form.action else asked.url
        sent = {**form.fields, **form.buttons, **(choices or {})}
        with self.session.post(url, data=sent, timeout=PATIENCE) as ended:
            return ended.text

    def close(self) -> None:
        self.session.close()
