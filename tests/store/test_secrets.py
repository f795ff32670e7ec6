"""A stolen database is worth nothing without the keys, and a row moved elsewhere does not open."""

import pytest
from cryptography.fernet import Fernet

from server.store.secrets import CannotOpen, Vault, hash_of, new_key

OLD, NEW, STRANGE = (Fernet.generate_key().decode() for _ in range(3))


@pytest.mark.parametrize("value", ["text", {"access": "a", "refresh": "r"}, ["ž", 1, None]])
def test_what_is_sealed_opens_for_its_owner(value: object):
    vault = Vault([NEW])
    assert vault.open("grant:1", vault.seal("grant:1", value)) == value


def test_nothing_of_the_value_shows_through_the_seal():
    sealed = Vault([NEW]).seal("grant:1", "hunter2")
    assert "hunter2" not in sealed
    assert "grant:1" not in sealed
    assert sealed != Vault([NEW]).seal("grant:1", "hunter2")


def test_a_secret_under_another_owner_does_not_open():
    vault = Vault([NEW])
    with pytest.raises(CannotOpen, match="another owner"):
        vault.open("grant:2", vault.seal("grant:1", "secret"))


def test_after_a_rotation_old_secrets_open_and_new_ones_need_the_new_key():
    before = Vault([OLD]).seal("o", "old")
    rotated = Vault([NEW, OLD])
    assert rotated.open("o", before) == "old"
    assert Vault([NEW]).open("o", rotated.seal("o", "new")) == "new"
    with pytest.raises(CannotOpen):
        Vault([OLD]).open("o", rotated.seal("o", "new"))


def test_a_foreign_key_opens_nothing_and_the_error_names_the_setting():
    with pytest.raises(CannotOpen, match="BILLHOOK_SECRET_KEYS"):
        Vault([STRANGE]).open("o", Vault([NEW]).seal("o", "secret"))


@pytest.mark.parametrize("broken", ["", "not a seal", "gAAAAA"])
def test_a_broken_seal_is_refused_in_the_same_words(broken: str):
    with pytest.raises(CannotOpen, match="BILLHOOK_SECRET_KEYS"):
        Vault([NEW]).open("o", broken)


def test_a_seal_changed_by_one_letter_is_refused():
    sealed = Vault([NEW]).seal("o", "secret")
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    with pytest.raises(CannotOpen):
        Vault([NEW]).open("o", changed)


def test_a_vault_without_keys_cannot_be_made():
    with pytest.raises(ValueError, match="at least one"):
        Vault([])


def test_keys_for_urls_are_long_random_and_found_by_their_hash():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key) >= 27 for key in keys)  # 160 bits
    assert len({hash_of(key) for key in keys}) == 100
    key = keys.pop()
    assert key not in hash_of(key)
