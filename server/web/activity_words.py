"""The words for states, kinds and outcomes on the activity page, and the tone of their colour."""

from flask_babel import gettext as _

from server.core.states import AttemptOutcome, DocumentState, Group, JobState
from server.flows.activity import Entry
from server.store.job_rows import JobKind


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
        JobKind.DEAL_TO_INVOICE: _("Deal to invoice"),
        JobKind.INVOICE_TO_DEAL: _("Invoice written on the deal"),
        JobKind.TELL_MANAGER: _("Task for the manager"),
        JobKind.TASKS_DONE: _("Tasks completed"),
        JobKind.ENSURE: _("Fields and webhook in Kommo"),
        JobKind.SWEEP_EVENTS: _("Look for missed events"),
        JobKind.PROBE: _("Look whether a vendor is back"),
        JobKind.WELCOME: _("Installation of the widget"),
        JobKind.FAREWELL: _("Integration switched off in Kommo"),
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


def title(entry: Entry) -> str:
    if entry.deal_id is not None:
        return str(_("Deal %(id)s", id=entry.deal_id))
    return kind_name(entry.kind) if entry.state != "event" else str(_("A message from Kommo"))
