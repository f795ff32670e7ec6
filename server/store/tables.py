"""Every table, imported in one place: what migrations and guards compare against."""

from server.store import accounts, calls, grants, inbox, jobs, ledger, settings, tickets
from server.store.db import Base

__all__ = [
    "Base",
    "accounts",
    "calls",
    "grants",
    "inbox",
    "jobs",
    "ledger",
    "settings",
    "tickets",
]
