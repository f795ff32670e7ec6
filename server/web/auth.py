"""How each route knows its caller: a closed set, stamped on the view, walked by a guard test.

A view without a stamp does not get past the guard, so nobody forgets to decide. A page for people
also says which page it belongs to and whether it reads or changes; ``MAY`` decides by the role.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Auth(StrEnum):
    NOBODY = "nobody"  # tells and does nothing that a stranger may not know or do
    TICKET = "ticket"  # a single-use ticket in the query
    STATE = "state"  # a single-use state, from the browser that it was given to
    SIGNATURE = "signature"  # the vendor's, over the query or the body
    PATH_KEY = "path key"  # 160 random bits in the path
    ONE_TIME_TOKEN = "one-time token"  # Kommo's, that proves one of its users  # noqa: S105
    OWN_SESSION = "own session"  # for what concerns the session alone: to renew or end it
    SESSION = "session"  # somebody who was let in, in a header or a first-party cookie


class Role(StrEnum):
    ADMIN = "admin"  # of the Kommo account, or whoever keeps the books of the business
    MANAGER = "manager"  # any other user of the Kommo account


class Page(StrEnum):
    SET_UP = "set-up"
    RULES = "rules"
    MAPPING = "mapping"
    PREVIEW = "preview"
    ACTIVITY = "activity"
    HISTORY = "history"


class Act(StrEnum):
    READ = "read"
    CHANGE = "change"


_ALL = frozenset(Act)
_READ = frozenset({Act.READ})
MAY: dict[Role, dict[Page, frozenset[Act]]] = {
    Role.ADMIN: dict.fromkeys(Page, _ALL),
    # What stands on an invoice, and what became of it; settings and tokens are the admins'.
    Role.MANAGER: {Page.ACTIVITY: _READ},
}


def may(role: Role, page: Page, act: Act) -> bool:
    return act in MAY[role].get(page, frozenset())


def needs(auth: Auth, page: Page | None = None, act: Act = Act.READ) -> Callable[[View], View]:
    """Say on the view what it checks. Without a session the checking is the view's first lines;
    with one it is done before the view runs, by ``visitor``."""
    if (auth is Auth.SESSION) != (page is not None):
        raise ValueError("a page is said with a session, and only there")

    def stamp(view: View) -> View:
        view.auth = auth  # type: ignore[attr-defined]
        view.page, view.act = page, act  # type: ignore[attr-defined]
        return view

    return stamp
