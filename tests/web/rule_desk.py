"""What tests of the rules' pages begin with: an account with rules, fields and an admin."""

import re
from html import unescape
from typing import Any

from server.core.settings_model import Rule
from server.flows import change_settings
from tests.rig import Rig
from tests.web.letting_in import let_in

WON = 142


class Shelf:
    """An account with two rules, "won" and "paid", and an admin who looks at them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.pipeline = next(iter(rig.kommo.pipelines.values()))
        self.admin = let_in(rig)
        self.save("won", "paid")

    def rule(self, slug: str, **more: Any) -> dict[str, Any]:
        when = [{"pipeline_id": self.pipeline.id, "stage_id": WON}]
        return {"slug": slug, "name": slug.title(), "when": when, **more}

    def save(self, *slugs: str, author: str = "Bob") -> None:
        self.save_rules(*(self.rule(slug) for slug in slugs), author=author)

    def save_rules(self, *rules: dict[str, Any], author: str = "Bob") -> None:
        document = {"rules": list(rules), "mapping": {}}
        change_settings.save(self.rig.world, self.rig.account_id, document, author)

    @property
    def slugs(self) -> list[str]:
        return [rule.slug for rule in self.newest()[0].rules]

    @property
    def version(self) -> int:
        return self.newest()[1]

    def newest(self) -> Any:
        return change_settings.newest(self.rig.world, self.rig.account_id)

    def on(self) -> list[str]:
        return sorted(change_settings.on_since(self.rig.world, self.rig.account_id))

    def post(self, path: str, **form: Any) -> Any:
        return self.admin.post(f"/app/rules{path}", data={"version": self.version, **form})


class Desk(Shelf):
    """The rules "won" and "paid", and an account with fields of every kind."""

    def __init__(self, rig: Rig) -> None:
        add = rig.kommo.add_field
        self.currency = add("leads", "select", "Currency", enums=["EUR", "USD", "GBP"])
        self.urgent = add("leads", "checkbox", "Urgent")
        self.due = add("leads", "date", "Delivery date")
        self.order = add("leads", "text", "Order number")
        super().__init__(rig)
        self.won = f"{self.pipeline.id}:{WON}"

    def send(self, path: str = "/new", **form: Any) -> Any:
        """A form that is complete but for what ``form`` says."""
        whole = {"name": "Big deals", "when": [self.won], "match": "all", "action": "draft"}
        return self.post(path, **{**whole, **form})

    def saved(self, slug: str = "big-deals") -> Rule:
        document, _number = self.newest()
        return next(rule for rule in document.rules if rule.slug == slug)

    def made(self, **form: Any) -> Rule:
        answer = self.send(**form)
        assert answer.status_code == 303, answer.text
        return self.saved()

    def refused(self, path: str = "/new", **form: Any) -> dict[str, str]:
        """Its errors by their controls; nothing was saved."""
        before = self.version
        answer = self.send(path, **form)
        assert answer.status_code == 422, answer.status_code
        assert self.version == before
        return errors_in(answer.text)


def errors_in(page: str) -> dict[str, str]:
    found = re.findall(r'<p class="error[^"]*" id="([^"]+)-error"[^>]*>([^<]+)</p>', page)
    return {control: unescape(sentence) for control, sentence in found}


def condition(field: str, test: str, *values: str, number: int = 0) -> dict[str, Any]:
    return {f"field-{number}": field, f"is-{number}": test, f"value-{number}": list(values)}
