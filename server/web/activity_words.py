"""The words for states, kinds, outcomes and causes on the activity page, and the tone of their
colour."""

from flask_babel import gettext as _

from server.core.errors import Problem
from server.core.states import AttemptOutcome, DocumentState, Group, JobState
from server.flows.activity import Cause, Entry
from server.flows.give_up import VENDORS, WATCHED
from server.store.job_rows import JobKind
from server.web.languages import spoken, when

# Those that one may ask for: what a person waits for, and the plumbing that may stand in its way.
FILTERED = (
    JobKind.DEAL_TO_INVOICE,
    JobKind.INVOICE_TO_DEAL,
    JobKind.TELL_MANAGER,
    JobKind.ENSURE,
)


def group_name(group: str) -> str:
    names = {
        Group.ATTENTION: _("Needs attention"),
        Group.UNDER_WAY: _("Under way"),
        Group.IN_ORDER: _("In order"),
        Group.LEFT_OUT: _("Left out"),
    }
    return str(names[Group(group)])


def tone(group: str) -> str:
    tones = {Group.ATTENTION: "bad", Group.UNDER_WAY: "busy", Group.IN_ORDER: "good"}
    return tones.get(Group(group), "plain")


def empty(group: str | None) -> str:
    """What will appear in an empty list."""
    sentences = {
        Group.ATTENTION: _("Nothing needs attention. What cannot be billed appears here."),
        Group.UNDER_WAY: _("Nothing runs or waits at the moment."),
        Group.IN_ORDER: _("No invoice yet. Deals appear here as soon as they are billed."),
        Group.LEFT_OUT: _("Nothing was left out. Deals that no rule bills appear here."),
    }
    every = _("Nothing has happened yet. Deals appear here when they enter a rule's stage.")
    return str(sentences[Group(group)] if group else every)


def kind_name(kind: str) -> str:
    names: dict[str, str] = {
        JobKind.DEAL_TO_INVOICE: _("Making the invoice"),
        JobKind.INVOICE_TO_DEAL: _("Writing the invoice on the deal"),
        JobKind.TELL_MANAGER: _("Task for the responsible user"),
        JobKind.TASKS_DONE: _("Completing the tasks"),
        JobKind.ENSURE: _("Fields and webhook in Kommo"),
        JobKind.SWEEP_EVENTS: _("Looking for missed events"),
        JobKind.PROBE: _("Looking whether a vendor is back"),
        JobKind.WELCOME: _("Installation of the widget"),
        JobKind.FAREWELL: _("Integration switched off in Kommo"),
        JobKind.WHAT_IF: _("What a rule would have billed"),
        JobKind.ALL_AGAIN: _("Trying the rest of a cause again"),
    }
    return names.get(kind, kind.replace("_", " "))


def state_name(state: str, kind: str = "invoice") -> str:
    """``kind`` of a document: only an invoice is a draft first."""
    names: dict[str, str] = {
        JobState.WAITING: _("waiting"),
        JobState.RUNNING: _("running"),
        JobState.RETRYING: _("will be tried again"),
        JobState.PARKED: _("waits for a person"),
        JobState.DONE: _("done"),
        JobState.LEFT_OUT: _("left out"),
        DocumentState.CLAIMED: _("being made"),
        DocumentState.UNCERTAIN: _("not certain whether it was made"),
        DocumentState.CREATED: _("draft made") if kind == "invoice" else _("made"),
        DocumentState.MISMATCH: _("the totals differ"),
        DocumentState.SENT: _("sent"),
        DocumentState.REFUSED: _("refused"),
        DocumentState.AMBIGUOUS: _("found more than once"),
        DocumentState.DELETED: _("deleted in FreshBooks"),
        DocumentState.CLOSED: _("completed"),
    }
    return names.get(state, state)


def document_name(kind: str) -> str:
    names: dict[str, str] = {
        "invoice": _("Invoice"),
        "client": _("Client"),
        "task": _("Task in Kommo"),
        "email": _("E-mail"),
    }
    return names.get(kind, kind.capitalize())


def invoice_status(status: str) -> str:
    """FreshBooks' own word for a made invoice, by ``statuses.word_of``; another one as it is."""
    names: dict[str, str] = {
        "draft": _("draft"),
        "sent": _("sent"),
        "viewed": _("viewed"),
        "partial": _("partly paid"),
        "paid": _("paid"),
        "overdue": _("overdue"),
        "disputed": _("disputed"),
        "deleted": _("deleted"),
    }
    return names.get(status, status)


