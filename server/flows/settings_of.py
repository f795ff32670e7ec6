"""The settings document that counts for an account now."""

import json
from functools import lru_cache

from server.core.settings import SettingsDocument, as_stored, default_settings
from server.store import settings
from server.store.db import Session

REMEMBERED = 256  # documents; found by their text, so a new version is a new one


def settings_of(session: Session, account_id: int) -> SettingsDocument:
    """The newest version; the default (no rules) before the first was saved."""
    text = settings.current_text(session, account_id)
    return read_back(text) if text is not None else default_settings()


@lru_cache(REMEMBERED)
def read_back(text: str) -> SettingsDocument:
    """A document is frozen, so all who read it may share it."""
    return as_stored(json.loads(text))
