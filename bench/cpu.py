"""CPU a deal, with vendors that answer at once, beside the same calls by ``requests`` alone."""

from dataclasses import replace
from time import process_time
from typing import Any

import requests

from bench.figures import Figure, at_most, exactly, plain
from bench.stage import UNPACED, Stage, standing, wait_for
from server.core.states import JobClass
from server.flows.world import Recorder
from server.store import inbox, jobs
from server.store.inbox import Entered
from server.store.jobs import JobKind, NewJob
from server.vendors.http import Caller, Reply
from server.work.runner import Runner

Sent = tuple[str, str, dict[str, Any]]

ROUNDS, DEALS = 3, 20  # deals of each of two accounts a round
ACCOUNTS = 2


def measure() -> list[Figure]:
    with standing(ACCOUNTS, UNPACED, unlimited=True) as stage:
        stage.issue(stage.deals(DEALS))  # the first of everything is slower
        calls = next(filter(None, (_recorded(stage) for _ in range(10))))
        ratios, ours, bare = [], [], []
        for _ in range(ROUNDS):
            ours.append(_deals(stage))
            bare.append(_bare(calls))
            ratios.append(ours[-1] / bare[-1])
    ratio = sorted(ratios)[len(ratios) // 2]
    return [
        exactly("calls a deal, recorded from Billhook", len(calls), 8),
        plain("Billhook, CPU a deal", _listed(ours)),
        plain("requests (a Session), the same eight calls", _listed(bare)),
        plain("ratio, each round", " · ".join(f"{one:.2f}" for one in ratios)),
        at_most("ratio, the middle one", ratio, 2.0),
    ]


def _listed(seconds: list[float]) -> str:
    return " · ".join(f"{one * 1000:.1f}" for one in seconds) + " ms"


def _deals(stage: Stage) -> float:
    """CPU seconds a deal, hooks and jobs and all that Billhook does meanwhile."""
    deals = stage.deals(DEALS)
    before = stage.server.cpu()
    stage.issue(deals)
    stage.box.idle()
    return (stage.server.cpu() - before) / len(deals)


def _bare(calls: list[Sent]) -> float:
    """The calls of one deal, made again by a loop in this process: CPU seconds of a row of them."""
    with requests.Session() as session:
        session.trust_env = False
        _row(session, calls)
        began = process_time()
        for _ in range(DEALS * ACCOUNTS):
            _row(session, calls)
        return (process_time() - began) / (DEALS * ACCOUNTS)


def _row(session: requests.Session, calls: list[Sent]) -> None:
    for method, url, parts in calls:
        with session.request(method, url, timeout=30, **parts) as reply:
            reply.raise_for_status()
            if reply.content:
                reply.json()


def _recorded(stage: Stage) -> list[Sent]:
    """What Billhook sends for one deal of a known client, as it hands it to its HTTP seam; nothing
    where the server's own sweep was faster."""
    sent: list[Sent] = []

    class Tapped(Caller):
        def send(self, method: str, url: str, **parts: Any) -> Reply:
            sent.append((method, url, parts))
            return super().send(method, url, **parts)

    def tapped(vendor: str, record: Recorder, account_id: int | None = None) -> Caller:
        return Tapped(vendor, clock=stage.parts.world.clock, record=record)

    deal_id = stage.box.deals(0, 1)[0]
    stage.box.move_unheard(0, deal_id)
    now, place = stage.parts.world.clock.now(), stage.box.addresses()["accounts"][0]["stage"]
    account, subject = stage.accounts[0], f"deal:{deal_id}"
    with stage.parts.database.write() as session:
        inbox.enter(session, account, Entered(deal_id, *place, now))
        new = NewJob(account, JobKind.DEAL_TO_INVOICE, subject, JobClass.CLICK, {})
        jobs.defer(session, new, now)
    Runner(replace(stage.parts.world, caller=tapped)).drain()
    wait_for(lambda: stage.box.linked([(0, deal_id)]) == 1, "the recorded deal's link")
    return sent
