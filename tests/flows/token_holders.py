"""A connection's own holder of tokens, as a flow gets it, and the vendor's count of refreshes."""

from datetime import timedelta

import pytest

from server.flows import world as outside
from server.flows.connect import unrecorded
from server.flows.tokens import GrantTokens
from tests.rig import Rig

TOKEN_PATHS = {"kommo": "/oauth2/access_token", "freshbooks": "/auth/oauth/token"}
LIVES = {"kommo": timedelta(hours=24), "freshbooks": timedelta(hours=12)}
VENDORS = ("kommo", "freshbooks")
both = pytest.mark.parametrize("vendor", VENDORS)


def holder(rig: Rig, vendor: str, **more: float) -> GrantTokens:
    """The connection's own holder, as a flow gets it; ``patience`` is shortened."""
    made = outside.tokens_of(rig.world, rig.connection(vendor), unrecorded)
    assert isinstance(made, GrantTokens)
    made._patience = more.get("patience", 5.0)
    return made


def refreshes(rig: Rig, vendor: str) -> int:
    """Answered and unanswered calls of the token endpoint; a consent is one of them."""
    calls = getattr(rig.sandbox, vendor).calls
    return sum(call[1].split("?")[0] == TOKEN_PATHS[vendor] for call in calls)


def expire(rig: Rig, vendor: str) -> None:
    rig.clock.advance(LIVES[vendor])
