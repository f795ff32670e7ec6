"""The mapping's form as a browser has it: read off the page, changed, sent back."""

import re
from html.parser import HTMLParser
from typing import Any

from server.core.settings import SettingsDocument
from server.flows.change_settings import newest
from tests.rig import Rig
from tests.web.letting_in import LetIn

URL = "/app/mapping"


class Controls(HTMLParser):
    """What a browser would send of the form "mapping"."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.form: dict[str, str] = {}
        self._open = False
        self._select = self._text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        of = dict(attributes)
        if tag == "form":
            self._open = of.get("id") == "mapping"
        if not self._open:
            return
        name = of.get("name") or ""
        told = name in ("", "told") or (of.get("type") == "checkbox" and "checked" not in of)
        if tag == "input" and not told:
            self.form[name] = re.sub(r"[\r\n]", "", of.get("value", "on"))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in of:
            self.form[self._select] = of["value"]
        elif tag == "textarea":
            self._text, self.form[name] = name, ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.form[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text:  # its first end of line is none; others are sent so
            text = self.form[self._text].removeprefix("\n")
            self.form[self._text], self._text = text.replace("\n", "\r\n"), ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._open = False


def controls(page: Any) -> dict[str, str]:
    return Controls(page.text).form


def mapping_of(rig: Rig) -> SettingsDocument:
    return newest(rig.world, rig.account_id)[0]


def version_of(rig: Rig) -> int:
    return newest(rig.world, rig.account_id)[1]


def changed(admin: LetIn, **changes: str) -> dict[str, str]:
    """The page's form with some controls changed, whose names have "_" where they have "-"."""
    form = controls(admin.get(URL))
    renamed = {name.replace("__", "-"): value for name, value in changes.items()}
    assert set(renamed) <= set(form)
    return form | renamed