def outcome_name(outcome: str) -> str:
    names: dict[str, str] = {
        AttemptOutcome.OPEN: _("under way"),
        AttemptOutcome.UNCERTAIN: _("no certain answer"),
        AttemptOutcome.NOT_SENT: _("nothing was sent"),
        AttemptOutcome.REFUSED: _("refused"),
        AttemptOutcome.CREATED: _("made"),
        AttemptOutcome.ADOPTED: _("found by its reference and kept"),
    }
    return names.get(outcome, outcome)


def title(entry: Entry | None, subject: str) -> str:
    """The deal's name, its number where the name is not known; else what it is about."""
    if entry is not None and entry.deal_name:
        return entry.deal_name
    kind, _colon, number = subject.partition(":")
    if kind == "deal":
        return str(_("Deal %(id)s", id=number))
    return str(_("A message from Kommo")) if kind == "event" else kind_name(kind)


def facts(entry: Entry) -> list[str]:
    """What stands below the title: the deal's number and its client."""
    told = []
    if entry.deal_name and entry.deal_id is not None:
        told.append(str(_("Deal %(id)s", id=entry.deal_id)))
    if entry.client_name:
        told.append(entry.client_name)
    return told


def line(entry: Entry) -> str:
    """The same in a list, with the invoice's number."""
    told = facts(entry)
    if entry.invoice and entry.invoice.number:
        told.append(str(_("Invoice %(number)s", number=entry.invoice.number)))
    return " · ".join(told)


def sentence(said: str) -> str:
    """As a sentence of its own: much is said to stand behind a colon."""
    told = spoken(said).strip()
    told = told[:1].upper() + told[1:]
    return told if told.endswith((".", "!", "?", "…")) or not told else f"{told}."


def reason(entry: Entry) -> str:
    """Why it stands where it stands, in one sentence; "" where there is nothing to say."""
    if entry.ignored:
        by, at = entry.ignored.by, when(entry.ignored.at, "short")
        return str(_("Ignored by %(name)s, %(time)s", name=by, time=at))
    if entry.problems:
        more = len(entry.problems) - 1
        first = spoken(entry.problems[0].reason)
        return f"{first} {_('(and %(n)s more)', n=more)}" if more else first
    return "" if entry.group == Group.IN_ORDER else _why(entry.cause, entry.said)


def cause_name(cause: Cause) -> str:
    """What the entries of one cause have in common."""
    if cause.problem:
        return spoken(cause.problem.reason)
    if cause.cause == DocumentState.MISMATCH:
        return str(_("The invoice's figures in FreshBooks differ from the deal's."))
    return _why(cause.cause, cause.said)


def _why(cause: str, said: str) -> str:
    if cause == DocumentState.MISMATCH:
        return str(_("The figures differ: %(what)s.", what=spoken(said)))
    if cause == "bug":
        return str(_("Billhook stumbled over something unexpected."))
    vendor, _colon, what = cause.partition(":")
    if what == "reconnect" and vendor in VENDORS:
        return str(_("%(vendor)s has to be connected again.", vendor=VENDORS[vendor]))
    return sentence(said)


def todo(cause: str, problem: Problem | None = None) -> str:
    """What a person can do about it, or what follows by itself."""
    if problem is not None:
        return spoken(problem.todo)
    vendor, _colon, what = cause.partition(":")
    name = VENDORS.get(vendor, "")
    if what == "reconnect":
        return str(_("It goes on by itself as soon as %(vendor)s is connected again.", vendor=name))
    if what in WATCHED and name:
        return str(
            _(
                "Billhook asks %(vendor)s every few minutes, and goes on by itself as soon as it "
                "can.",
                vendor=name,
            )
        )
    others: dict[str, str] = {
        "problems": _("Billhook looks again when the deal, its contact or its company changes."),
        DocumentState.MISMATCH: _(
            "It was not sent. Correct it in FreshBooks and try again, or ignore the difference."
        ),
        DocumentState.AMBIGUOUS: _("Delete all but one in FreshBooks, then try again."),
        "bug": _("Tell whoever runs Billhook: the details are in the log. Then try again."),
    }
    return others.get(cause, "")
