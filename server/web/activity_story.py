"""What happened to a deal, step by step in the order of time: what came from Kommo, what was
decided and why, what was made in FreshBooks, what stands on the deal, and what comes next."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from flask_babel import gettext as _

from server.core.states import DocumentState, JobState
from server.flows.activity import Opened
from server.flows.deal_past import Past
from server.flows.hook_to_jobs import NO_RULE
from server.store.activity_detail import DocumentSeen, EventSeen, JobSeen
from server.store.activity_entries import deal_in
from server.store.job_rows import JobKind
from server.web.activity_made import made
from server.web.activity_steps import Step, When
from server.web.activity_words import sentence, todo
from server.web.languages import hour, spoken

ONE_MOVE = timedelta(seconds=10)  # Kommo tells of one change in several messages


def story(found: Opened, past: Past) -> list[Step]:
    """Oldest first; at the end what is still ahead."""
    client = found.entry.client_name if found.entry else ""
    of_deal = deal_in(found.detail.subject) is not None
    steps = [
        *(_from_kommo(found.detail.events, past) if of_deal else _message(found)),
        *_decided(found.detail.documents, past),
        *_clients(found, client),
        *(step for one in found.detail.documents for step in made(one, client)),
        *(step for job in found.detail.jobs for step in _of_job(job)),
        *_ignored(found),
    ]
    happened = sorted((step for step in steps if step.at), key=lambda step: (step.at, step.rank))
    return [*happened, *_ahead(found)]


def _from_kommo(events: Iterable[EventSeen], past: Past) -> Iterator[Step]:
    """What proved an entering is told as that; of several messages about one change the first."""
    proofs = {one.event_id for one in past.entered}
    told = [one.at for one in past.entered]
    for one in past.entered:
        names = {"stage": one.stage, "pipeline": one.pipeline}
        words = _("The deal entered a stage that a rule names.")
        if one.stage:
            words = _("The deal entered the stage “%(stage)s” (%(pipeline)s) in Kommo.", **names)
        yield Step(one.at, When.HEARD, words)
    for event in sorted(events, key=lambda event: event.id):
        words = _action(event)
        known = any(abs(event.at - at) < ONE_MOVE for at in told)
        if words and event.id not in proofs and not known:
            told.append(event.at)
            yield Step(event.at, When.HEARD, words)


def _message(found: Opened) -> Iterator[Step]:
    """One that was turned away as a whole."""
    for event in found.detail.events:
        yield Step(event.at, When.HEARD, _("A message came from Kommo."))
        if found.entry:
            words = _("Left out: %(reason)s", reason=sentence(event.verdict))
            yield Step(event.at, When.DECIDED, words)


def _action(event: EventSeen) -> str:
    """The most telling of what it says; "" for what no rule has to do with."""
    words = {
        "delete": _("The deal was deleted in Kommo."),
        "restore": _("The deal was taken out of Kommo's trash."),
    }
    if event.verdict != NO_RULE:
        words |= {
            "status": _("The deal was moved in Kommo."),
            "add": _("The deal was created in Kommo."),
            "update": _("The deal was changed in Kommo."),
            "responsible": _("The deal got another responsible user in Kommo."),
        }
    return next((str(words[action]) for action in words if action in event.actions), "")


def _decided(documents: Iterable[DocumentSeen], past: Past) -> Iterator[Step]:
    for one in documents:
        if one.kind != "invoice":
            continue
        rule = past.rules.get(one.rule, "")
        words = {
            "email": _("The rule “%(rule)s” bills it: an invoice by e-mail.", rule=rule),
            "mark_sent": _("The rule “%(rule)s” bills it: an invoice marked as sent.", rule=rule),
        }.get(one.action, _("The rule “%(rule)s” bills it: an invoice as a draft.", rule=rule))
        gone = _("A rule that was removed since bills it.")
        yield Step(one.created_at, When.DECIDED, words if rule else gone)


def _clients(found: Opened, client: str) -> Iterator[Step]:
    """From the calls, as long as they are kept: a client is no document of the deal."""
    for call in found.detail.calls:
        if call.method == "POST" and call.path.endswith("/users/clients") and call.status == 200:
            words = _("The client was added in FreshBooks.")
            if client:
                words = _("%(client)s was added to the clients in FreshBooks.", client=client)
            yield Step(call.started_at, When.CLIENT, words, "good")


def _of_job(job: JobSeen) -> Iterator[Step]:
    """What is not told by what was made."""
    if job.state == JobState.LEFT_OUT and job.kind == JobKind.DEAL_TO_INVOICE and not job.ignored:
        words = _("Left out: %(reason)s", reason=sentence(job.said))
        yield Step(job.updated_at, When.DECIDED, words)
    elif job.state in (JobState.PARKED, JobState.RETRYING):
        yield from _stop(job)
    elif job.state == JobState.DONE and job.kind == JobKind.INVOICE_TO_DEAL:
        words = _("The deal shows the invoice's number, link, amount and status.")
        yield Step(job.updated_at, When.WRITTEN, words, "good")


def _stop(job: JobSeen) -> Iterator[Step]:
    """A lost answer is told by its attempt already."""
    lost = job.cause.endswith(":uncertain")
    if lost and job.state == JobState.RETRYING:
        return
    why = [f"{spoken(one.reason)} {spoken(one.todo)}".strip() for one in job.problems]
    told = () if lost else tuple(why or filter(None, [sentence(job.said)]))
    tone = "bad" if job.state == JobState.PARKED else "busy"
    yield Step(job.updated_at, When.STOPPED, _stopped(job.kind), tone, told)


def _stopped(kind: str) -> str:
    words: dict[str, str] = {
        JobKind.DEAL_TO_INVOICE: _("The invoice could not be finished."),
        JobKind.INVOICE_TO_DEAL: _("The invoice could not be written on the deal."),
        JobKind.TELL_MANAGER: _("The task for the responsible user could not be made."),
    }
    return words.get(kind, str(_("This did not work.")))


def _ignored(found: Opened) -> Iterator[Step]:
    if found.entry and found.entry.ignored:
        one = found.entry.ignored
        yield Step(one.at, When.CLOSED, _("%(name)s said to ignore it.", name=one.by))


def _ahead(found: Opened) -> Iterator[Step]:
    """What follows by itself, or waits for a person."""
    told = {step.words: step for step in _next(found)}
    return iter(told.values())


def _next(found: Opened) -> Iterator[Step]:
    for job in found.detail.jobs:
        words = ""
        if job.state == JobState.RUNNING:
            words = _("Billhook works on it now.")
        elif job.state == JobState.WAITING:
            words = _("Billhook goes on in a moment.")
        elif job.state == JobState.RETRYING and job.due_at:
            words = _("Next try: %(time)s.", time=hour(job.due_at))
        elif job.state == JobState.PARKED:
            words = todo(job.cause)
        if words:
            yield Step(None, When.AHEAD, words)
    unsure = (DocumentState.MISMATCH, DocumentState.AMBIGUOUS)
    for one in found.detail.documents:
        if one.kind == "invoice" and one.state in unsure and not one.ignored:
            yield Step(None, When.AHEAD, todo(one.state))
