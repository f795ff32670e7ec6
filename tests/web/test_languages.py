"""The pages in English, Spanish and Portuguese: whose language decides, and that it is whole."""

import html
import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages import extract, pofile
from flask import g

from server.web import languages
from server.web.languages import LANGUAGES, money, when
from tests.rig import MONDAY, Rig
from tests.stories.shop import Shop
from tests.web.letting_in import LetIn, let_in

ROOT = Path(__file__).parents[2]
RULES = {"en": "Rules", "es": "Reglas", "pt": "Regras"}
MANY = 300  # sentences of all the pages
MOST_WORDS = 3  # an English sentence has more; a shorter one may be a word of that language too


def heading(page: str) -> str:
    found = re.search(r"<h1>([^<]+)</h1>", page)
    assert found
    return html.unescape(found[1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_session_s_language_goes_before_the_browser_s(shared_rig: Rig, language: str) -> None:
    page = let_in(shared_rig, language=language, where="app").get(
        "/app/rules", headers={"Accept-Language": "pt" if language == "es" else "es"}
    )
    assert heading(page.text) == RULES[language]
    assert f'<html lang="{language}">' in page.text


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("es-MX", "es"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("fr-CH, fr;q=0.9, es;q=0.5", "es"),
        ("en-GB,es;q=0.5", "en"),
        ("fr, de;q=0.7", "en"),
        ("es;q=0, pt;q=0.1", "pt"),
        ("*", "en"),
        ("", "en"),
        ("xx-%(no)s;q=nothing", "en"),
    ],
)
def test_without_one_the_browser_s_decides_else_it_is_english(
    shared_rig: Rig, asked: str, language: str
) -> None:
    page = let_in(shared_rig, language="", where="app").get(
        "/app/rules", headers={"Accept-Language": asked}
    )
    assert heading(page.text) == RULES[language]


def test_a_session_s_language_that_we_do_not_have_is_nobody_s(shared_rig: Rig) -> None:
    page = let_in(shared_rig, language="fr", where="app").get(
        "/app/rules", headers={"Accept-Language": "pt"}
    )
    assert heading(page.text) == "Regras"
    assert '<html lang="pt">' in page.text


def test_who_is_not_let_in_yet_is_spoken_to_as_the_browser_asks(bare_rig: Rig) -> None:
    stranger = bare_rig.app.test_client()
    page = stranger.get("/app/sign-in", headers={"Accept-Language": "es-AR"}).text
    assert heading(page) == "Iniciar sesión en Billhook"
    page = stranger.get("/nothing", headers={"Accept-Language": "pt-BR"}).text
    assert heading(page) == "Não encontrado"
    assert '<html lang="pt">' in page


def test_kommo_s_page_names_the_language_of_the_frame(shared_rig: Rig) -> None:
    address = f"/embed/settings?host={shared_rig.kommo.host}&lang="
    stranger = shared_rig.app.test_client()
    assert '<html lang="pt"' in stranger.get(address + "pt").text
    assert '<html lang="en"' in stranger.get(address + "kl").text


@pytest.mark.parametrize(
    ("language", "currency", "said"),
    [
        ("en", "EUR", "€1,234.50"),
        ("es", "EUR", "EUR 1,234.50"),
        ("pt", "EUR", "€ 1.234,50"),
        ("pt", "BRL", "R$ 1.234,50"),
        ("es", "MXN", "MXN 1,234.50"),
        ("en", "CHF", "CHF 1,234.50"),
        ("en", "JPY", "¥1,234"),
        ("es", "RSD", "RSD 1,234.50"),
        ("pt", "KWD", "KWD 1.234,500"),
    ],
)
def test_money_is_spelled_in_the_visitor_s_language(
    shared_rig: Rig, language: str, currency: str, said: str
) -> None:
    with shared_rig.app.test_request_context(headers={"Accept-Language": language}):
        told = money(Decimal("1234.50"), currency)
    assert told.replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Mar 2, 2026"), ("es", "2 mar 2026"), ("pt", "2 de mar. de 2026")],
)
def test_times_are_spelled_in_the_visitor_s_language(
    shared_rig: Rig, language: str, said: str
) -> None:
    with shared_rig.app.test_request_context(headers={"Accept-Language": language}):
        assert when(MONDAY).startswith(said)
        assert languages.day(MONDAY.date()) == said
        assert "visitor" not in g


@pytest.fixture
def addresses(rig: Rig) -> list[str]:
    """Every page but a consent's, with something on it."""
    shop = Shop(rig, mapping={"due_days": {"text": "14"}, "discount": None})
    chair = shop.product("1200.75", "Chair")
    good = shop.deal("2401.50", products=[(chair, "2")], name="Forty chairs")
    bad = shop.deal(None, name="Without an amount")
    shop.issue(good)
    shop.issue(bad)
    deals = "/app/activity/deal:"
    return [
        *("/app/", "/app/rules", "/app/rules/new", "/app/rules/issue"),
        *("/app/rules/issue/remove", "/app/mapping", "/app/preview"),
        *(f"/app/preview?deal={one.id}" for one in (good, bad)),
        *("/app/activity", "/app/activity?group=needs_attention", f"{deals}{good.id}"),
        *(f"{deals}{bad.id}", f"{deals}{good.id}/again", f"{deals}{bad.id}/again"),
        *("/app/history", "/app/history/1", "/app/history/import", "/app/sign-in"),
    ]


def _consent(visitor: LetIn) -> str:
    """Whoever began it sees its page."""
    begun = visitor.post("/app/connect/freshbooks", data={"csrf": visitor.csrf})
    return str(begun.headers["Location"])


def _english(language: str) -> list[str]:
    """Sentences of the pages' own that are others in this language."""
    place = languages.TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    with place.open("rb") as file:
        catalog = pofile.read_po(file, locale=language)
    sources = [(ROOT / "templates", "**.html", "jinja2"), (ROOT / "server/web", "**.py", "python")]
    rows = [
        row
        for folder, names, method in sources
        for row in extract.extract_from_dir(folder, [(names, method)])
    ]
    found = {row[2] for row in rows if isinstance(row[2], str) and "%(" not in row[2]}
    assert len(found) > MANY
    return [one for one in found if len(one.split()) > MOST_WORDS and catalog[one].string != one]


def test_every_page_is_whole_in_every_language(rig: Rig, addresses: list[str]) -> None:
    for language in LANGUAGES:
        visitor: LetIn = let_in(rig, language=language, where="app")
        foreign = _english(language) if language != "en" else []
        for address in [_consent(visitor), *addresses]:
            page = visitor.get(address, headers={"Accept-Language": language})
            assert page.status_code == (303 if address == "/app/sign-in" else 200), address
            text = html.unescape(page.text)
            assert not re.search(r"%\(\w+\)|\{\{|\}\}|\[\[", text), (language, address)
            left = [one for one in foreign if one in text]
            assert left == [], (language, address)
