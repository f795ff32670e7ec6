"""The settings as a file: what is written can be read, and what cannot is refused in a sentence."""

import pytest
from hypothesis import given

from server.core import settings_file
from server.core.settings import InvalidSettings, SettingsDocument, default_settings
from tests.core.settings_documents import documents


@given(documents)
def test_what_is_written_reads_as_the_same(one: SettingsDocument) -> None:
    assert settings_file.read(settings_file.written(one).encode()) == one


def test_a_file_is_for_people_to_read() -> None:
    text = settings_file.written(default_settings([(1, 2)]))
    assert '\n  "rules": [' in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b'{"rules": [],\n "mapping": }', "is not JSON, line 2, column 13: Expecting value"),
        ('{"rules": "ž"}'.encode("utf-16"), "is not text in UTF-8, see line 1"),
        (b'{"rules": [],\n"notes": "\xff"}', "is not text in UTF-8, see line 2"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[" * 50 + b"]" * 50, "is nested too deeply"),
        (b'{"rules": [], "rules": [], "mapping": {}}', "has “rules” twice in one object"),
        (b'{"rules": [], "mapping": {}, "version": NaN}', "has NaN, which is no number"),
        (b'{"version": ' + b"9" * 5000 + b"}", "has a number that is too long"),
        (b" " * 1_000_001, "is larger than 1,000,000 bytes"),
        (b"[]", "must be an object, written in {braces}"),
    ],
)
def test_what_is_no_settings_is_refused_in_a_sentence(raw: bytes, sentence: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        settings_file.read(raw)
    assert refused.value.errors == (("", sentence),)


def test_an_unknown_key_is_told_with_its_path() -> None:
    with pytest.raises(InvalidSettings) as refused:
        settings_file.read(b'{"rules": [], "mapping": {"nots": {"text": "x"}}}')
    [(path, sentence)] = refused.value.errors
    assert path == "mapping.nots"
    assert "is not known here" in sentence


def test_a_mark_that_editors_put_in_front_is_no_fault() -> None:
    raw = b"\xef\xbb\xbf" + settings_file.written(default_settings()).encode()
    assert settings_file.read(raw) == default_settings()
