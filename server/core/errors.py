"""The outcomes: what may cross a part's border, typed by what to do next.

Vendors raise them, flows pass them on, ``work/retry.py`` decides by them without knowing any
vendor. Anything else that is raised is a bug: parked at once with its traceback, never retried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from server.core.messages import N_
from server.core.said import Said, from_json, joined, say, to_json


class Certainty(StrEnum):
    """What is known of a call that did not answer with a plain success."""

    NOT_SENT = "not_sent"  # DNS, connection refused, connect time-out, TLS: nothing reached them
    REFUSED = "refused"  # they answered in their own error shape: nothing was done
    UNCERTAIN = "uncertain"  # 5xx, reset, read time-out, cut or foreign body: it may have happened


@dataclass(frozen=True)
class Problem:
    """Why a sale cannot be billed, in the user's words.

    ``field`` is a mapping key ("client.email", "lines.2.tax"), ``reason`` says what is wrong,
    ``todo`` what the user can do about it.
    """

    field: str
    reason: str
    todo: str

    def __str__(self) -> str:
        return f"{self.reason} {self.todo}".strip()

    @property
    def sentence(self) -> str:
        """Both in one."""
        return joined(part for part in (self.reason, self.todo) if part)

    def to_json(self) -> dict[str, Any]:
        """With what a page needs to say it in another language, beside the text itself."""
        texts = {"reason": self.reason, "todo": self.todo}
        said = {name: to_json(text) for name, text in texts.items() if isinstance(text, Said)}
        return {**vars(self), "said": said} if said else dict(vars(self))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Problem":
        said = {name: from_json(told) for name, told in body.get("said", {}).items()}
        return cls(**{name: body[name] for name in ("field", "reason", "todo")} | said)


class Outcome(Exception):
    """Base of the five outcomes."""

    @property
    def said(self) -> str:
        """``str`` of it, which a page may say in another language."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class TryLater(Outcome):
    """The vendor (or another of our own runs) is not ready; nothing is wrong with the sale.

    ``cause`` groups jobs that wait for the same thing ("freshbooks:down", "kommo:throttled").
    ``after`` None means: the ordinary retry delays. ``burns`` False: this try is not counted
    (throttling, waiting for another's claim, the quiet period). ``certainty`` is what is known
    of the call that failed; only creates look at it.
    """

    def __init__(
        self,
        cause: str,
        sentence: str,
        *,
        after: timedelta | None = None,
        burns: bool = True,
        certainty: Certainty = Certainty.UNCERTAIN,
    ) -> None:
        super().__init__(f"{cause}: {sentence}")
        self.cause = cause
        self.sentence = sentence
        self.after = after
        self.burns = burns
        self.certainty = certainty


_ENDED = N_("Billhook's access to %(vendor)s has ended: connect it again.")
_NAMES = {"kommo": "Kommo", "freshbooks": "FreshBooks"}


class Reconnect(Outcome):
    """Our access to this vendor is gone; a person must connect again."""

    def __init__(self, vendor: str, sentence: str = "") -> None:
        super().__init__(sentence or say(_ENDED, vendor=_NAMES.get(vendor, vendor)))
        self.vendor = vendor
        self.sentence = sentence


class CannotBill(Outcome):
    """The sale, the mapping or the vendor's rules forbid this invoice; a person must mend it."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        super().__init__(joined((p.sentence for p in problems), "; "))
        self.problems = tuple(problems)


class NotOurs(Outcome):
    """Nothing to do here, with the reason; kept as *left out* and can be replayed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyThere(Outcome):
    """The vendor refused a duplicate; ``ref`` is the number or id that is taken."""

    def __init__(self, ref: str) -> None:
        super().__init__(ref)
        self.ref = ref
