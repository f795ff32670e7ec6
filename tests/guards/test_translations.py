"""Every message of the pages is there in every language, and none that no page shows."""

import gettext
import io
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages import mofile

ROOT = Path(__file__).parents[2]
_PLACEHOLDER = re.compile(r"%\(\w+\)s|%\(\w+\)d|%%|[{}]")


def _script() -> ModuleType:
    loader = SourceFileLoader("translations", str(ROOT / ".ci" / "translations"))
    spec = spec_from_loader("translations", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


SCRIPT = _script()


def _ids(catalog: Any) -> set[Any]:
    return {message.id for message in catalog if message.id}


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_no_message_is_missing_and_none_is_unused(language: str) -> None:
    """`.ci/translations` brings the catalogues up to date; what it prints is to be translated."""
    there, wanted = _ids(SCRIPT.read(language)), _ids(SCRIPT.template())
    assert wanted - there == set()
    assert there - wanted == set()
    assert SCRIPT.untranslated(SCRIPT.read(language)) == []


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_what_is_filled_in_is_filled_in_everywhere(language: str) -> None:
    wrong = []
    for message in SCRIPT.read(language):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = {name for one in ids for name in _PLACEHOLDER.findall(one)}
        wrong += [one for one in said if set(_PLACEHOLDER.findall(one)) - wanted]
        wrong += [] if wanted <= set(_PLACEHOLDER.findall(said[-1])) else [message.id]
    assert wrong == []


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    compiled = io.BytesIO()
    mofile.write_mo(compiled, SCRIPT.read(language))
    compiled.seek(0)
    path = SCRIPT.PLACE / language / "LC_MESSAGES" / "messages.mo"
    with path.open("rb") as file:
        there = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    written = gettext.GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]
    there.pop("", None)
    written.pop("", None)
    assert there == written
