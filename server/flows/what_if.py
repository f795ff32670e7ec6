"""What a rule would have billed in the last 90 days, before it is switched on.

A job in the background reads what Kommo tells of that time and judges each deal by the settings
that were asked about, saved or not. It writes at no vendor. Where it stands rides in the job's own
row; a run that is interrupted begins again, for reading twice does no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.core.rules import Entry
from server.core.said import joined, say
from server.core.sale import Place
from server.core.settings import Rule, SettingsDocument, as_stored
from server.core.states import JobClass, JobState
from server.core.what_if import Group, Tally, WouldBill
from server.flows import pipelines, product_lists
from server.flows.asked_fields import AskedFields
from server.flows.change_settings import NoSuchRule
from server.flows.enterings import Entering, enterings
from server.flows.run import Run
from server.flows.world import World
from server.store import jobs
from server.store import what_if as stored
from server.store.activity_entries import said_by
from server.store.jobs import JobKind, JobRow, NewJob
from server.vendors.kommo.read import SOURCE
from server.vendors.kommo.read_many import read_sales
from server.vendors.kommo.records import Row

__all__ = ["Group", "Tally", "WhatIf", "WouldBill", "begin", "look", "what_if"]

BACK = timedelta(days=90)
MOST = 5000  # deals; more would hold the account's calls for minutes
PAGE = 250  # deals a call

_BUG = say(
    "Billhook stumbled over something unexpected. Whoever runs Billhook finds it in the log."
)


@dataclass(frozen=True)
class WhatIf:
    """``state``: waiting, running, retrying, failed, done. ``total`` None: not known yet.

    ``cut``: there were more than ``MOST`` deals; the latest were looked at. ``result`` is there
    when it is done. ``sentence`` says where it stands, or why it does not go on.
    """

    id: int
    state: str
    sentence: str
    rule_slug: str
    rule_name: str
    since: datetime
    until: datetime
    done: int
    total: int | None
    cut: bool
    result: Tally | None


class _Overtaken(Exception):
    """The same rule is asked about anew; nobody waits for this answer."""


def begin(world: World, account_id: int, document: SettingsDocument, rule_slug: str) -> int:
    """Ask; ``look`` tells what becomes of it. Asked again about the same rule, the newer settings
    count. Raises NoSuchRule."""
    rule, now = _rule(document, rule_slug), world.clock.now()
    payload = {
        "document": document.to_json(),
        "rule": rule.slug,
        "rule_name": rule.name,
        "until": now.isoformat(),
        **_BEGINNING,
    }
    subject = f"what-if:{rule_slug}"
    new = NewJob(account_id, JobKind.WHAT_IF, subject, JobClass.BACKFILL, payload)
    with world.database.write() as session:
        return jobs.defer(session, new, now)


_BEGINNING: dict[str, Any] = {"done": 0, "total": None, "cut": False, "result": None}


def look(world: World, account_id: int, what_if_id: int) -> WhatIf | None:
    """None where the account has asked nothing of this id (or it was long ago)."""
    with world.database.read() as session:
        job = jobs.get(session, what_if_id)
    if job is None or job.account_id != account_id or job.kind != JobKind.WHAT_IF:
        return None
    told = job.payload
    until = datetime.fromisoformat(told["until"])
    state = _STATES.get(JobState(job.state), "failed")
    return WhatIf(
        id=job.id,
        state=state,
        sentence=_sentence(job, state),
        rule_slug=told["rule"],
        rule_name=told["rule_name"],
        since=until - BACK,
        until=until,
        done=told["done"],
        total=told["total"],
        cut=told["cut"],
        result=Tally.from_json(told["result"]) if told["result"] else None,
    )


_STATES = {
    JobState.WAITING: "waiting",
    JobState.RUNNING: "running",
    JobState.RETRYING: "retrying",
    JobState.DONE: "done",
}


def what_if(run: Run) -> str:
    told = run.job.payload
    document = as_stored(told["document"])
    rule = _rule(document, told["rule"])
    since = datetime.fromisoformat(told["until"]) - BACK
    try:
        _note(run, **_BEGINNING)
        found = enterings(run, rule, since, MOST, lambda: _note(run))
        _note(run, total=len(found.enterings), cut=found.cut)
        tally = _tallied(run, document, rule, found.enterings)
    except _Overtaken:
        run.remember(result=None)
        return "asked anew meanwhile"
    run.remember(result=tally.to_json())
    return f"{tally.count} of {tally.deals} deals would have been billed"


def _tallied(
    run: Run, document: SettingsDocument, rule: Rule, found: tuple[Entering, ...]
) -> Tally:
    tally = Tally()
    place = Place(rule.when[0].pipeline_id, rule.when[0].stage_id)
    stages = pipelines.stage_order(run, place)
    catalogs = document.mapping.lines.catalogs or product_lists.ids_of(run)
    asked = AskedFields(run, [rule])
    for start in range(0, len(found), PAGE):
        page = found[start : start + PAGE]
        deals = run.kommo.deals([one.deal_id for one in page], linked=True)
        rows = {int(row["id"]): row for row in deals}
        entries = _to_judge(run, tally, page, rows, rule)
        sales = read_sales(
            run.kommo,
            [rows[deal_id] for deal_id in entries],
            currency=run.kommo_connection.currency,
            timezone=run.kommo_connection.timezone,
            product_catalogs=catalogs,
        )
        for sale in sales:
            entered = entries[int(sale.source_id)]
            tally.take(asked.told(sale), entered, rule, document.mapping, stages)
        _note(run, done=start + len(page))
    return tally


def _to_judge(
    run: Run, tally: Tally, page: Sequence[Entering], rows: Mapping[int, Row], rule: Rule
) -> dict[int, Entry]:
    """The entries of this page's deals; those that need no judging are told with their reason.
    One that stood in the stage before the time looked at did not enter it: it is not told."""
    with run.world.database.read() as session:
        ids = [str(deal_id) for deal_id in rows]
        billed = stored.billed(session, run.account_id, SOURCE, ids, rule.purpose)
    entries = {}
    for one in page:
        row = rows.get(one.deal_id)
        entry = one.entry(row) if row else None
        if row is None:
            tally.leave("deleted", say("The deal was deleted since."), one.deal_id)
        elif entry is not None and str(one.deal_id) in billed:
            name, made = str(row.get("name") or ""), say("Billhook has made its invoice already.")
            tally.leave("billed", made, one.deal_id, name)
        elif entry is not None:
            entries[one.deal_id] = entry
    return entries


def _rule(document: SettingsDocument, slug: str) -> Rule:
    for rule in document.rules:
        if rule.slug == slug:
            return rule
    raise NoSuchRule(slug, [rule.slug for rule in document.rules])


def _note(run: Run, **facts: Any) -> None:
    """Where it stands, for whoever looks on. Raises _Overtaken, and LostLease."""
    run.remember(**facts)
    with run.phase() as session:
        stored.note_progress(session, run.job.id, run.memory)
        overtaken = stored.is_overtaken(session, run.job)
    if overtaken:
        raise _Overtaken


def _sentence(job: JobRow, state: str) -> str:
    done, total = job.payload["done"], job.payload["total"]
    if state == "waiting":
        return say("It begins in a moment.")
    if state == "running" and total is None:
        return say("Billhook asks Kommo which deals entered the rule's stages.")
    if state == "running":
        return say("%(done)s of %(total)s deals are looked at.", done=done, total=total)
    if state == "retrying":
        return joined([said_by(job), say("Billhook tries again by itself.")])
    if state == "done":
        return "" if job.payload["result"] else say("It was asked anew; look at the newer one.")
    if job.cause == "bug":
        return _BUG
    if job.cause.endswith(":reconnect"):
        return say(
            "Billhook has no access to Kommo now. Connect Kommo again; then it goes on by itself."
        )
    goes_on = say("It goes on by itself when that is solved; or ask again.")
    return joined([said_by(job), goes_on])
