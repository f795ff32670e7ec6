"""Sentences that a page may show in another language than the one they were written in.

Core, flows and vendors speak English and know no languages: ``say`` makes the English sentence,
which is compared, stored and logged as any string, and keeps what it was made of. A page looks the
template up in its catalogue and fills in the same facts (``web/languages.spoken``); the catalogues
get the templates from the calls of ``say`` (``.ci/translations``), so they are written out there.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from server.core.money import Money

Fact = str | Money  # an amount is one by its type: a text that looks like one is a text


class Said(str):
    """A sentence in English. ``facts`` fill the %(name)s of ``template``; one of them may be such a
    sentence itself, or an amount. Copied, pickled or as JSON it is its text alone (``to_json``
    keeps the rest).
    """

    template: str
    facts: Mapping[str, Fact]

    def __new__(cls, template: str, facts: Mapping[str, Fact]) -> "Said":
        told = super().__new__(cls, template % facts)
        told.template, told.facts = template, facts
        return told

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def say(template: str, /, **facts: object) -> Said:
    """The sentence; what is neither text nor money among the facts is written as ``str`` does."""
    told = {
        name: fact if isinstance(fact, str | Money) else str(fact) for name, fact in facts.items()
    }
    return Said(template, told)


def joined(parts: Iterable[str], between: str = " ") -> str:
    """Sentences in a row, each of which is still known by itself."""
    told = list(parts)
    if len(told) == 1:
        return told[0]
    if not any(isinstance(part, Said) for part in told):
        return between.join(told)
    named = {f"part{number}": part for number, part in enumerate(told)}
    return Said(between.replace("%", "%%").join(f"%({name})s" for name in named), named)


def to_json(text: Fact) -> Any:
    """The text; of a ``Said`` its template and facts; an amount by its number and currency."""
    if isinstance(text, Money):
        return {"money": [str(text.amount), text.currency]}
    if not isinstance(text, Said):
        return text
    facts = {name: to_json(fact) for name, fact in text.facts.items()}
    return {"template": text.template, "facts": facts}


def from_json(body: Any) -> str:
    """What ``to_json`` was given."""
    if isinstance(body, str):
        return body
    return Said(body["template"], {name: _fact(fact) for name, fact in body["facts"].items()})


def _fact(body: Any) -> Fact:
    if isinstance(body, dict) and "money" in body:
        amount, currency = body["money"]
        return Money(Decimal(amount), currency)
    return from_json(body)
