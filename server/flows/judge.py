"""Whether a deal is billed, by what was proven of its entering stages.

Hooks prove most of it; where they do not suffice, Kommo's own list of events is asked, once a run.
A rule that bills again on re-entry needs Kommo's id of the entering: hooks are repeated and carry
none, so without it a repetition would look like another entering. Where a deal entered again before
anything could be billed, what came of the entering before is seen by where it went from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from server.core import rules
from server.core.errors import TryLater
from server.core.messages import N_
from server.core.rules import Bill, Decision, Entry, LeftOut, NamedSince
from server.core.said import say
from server.core.sale import Place, Sale
from server.core.settings import Rule
from server.flows import pipelines
from server.flows.entered import entered
from server.flows.run import Run
from server.store import inbox, settings

LISTED_WITHIN = timedelta(minutes=10)  # Kommo's list may be late, but not for longer (sweep_events)
ASK_AGAIN = timedelta(minutes=1)
IGNORED_BY = N_("Ignored by %(by)s.")


class Judge:
    """Of one deal, in one run."""

    def __init__(self, run: Run, sale: Sale) -> None:
        self._run = run
        self._sale = sale
        self._asked = False
        self._known: list[Entry] = []
        self._judged: set[int] = set()  # entries that an earlier run has decided about
        self._switched_on: Mapping[str, datetime] = {}
        self._named_since: NamedSince = {}
        self._unheard: set[int] = set()  # entries that are none of Kommo's, but repetitions

    def decide(self, among: Sequence[Rule]) -> Decision:
        """The first of these rules that bills, or why none does. Raises the outcomes."""
        decision = self._by(among)
        if not isinstance(decision, Bill):
            place = (self._sale.place.pipeline_id, self._sale.place.stage_id)
            if place in _named(among) and self.ask():
                decision = self._by(among)
        while isinstance(decision, Bill) and decision.rule.again and not decision.entry.event:
            self._hear_of(decision.entry)
            decision = self._by(among)
        return decision

    def earlier(self, decision: Bill) -> list[Bill]:
        """The enterings before this one that nobody has decided about and that are billed as well,
        the oldest first: the deal moved on from there. Only of a rule that bills again.
        """
        rule = decision.rule
        if not rule.again:
            return []
        with self._run.world.database.read() as session:
            since = settings.again_since(session, self._run.account_id).get(rule.slug)
        if since is None:
            return []
        if self._waiting(decision.entry, since) and self.ask():
            self._by([rule])
        found = [
            self._decide(replace(self._sale, place=then), [rule], [one])
            for one in self._waiting(decision.entry, since)
            if one.event and (then := self._left_for(one)) is not None
        ]
        return [one for one in found if isinstance(one, Bill)]

    def _left_for(self, entry: Entry) -> Place | None:
        """Where the deal went next; None where Kommo does not list it. Within one second its order
        says nothing."""
        here = Place(entry.pipeline_id, entry.stage_id)
        later = (Place(one.pipeline_id, one.stage_id) for one in self._known if one.at > entry.at)
        found = next(later, None)
        return None if found == here else found

    def _waiting(self, latest: Entry, since: datetime) -> list[Entry]:
        return [
            entry
            for entry in self._known
            if (entry.pipeline_id, entry.stage_id) == (latest.pipeline_id, latest.stage_id)
            and since <= entry.at < latest.at
            and entry.id not in self._judged
        ]

    def settle(self, *, left_out: bool) -> None:
        """What was looked at is decided. Where something was billed, an entering without Kommo's
        event stays open: should the event come, it was none of the repetitions."""
        settled = [one.id for one in self._known if left_out or one.event]
        if new := [one for one in settled if one not in self._judged]:
            with self._run.phase() as session:
                inbox.judge(session, new)

    def _by(self, among: Sequence[Rule]) -> Decision:
        run = self._run
        with run.world.database.read() as session:
            rows = inbox.entries(session, run.account_id, int(self._sale.source_id))
            self._switched_on = settings.switched_on(session, run.account_id)
            self._named_since = settings.named_since(session, run.account_id)
        if not run.job.payload.get("replay"):  # which a person asks for
            ignored = [row.ignored_by for row in rows if row.ignored_by]
            rows = [row for row in rows if not row.ignored_by]
            named = _named(among)
            if ignored and not any((row.pipeline_id, row.stage_id) in named for row in rows):
                return LeftOut(say(IGNORED_BY, by=ignored[-1]))
        self._judged = {row.id for row in rows if row.judged}
        self._known = [
            Entry(row.pipeline_id, row.stage_id, row.at, row.id, row.upstream_id or "")
            for row in rows
            if row.id not in self._unheard
        ]
        return self._decide(self._sale, among, self._known)

    def _decide(self, sale: Sale, among: Sequence[Rule], entries: Sequence[Entry]) -> Decision:
        run = self._run
        return rules.decide(
            sale,
            among,
            entries,
            self._switched_on,
            stages=pipelines.stage_order(run, self._sale.place),
            named_since=self._named_since,
            replay=bool(run.job.payload.get("replay")),
        )

    def _hear_of(self, entry: Entry) -> None:
        """Ask for its event; wait for it while it may be late; then it was a repetition.

        So is, at once, one beside another of the same place: two hooks of one move that were taken
        at the same instant, neither of which could see the other's entry (PostgreSQL).
        """
        if not self._asked:
            self.ask()
        elif any(_repeats(entry, other) for other in self._known):
            self._unheard.add(entry.id)
        elif entry.at + LISTED_WITHIN > self._run.now():
            said = say("Kommo does not list yet that the deal entered the stage.")
            raise TryLater("kommo:events", said, after=ASK_AGAIN, burns=False)
        else:
            self._unheard.add(entry.id)

    def ask(self) -> bool:
        """Ask Kommo, once, when the deal entered its stages since a rule is on; whether that was
        news."""
        if self._asked:
            return False
        self._asked = True
        run, deal_id = self._run, int(self._sale.source_id)
        with run.world.database.read() as session:
            since = min(settings.switched_on(session, run.account_id).values(), default=None)
        if since is None:
            return False
        told = run.kommo.stage_events(since=since, deal_ids=[deal_id])
        with run.phase() as session:
            news = [
                inbox.enter(session, run.account_id, entry)
                for entry in entered(told, {deal_id: self._sale.place})
            ]
        return any(news)


def _named(among: Sequence[Rule]) -> set[tuple[int, int]]:
    return {(one.pipeline_id, one.stage_id) for rule in among for one in rule.when}


def _repeats(entry: Entry, other: Entry) -> bool:
    """By the measure of ``inbox.enter``; of two without an event the earlier is the one."""
    same = (entry.pipeline_id, entry.stage_id) == (other.pipeline_id, other.stage_id)
    earlier = (other.at, other.id) < (entry.at, entry.id)
    near = abs(other.at - entry.at) <= inbox.SAME_ENTRY
    return same and near and (bool(other.event) or earlier) and other.id != entry.id
