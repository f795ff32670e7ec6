"""The visitor's language, and how it spells times and money: Kommo's markets, through gettext."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from flask import Flask, g, request
from flask_babel import Babel, get_locale

# The catalogue's name, and the locale that spells numbers and days in it.
LANGUAGES = {"en": "en", "es": "es_419", "pt": "pt_BR"}
TRANSLATIONS = Path(__file__).parent / "translations"


def install(app: Flask) -> None:
    Babel(app, locale_selector=_language, default_translation_directories=str(TRANSLATIONS))
    app.jinja_env.filters |= {"when": when, "day": day, "money": money}


def chosen(wanted: str) -> str:
    """One of ours from what somebody asks for ("es-MX"); "" where we have none."""
    short = wanted.strip().lower().replace("_", "-").partition("-")[0]
    return short if short in LANGUAGES else ""


def _language() -> str:
    """The session's, else what the browser asks for."""
    seen = g.get("visitor")
    if seen is not None and seen.language:
        return str(seen.language)
    asked = chosen(request.args.get("lang", ""))
    return asked or request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def when(moment: datetime | None, form: str = "medium") -> str:
    """A time in the account's zone ("Mar 2, 2026, 2:05 PM"); "" for none."""
    if moment is None:
        return ""
    zone = ZoneInfo(g.visitor.timezone) if g.get("visitor") else ZoneInfo("UTC")
    return dates.format_datetime(moment, form, tzinfo=zone, locale=_locale())


def day(one: date | None, form: str = "medium") -> str:
    return dates.format_date(one, form, locale=_locale()) if one else ""


def money(amount: Decimal | str | None, currency: str) -> str:
    """In the locale's form, to the currency's own decimals; the bare number where the vendor's
    currency is none that we know."""
    if amount in (None, ""):
        return ""
    if not currency:
        return numbers.format_decimal(Decimal(str(amount)), locale=_locale())
    return numbers.format_currency(Decimal(str(amount)), currency, locale=_locale())


def _locale() -> Locale:
    return Locale.parse(LANGUAGES.get(str(get_locale()), "en"))
