"""The visitor's language, and how it spells times and money: Kommo's markets, through gettext."""

import re
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from flask import Flask, g, request
from flask_babel import Babel, get_locale, gettext

from server.core.money import Money, digits, exact
from server.core.said import Fact, Said

# The catalogue's name, and the locale that spells numbers and days in it.
LANGUAGES = {"en": "en", "es": "es_419", "pt": "pt_BR"}
TRANSLATIONS = Path(__file__).parent / "translations"
# Where a currency's letters touch its number: CLDR wants a space there, which Babel leaves out.
_TOUCHING = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


def install(app: Flask) -> None:
    Babel(app, locale_selector=_language, default_translation_directories=str(TRANSLATIONS))
    app.jinja_env.filters |= {
        "when": when,
        "hour": hour,
        "day": day,
        "money": money,
        "decimal": decimal,
        "spoken": spoken,
    }


def chosen(wanted: str) -> str:
    """One of ours from what somebody asks for ("es-MX"); "" where we have none."""
    short = wanted.strip().lower().replace("_", "-").partition("-")[0]
    return short if short in LANGUAGES else ""


def _language() -> str:
    """The session's, else what the browser asks for."""
    seen = g.get("visitor")
    if seen is not None and chosen(seen.language):
        return chosen(seen.language)
    asked = [request.args.get("lang", "")]
    asked += [language for language, weight in request.accept_languages if weight > 0]
    return next(filter(None, map(chosen, asked)), "en")


def when(moment: datetime | None, form: str = "medium") -> str:
    """A time in the account's zone ("Mar 2, 2026, 2:05 PM"); "" for none."""
    if moment is None:
        return ""
    return dates.format_datetime(moment, form, tzinfo=_zone(), locale=_locale())


def hour(moment: datetime) -> str:
    """Its time of day in the account's zone ("2:05 PM")."""
    return dates.format_time(moment, "short", tzinfo=_zone(), locale=_locale())


def day(one: date | None, form: str = "medium") -> str:
    return dates.format_date(one, form, locale=_locale()) if one else ""


def money(amount: Decimal | str | None, currency: str) -> str:
    """In the locale's form and to the decimals that invoices have: CLDR's own, which Babel takes by
    itself, are those of cash, and give the Serbian dinar none."""
    if amount in (None, ""):
        return ""
    value = Decimal(str(amount))
    pattern = copy(_locale().currency_formats["standard"])
    pattern.frac_prec = (digits(currency), digits(currency))
    with exact():  # Babel rounds in the context that it finds, whose 28 digits can be too few
        if not currency:
            return numbers.format_decimal(value, locale=_locale())
        told = pattern.apply(value, _locale(), currency=currency, currency_digits=False)
    return _TOUCHING.sub("\N{NO-BREAK SPACE}", told)


def decimal(number: Decimal | None) -> str:
    """As many decimals as it has ("2.5"), in the locale's form."""
    if number is None:
        return ""
    return numbers.format_decimal(number.normalize(), locale=_locale(), decimal_quantization=False)


def spoken(text: str) -> str:
    """A sentence of the core, the flows or the vendors, where the catalogue has its template; of
    the facts in it only amounts of money are spelled anew. A plain text stays as it is, and so does
    what cannot be spelled: a sentence often says why something else failed."""
    if not isinstance(text, Said):
        return text
    try:
        facts = {name: _fact(fact) for name, fact in text.facts.items()}
        return str(gettext(text.template)) % facts
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return str(text)


def _fact(fact: Fact) -> str:
    return money(fact.amount, fact.currency) if isinstance(fact, Money) else spoken(fact)


def _zone() -> ZoneInfo:
    return ZoneInfo(g.visitor.timezone) if g.get("visitor") else ZoneInfo("UTC")


def _locale() -> Locale:
    return Locale.parse(LANGUAGES.get(str(get_locale()), "en"))
