"""The settings document that counts for an account now."""

from server.core.settings import SettingsDocument, default_settings, validate
from server.store import settings
from server.store.db import Session


def settings_of(session: Session, account_id: int) -> SettingsDocument:
    """The newest version; the default (no rules) before the first was saved."""
    row = settings.current(session, account_id)
    return validate(row.document) if row is not None else default_settings()
