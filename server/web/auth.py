"""How each route knows its caller: a closed set, stamped on the view, walked by a guard test.

A view without a stamp does not get past the guard, so nobody forgets to decide.
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


def needs(auth: Auth) -> Callable[[View], View]:
    """Say on the view what it checks; the checking is the view's first lines."""

    def stamp(view: View) -> View:
        view.auth = auth  # type: ignore[attr-defined]
        return view

    return stamp
