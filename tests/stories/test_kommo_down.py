"""Kommo is down, busy, or shuts us out: the invoice is made once, and everything arrives later."""

from datetime import timedelta

import pytest

from server.core.states import JobState
from server.sandbox import Fault
from server.sandbox.kommo.book.records import Deal
from server.store.jobs import JobKind
from tests.rig import Rig
from tests.stories.shop import Shop

READ = "GET /api/v4/leads/*"
WRITE = "PATCH /api/v4/leads/*"
TASK = "POST /api/v4/tasks"
ALL = "*"
STEPS = [1, 1, 3, 5, 30, 5, 30, 45]  # minutes: the retries, then a wait that only probes see
BLOCKED = "forbidden_html"
DOWN = ["error_before", "error_after", "lose_reply", "truncate", "html"]


def fault(rig: Rig, kind: str, match: str = ALL, times: int | None = None, **more: object) -> Fault:
    return rig.sandbox.faults.add(Fault(kind, match, "kommo", times, **more))  # type: ignore[arg-type]


def hours_pass(rig: Rig) -> None:
    for minutes in STEPS:
        rig.later(minutes=minutes)


def back(rig: Rig, match: str = ALL) -> None:
    """Kommo answers again: seen by the next probe, or, where it failed in one place only and the
    probe was answered all along, by the next try."""
    rig.sandbox.faults.clear()
    for _ in range(1 if match == ALL else 7):
        rig.later(minutes=5)


def creates(rig: Rig) -> int:
    calls = rig.sandbox.freshbooks.calls
    return sum(c[0] == "POST" and c[1].endswith("/invoices/invoices") for c in calls)


def renewals(rig: Rig, vendor: str) -> int:
    where = {"kommo": "/oauth2/access_token", "freshbooks": "/auth/oauth/token"}[vendor]
    calls = getattr(rig.sandbox, vendor).calls
    return sum(c[:2] == ("POST", where) for c in calls)


def all_arrived(shop: Shop, rig: Rig, deal: Deal) -> None:
    assert creates(rig) == len(shop.invoices) == 1
    assert [shop.shown(deal), shop.shown(deal, "NUMBER")] == ["Sent", "0000001"]
    assert shop.shown(deal, "LINK")
    assert shop.open_tasks(deal) == []
    unfinished = [j for j in rig.jobs() if j.state not in (JobState.DONE, JobState.LEFT_OUT)]
    assert unfinished == []


@pytest.mark.parametrize(
    ("match", "kind"),
    [
        *((ALL, kind) for kind in (*DOWN, BLOCKED)),
        *((READ, kind) for kind in ("error_before", BLOCKED)),
        *((WRITE, kind) for kind in ("lose_reply", "html", BLOCKED)),
    ],
)
def test_down_or_our_address_blocked_for_hours(shop: Shop, rig: Rig, match: str, kind: str) -> None:
    fault(rig, kind, match)
    deal = shop.deal()
    shop.issue(deal)
    hours_pass(rig)
    assert creates(rig) == (1 if match == WRITE else 0)
    back(rig, match)
    all_arrived(shop, rig, deal)


@pytest.mark.parametrize("kind", ["error_before", "lose_reply", BLOCKED])
@pytest.mark.parametrize("match", [TASK, ALL])
def test_down_while_a_task_is_made(shop: Shop, rig: Rig, match: str, kind: str) -> None:
    deal = shop.deal(None)
    shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    (told,) = [job_id for job_id in rig.runner.due()]
    rig.runner.run(told)  # the deal is read while Kommo still answers
    fault(rig, kind, match)
    rig.pump()
    hours_pass(rig)
    back(rig, match)
    assert len(shop.tasks(deal)) == 1
    assert "The deal has no amount." in shop.open_tasks(deal)[0].text
    shop.kommo.update_deal(deal.id, price="10")
    rig.pump()
    all_arrived(shop, rig, deal)


@pytest.mark.parametrize("match", [READ, WRITE])
@pytest.mark.parametrize("body", ["json", "html"])
@pytest.mark.parametrize("seconds", [0, 90])
def test_throttled_it_waits_and_no_try_is_counted(
    shop: Shop, rig: Rig, match: str, body: str, seconds: float
) -> None:
    """More often than there are retries: asking for patience is no failure."""
    rig.sandbox.kommo.switches.throttle_body = body  # type: ignore[assignment]
    fault(rig, "throttle", match, 6, seconds=seconds)
    deal = shop.deal()
    shop.issue(deal)
    assert rig.sandbox.faults.list()[0].times == 5
    for _ in range(6):
        rig.later(seconds=10)  # asked for 90, nothing is called before
    assert bool(rig.sandbox.faults.list()) == bool(seconds)
    for _ in range(6 if seconds else 0):
        assert not [j for j in rig.jobs() if j.attempts]
        rig.later(seconds=90)
    all_arrived(shop, rig, deal)
    assert shop.tasks(deal) == []


