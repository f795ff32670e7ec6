"""Versions of the settings document are counted and kept; a rule has one open stretch at most."""

import json
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from server.core.keys import AccountId
from server.store import settings
from server.store.db import Database
from server.store.settings import RuleSwitchRow, SettingsVersionRow
from tests.fixed_clock import START
from tests.store import rows

HOUR = timedelta(hours=1)


def _save(database: Database, account: int, document: dict[str, object]) -> int:
    with database.write() as session:
        return settings.save(session, account, document, "ada", START).number


def _on(database: Database, account: int, slug: str, at: object = START) -> bool:
    with database.write() as session:
        return settings.switch_on(session, account, slug, at, "ada")  # type: ignore[arg-type]


def _off(database: Database, account: int, slug: str, at: object = START) -> bool:
    with database.write() as session:
        return settings.switch_off(session, account, slug, at, "bob")  # type: ignore[arg-type]


def _switched_on(database: Database, account: int) -> dict[str, object]:
    with database.read() as session:
        return dict(settings.switched_on(session, account))


def test_the_highest_version_counts_and_the_older_ones_stay(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    assert [_save(database, account, {"v": n}) for n in (1, 2)] == [1, 2]
    assert _save(database, second, {"v": "other"}) == 1
    with database.read() as session:
        current = settings.current(session, account)
        assert current is not None
        assert (current.number, current.document, current.author) == (2, {"v": 2}, "ada")
    assert len(rows.rows_of(database, SettingsVersionRow)) == 3


def test_an_account_without_settings_has_no_version(database: Database, account: AccountId):
    with database.read() as session:
        assert settings.current(session, account) is None


def test_the_newest_document_can_be_had_as_its_text(database: Database, account: AccountId):
    document = {
        "name": "Ąžuolas",
        "rules": [{"slug": "a", "when": [], "percent": "21.5", "on": None}],
    }
    with database.read() as session:
        assert settings.current_text(session, account) is None
    _save(database, account, {"v": 1})
    _save(database, account, document)
    with database.read() as session:
        text = settings.current_text(session, account)
    assert text is not None
    assert json.loads(text) == document


def test_a_version_number_is_given_once(database: Database, account: AccountId):
    _save(database, account, {})
    twin = SettingsVersionRow(
        account_id=account, number=1, document={}, author="bob", created_at=START
    )
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(twin)


def test_a_rule_is_on_since_the_whole_second_in_which_it_was_switched(
    database: Database, account: AccountId
):
    """Kommo's times have whole seconds: what entered within that second counts."""
    assert _on(database, account, "won", START + timedelta(milliseconds=700))
    assert _switched_on(database, account) == {"won": START}


def test_switching_on_twice_keeps_the_first_time(database: Database, account: AccountId):
    assert _on(database, account, "won")
    assert not _on(database, account, "won", START + HOUR)
    assert _switched_on(database, account) == {"won": START}


def test_off_ends_the_stretch_and_on_begins_another(database: Database, account: AccountId):
    assert not _off(database, account, "won")
    _on(database, account, "won")
    assert _off(database, account, "won", START + HOUR)
    assert not _off(database, account, "won", START + 2 * HOUR)
    assert _switched_on(database, account) == {}
    assert _on(database, account, "won", START + 3 * HOUR)
    stretches = [(row.on_at, row.off_at) for row in rows.rows_of(database, RuleSwitchRow)]
    assert stretches == [(START, START + HOUR), (START + 3 * HOUR, None)]
    who = [(row.on_by, row.off_by) for row in rows.rows_of(database, RuleSwitchRow)]
    assert who == [("ada", "bob"), ("ada", None)]


def test_rules_and_accounts_are_switched_apart(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    _on(database, account, "won")
    _on(database, account, "paid", START + HOUR)
    _on(database, second, "won")
    assert _off(database, account, "won")
    assert _switched_on(database, account) == {"paid": START + HOUR}
    assert _switched_on(database, second) == {"won": START}


def test_all_rules_of_an_account_go_off_at_once(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    for slug in ("won", "paid"):
        _on(database, account, slug)
    _on(database, second, "won")
    with database.write() as session:
        assert settings.all_off(session, account, START + HOUR, "ada") == ["paid", "won"]
    assert _switched_on(database, account) == {}
    assert _switched_on(database, second) == {"won": START}


def test_threads_that_switch_a_rule_on_at_once_open_one_stretch(
    database: Database, account: AccountId
):
    assert sum(rows.at_once(6, lambda _: _on(database, account, "won"))) == 1
    assert len(rows.rows_of(database, RuleSwitchRow)) == 1


def test_the_database_itself_refuses_a_second_open_stretch(database: Database, account: AccountId):
    _on(database, account, "won")
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(RuleSwitchRow(account_id=account, rule_slug="won", on_at=START, on_by="ada"))


def test_a_rule_of_an_unknown_account_is_an_error_not_a_shrug(database: Database):
    with pytest.raises(IntegrityError):
        _on(database, 987_654, "won")
