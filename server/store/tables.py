"""Every table, imported in one place: what migrations and guards compare against."""

from server.store import (
    accounts,
    calls,
    counters,
    deal_names,
    grants,
    inbox,
    jobs,
    ledger,
    numbered,
    settings,
    slots,
    tickets,
)
from server.store.db import Base

__all__ = [
    "Base",
    "accounts",
    "calls",
    "counters",
    "deal_names",
    "grants",
    "inbox",
    "jobs",
    "ledger",
    "numbered",
    "settings",
    "slots",
    "tickets",
]