def test_throttled_while_a_task_is_made(shop: Shop, rig: Rig) -> None:
    fault(rig, "throttle", TASK, 6)
    deal = shop.deal(None)
    shop.issue(deal)
    assert shop.tasks(deal) == []
    for _ in range(6):
        rig.later(seconds=10)
    assert len(shop.tasks(deal)) == 1


@pytest.mark.parametrize("match", [READ, WRITE, TASK])
def test_one_401_renews_the_tokens_once_and_the_call_is_made_again(
    shop: Shop, rig: Rig, match: str
) -> None:
    before = renewals(rig, "kommo")
    fault(rig, "unauthorized", match, 1)
    deal = shop.deal(None if match == TASK else "100.00")
    shop.issue(deal)
    assert renewals(rig, "kommo") == before + 1
    assert rig.sandbox.faults.list() == []
    assert len(shop.tasks(deal)) == (1 if match == TASK else 0)
    if match != TASK:
        all_arrived(shop, rig, deal)


def test_expired_tokens_are_renewed_once_however_many_jobs_need_them(shop: Shop, rig: Rig) -> None:
    deals = [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(2)]
    rig.pump()
    before = renewals(rig, "kommo"), renewals(rig, "freshbooks")
    rig.clock.advance(timedelta(hours=25))
    for deal in deals:
        shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    rig.run_at_once()
    rig.pump()
    assert [shop.shown(deal) for deal in deals] == ["Sent", "Sent"]
    assert renewals(rig, "kommo") == before[0] + 1
    assert renewals(rig, "freshbooks") == before[1] + 1


def test_tokens_that_expired_while_kommo_was_down_are_renewed_when_it_is_back(
    shop: Shop, rig: Rig
) -> None:
    fault(rig, "error_before", status=503)
    deal = shop.deal()
    shop.issue(deal)
    for _ in range(10):
        rig.later(hours=3)
    before = renewals(rig, "kommo")
    back(rig)
    assert renewals(rig, "kommo") == before + 1
    all_arrived(shop, rig, deal)


def test_one_probe_calls_every_five_minutes_not_every_job(shop: Shop, rig: Rig) -> None:
    fault(rig, "error_before", status=503)
    deals = [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(4)]
    for deal in deals:
        shop.issue(deal)
    hours_pass(rig)
    calls = rig.sandbox.kommo.calls
    calls.clear()
    for _ in range(12):
        rig.later(minutes=5)
    assert {path for _, path, _ in calls} == {"/api/v4/account"}
    assert 11 <= len(calls) <= 13
    back(rig)
    assert len(shop.invoices) == creates(rig) == 4
    assert [shop.shown(deal) for deal in deals] == ["Sent"] * 4


def test_fields_that_kommo_refuses_for_hours_are_told_and_written_in_the_end(
    shop: Shop, rig: Rig
) -> None:
    fault(rig, "error_before", WRITE, status=400)
    deal = shop.deal()
    shop.issue(deal)
    hours_pass(rig)
    (task,) = shop.open_tasks(deal)
    assert "will show the invoice, which is made already, on the deal" in task.text
    back(rig, WRITE)
    all_arrived(shop, rig, deal)
    assert len(shop.tasks(deal)) == 1


def test_the_same_cause_of_an_unsent_invoice_is_told_once(rig: Rig) -> None:
    """What is shown on the deal meanwhile does not end the task."""
    shop = Shop(rig, action="email")
    mail = "PUT /accounting/*/invoices/invoices/*"
    rig.sandbox.faults.add(Fault("error_before", mail, "freshbooks", None, status=422))
    deal = shop.deal()
    for _ in range(3):
        shop.issue(deal)
        shop.move(deal, "Offer")
        rig.pump()
    assert shop.shown(deal) == "Draft"
    assert len(shop.tasks(deal)) == len(shop.open_tasks(deal)) == 1
    rig.sandbox.faults.clear()
    shop.issue(deal)
    assert shop.shown(deal) == "Sent"
    assert shop.open_tasks(deal) == []
    assert len(rig.books.mails) == 1
    assert rig.jobs(JobKind.DEAL_TO_INVOICE)[-1].state == JobState.DONE
