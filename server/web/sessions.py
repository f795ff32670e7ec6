"""A session: who was let in, sealed in a token that lives for minutes and is renewed for hours.

It travels in a header inside Kommo's frame, where no cookie reaches us, and in a first-party
cookie on its own pages. Nothing of it is stored but that it was ended: by signing out, or with
what let the person in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.core.keys import AccountId
from server.flows.standing import Standing, end_session, standing_of
from server.flows.world import World
from server.store.secrets import CannotOpen, hash_of, new_key
from server.web.auth import Role

LIFE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)  # then the person proves again who they are
HEADER = "X-Billhook-Session"
LONGEST_TOKEN = 4096
LONGEST_NAME = 100  # the token has to fit into a cookie
_OWNER = "session"


@dataclass(frozen=True)
class Session:
    """``where``: "kommo" (in the frame) or "app". ``who`` is the vendor's id of the person,
    ``name`` what the history of settings shows."""

    account_id: AccountId
    role: Role
    where: str
    who: str
    name: str
    language: str
    began: datetime
    home: str  # the vendor's id of what let the person in: the Kommo account, or the business
    key: str  # random; a cookie's forms must show its hash

    @property
    def id(self) -> str:
        return hash_of(f"session:{self.key}")

    @property
    def holder(self) -> str:
        """Whose a consent is that was begun here. In the frame the person's, for there a session
        that ends is replaced by another without a word."""
        if self.where == "app":
            return self.id
        return hash_of(f"{self.where}:{self.home}:{self.who}")


def begin(  # all that a session says
    world: World,
    account_id: int,
    role: Role,
    *,
    where: str,
    who: str,
    name: str,
    language: str = "",
) -> Session:
    home, now = _home(standing_of(world, account_id), where), world.clock.now()
    shown = name[:LONGEST_NAME]
    return Session(AccountId(account_id), role, where, who, shown, language, now, home, new_key())


def still(world: World, session: Session) -> Standing | None:
    """The account's, while the session counts: nobody signed out of it, and what let the person in
    still is the account's (a business that took another's place is not kept by the same people, and
    who switched us off in Kommo lets nobody in)."""
    found = standing_of(world, session.account_id, session.id)
    return found if _home(found, session.where) == session.home else None


def end(world: World, session: Session) -> None:
    """Nobody gets in with it any more, nor with a copy of it."""
    end_session(world, session.id, session.began + LONGEST)


def _home(standing: Standing | None, where: str) -> str:
    if standing is None:
        return ""
    tie = standing.kommo if where == "kommo" else standing.freshbooks
    return tie.external_id if tie and tie.state != "disconnected" else ""


def lasts(world: World, session: Session) -> timedelta:
    """How long a token that is sealed now will work."""
    life = LIFE if session.where == "kommo" else LONGEST
    return min(life, session.began + LONGEST - world.clock.now())


def seal(world: World, session: Session) -> str:
    """The token; it works for LIFE (a cookie's for LONGEST), and never past LONGEST since began."""
    until = world.clock.now() + lasts(world, session)
    inside = {**vars(session), "began": session.began.isoformat(), "until": until.isoformat()}
    return world.vault.seal(_OWNER, inside)


def opened(world: World, token: str) -> Session | None:
    """The session in a token that is ours and still good; None otherwise."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    try:
        inside = world.vault.open(_OWNER, token)
    except CannotOpen:
        return None
    until = datetime.fromisoformat(inside.pop("until"))
    if until <= world.clock.now():
        return None
    began = datetime.fromisoformat(inside.pop("began"))
    return Session(**{**inside, "role": Role(inside["role"]), "began": began})


def form_key(session: Session) -> str:
    """What a form of a cookie's page carries: a stranger's page cannot know it."""
    return hash_of(f"form:{session.key}") if session.where == "app" else ""
