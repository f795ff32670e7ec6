"""What happened to an account's deals: one entry a deal, in one group, newest first, by keyset."""

import random
from datetime import timedelta

import pytest

from server.core.keys import AccountId
from server.core.states import DocumentState, Group, JobState
from server.store import activity
from server.store.activity import Filter, Page, Place, read_place
from server.store.activity_counts import counts
from server.store.db import Database
from server.store.jobs import JobKind, JobRow
from server.store.ledger import DocumentRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.activity_rows import MINUTE, Past

DAY = timedelta(days=1)
WRITE_BACK, TELL = JobKind.INVOICE_TO_DEAL, JobKind.TELL_MANAGER


@pytest.fixture
def past(database: Database, account: AccountId) -> Past:
    return Past(database, account)


def page(past: Past, wanted: Filter = Filter(), most: int = 50, **more: Place | None) -> Page:  # noqa: B008
    with past.database.read() as session:
        return activity.page(session, past.account_id, wanted, most=most, **more)


def groups(past: Past) -> dict[str, Group]:
    """Of every entry; also proves that filters, counts and the whole list agree."""
    whole = page(past).entries
    found = {entry.subject: entry.group for entry in whole}
    assert len(found) == len(whole)
    assert [entry.at for entry in whole] == sorted((e.at for e in whole), reverse=True)
    with past.database.read() as session:
        counted = counts(session, past.account_id, START, START + DAY)
    for group, count in (
        (Group.ATTENTION, counted.attention),
        (Group.UNDER_WAY, counted.under_way),
        (Group.IN_ORDER, counted.in_order),
        (Group.LEFT_OUT, counted.left_out),
    ):
        alone = page(past, Filter(group=group)).entries
        assert alone == tuple(entry for entry in whole if entry.group is group)
        assert (count.n, count.more) == (len(alone), False)
    return found


def test_an_account_without_a_past_has_no_entry(past: Past):
    assert groups(past) == {}
    assert page(past).older is None


def test_a_deal_stands_in_the_group_of_its_newest_state(past: Past):
    past.job(1, JobState.DONE)
    past.invoice(1, DocumentState.SENT)
    past.job(2, JobState.LEFT_OUT, said="no rule is on")
    past.parked(3)
    past.job(4, JobState.RETRYING)
    past.job(5, JobState.LEFT_OUT)
    past.job(5, JobState.WAITING)
    past.job(6, JobState.DONE)
    past.invoice(6, DocumentState.CREATED, action="draft")
    assert groups(past) == {
        "deal:1": Group.IN_ORDER,
        "deal:2": Group.LEFT_OUT,
        "deal:3": Group.ATTENTION,
        "deal:4": Group.UNDER_WAY,
        "deal:5": Group.UNDER_WAY,
        "deal:6": Group.IN_ORDER,
    }


def test_an_invoice_that_is_not_sent_yet_is_not_in_order(past: Past):
    past.invoice(1, DocumentState.CREATED, action="email")
    past.job(1, JobState.RETRYING)
    assert groups(past) == {"deal:1": Group.UNDER_WAY}


@pytest.mark.parametrize("state", [DocumentState.MISMATCH, DocumentState.AMBIGUOUS])
def test_an_invoice_that_a_person_must_decide_needs_attention(past: Past, state: DocumentState):
    past.job(1, JobState.DONE)
    past.invoice(1, state, said="its total is 99.00 EUR there")
    past.job(1, JobState.WAITING, TELL)
    assert groups(past) == {"deal:1": Group.ATTENTION}
    (entry,) = page(past).entries
    assert (entry.cause, entry.said) == (state, "its total is 99.00 EUR there")


def test_a_parked_write_back_needs_attention_although_the_invoice_is_in_order(past: Past):
    past.invoice(1, DocumentState.SENT)
    past.job(1, JobState.PARKED, WRITE_BACK, cause="kommo:down", said="Kommo did not answer.")
    past.job(1, JobState.PARKED, TELL, cause="kommo:down")
    assert groups(past) == {"deal:1": Group.ATTENTION}
    (entry,) = page(past).entries
    assert entry.invoice is not None
    assert (entry.kind, entry.invoice.number) == (TELL, "000001")


def test_an_invoice_that_was_found_deleted_is_left_out(past: Past):
    past.job(1, JobState.DONE)
    past.invoice(1, DocumentState.DELETED, said="invoice 000001 was deleted in FreshBooks")
    assert groups(past) == {"deal:1": Group.LEFT_OUT}


def test_of_a_deal_with_two_invoices_the_newest_tells(past: Past):
    past.invoice(1, DocumentState.SENT)
    past.invoice(1, DocumentState.SENT, 1)
    past.invoice(2, DocumentState.SENT)
    past.invoice(2, DocumentState.DELETED, 1)
    past.invoice(3, DocumentState.SENT)
    past.invoice(3, DocumentState.MISMATCH, 1)
    assert groups(past) == {
        "deal:1": Group.IN_ORDER,
        "deal:2": Group.LEFT_OUT,
        "deal:3": Group.ATTENTION,
    }


def test_the_plumbing_shows_only_when_it_needs_attention(past: Past):
    past.job(0, JobState.DONE, JobKind.ENSURE)
    past.job(0, JobState.WAITING, JobKind.SWEEP_EVENTS)
    past.job(0, JobState.PARKED, JobKind.PROBE, cause="bug", said="Traceback …")
    past.job(0, JobState.LEFT_OUT, TELL)
    assert groups(past) == {"probe:account": Group.ATTENTION}
    (entry,) = page(past).entries
    assert entry.said == ""


def test_a_hook_that_was_turned_away_is_left_out_and_one_that_concerns_no_rule_is_not(past: Past):
    turned = past.event(1, 2, verdict="names another Kommo account (9)", left_out=True)
    past.event(3)
    assert groups(past) == {f"event:{turned}": Group.LEFT_OUT}
    assert page(past).entries[0].said == "names another Kommo account (9)"


def test_entries_of_another_account_are_not_there(past: Past, database: Database):
    stranger = Past(database, rows.an_account(database, "stranger"))
    stranger.parked(1)
    stranger.invoice(2, DocumentState.SENT)
    stranger.job(3, JobState.LEFT_OUT)
    stranger.event(4, left_out=True)
    stranger.job(5, JobState.WAITING)
    past.job(3, JobState.LEFT_OUT)
    assert groups(past) == {"deal:3": Group.LEFT_OUT}


def test_another_accounts_rows_do_not_change_the_group_of_ours(past: Past, database: Database):
    stranger = Past(database, rows.an_account(database, "stranger"))
    past.job(1, JobState.LEFT_OUT)
    past.invoice(2, DocumentState.SENT)
    for deal in (1, 2):
        stranger.parked(deal)
        stranger.invoice(deal, DocumentState.MISMATCH)
    assert groups(past) == {"deal:1": Group.LEFT_OUT, "deal:2": Group.IN_ORDER}


def test_pages_follow_one_another_without_gap_or_repetition(past: Past):
    for deal in range(1, 30):
        _anything(past, deal, random.Random(deal))  # noqa: S311
        past.now -= MINUTE * (deal % 3)  # many at one instant
    whole = [entry.subject for entry in page(past).entries]
    found: list[str] = []
    older: Place | None = None
    while True:
        one = page(past, most=4, before=older)
        found += [entry.subject for entry in one.entries]
        if one.older is None:
            break
        older = read_place(str(one.older))
    assert found == whole


def _anything(past: Past, deal: int, chance: random.Random) -> None:
    """Some of the states that a deal's rows can be in together."""
    kinds = (JobKind.DEAL_TO_INVOICE, WRITE_BACK, TELL)
    ended = (JobState.DONE, JobState.LEFT_OUT)
    for _ in range(chance.randrange(3)):
        past.job(deal, chance.choice(ended), chance.choice(kinds))
    for sequence in range(chance.randrange(3)):
        state = chance.choice(list(DocumentState))
        ignored = past.now if chance.random() < 0.3 else None
        action = chance.choice(["draft", "email"])
        past.invoice(deal, state, sequence, action=action, ignored_at=ignored)
    for kind in chance.sample(kinds, chance.randrange(3)):
        past.job(deal, chance.choice(list(JobState)), kind)


def _expected(past: Past, deal: int) -> Group | None:
    """The four groups once more, row by row: the first that is true."""
    jobs = [job for job in rows.rows_of(past.database, JobRow) if job.about == f"deal:{deal}"]
    invoices = [d for d in rows.rows_of(past.database, DocumentRow) if d.source_id == str(deal)]
    states = {job.state for job in jobs}
    undecided = {DocumentState.MISMATCH, DocumentState.AMBIGUOUS}
    if "parked" in states or any(d.state in undecided and not d.ignored_at for d in invoices):
        return Group.ATTENTION
    if states & {"waiting", "retrying", "running"}:
        return Group.UNDER_WAY
    for invoice in reversed(invoices):
        if invoice.state == DocumentState.DELETED:
            return Group.LEFT_OUT
        draft = invoice.state == DocumentState.CREATED and invoice.action == "draft"
        if draft or invoice.state in (DocumentState.SENT, DocumentState.MISMATCH):
            return Group.IN_ORDER
    billing = [job.state for job in jobs if job.kind == JobKind.DEAL_TO_INVOICE]
    return Group.LEFT_OUT if billing and billing[-1] == JobState.LEFT_OUT else None


def test_every_deal_is_in_one_group_whatever_rows_it_has(past: Past):
    for deal in range(1, 45):
        _anything(past, deal, random.Random(deal * 7))  # noqa: S311
    expected = {f"deal:{deal}": group for deal in range(1, 45) if (group := _expected(past, deal))}
    assert groups(past) == expected
    assert len(set(expected.values())) == 4


@pytest.mark.parametrize(
    "bad", ["", "x", "2026-01-01_1_2", "2026-01-01T00:00:00+00:00_99_1", "a_b_c"]
)
def test_a_place_that_no_page_gave_is_refused(bad: str):
    with pytest.raises(ValueError, match=r"."):
        read_place(bad)


def test_a_filter_by_deal_finds_that_deal_alone(past: Past):
    past.parked(11)
    past.invoice(1, DocumentState.SENT)
    past.job(1, JobState.DONE)
    past.event(1, left_out=True)
    assert [e.subject for e in page(past, Filter(deal_id=1)).entries] == ["deal:1"]
    assert page(past, Filter(deal_id=2)).entries == ()
    assert page(past, Filter(deal_id=11, group=Group.IN_ORDER)).entries == ()


def test_a_filter_by_time_keeps_to_its_bounds(past: Past):
    for deal in range(1, 6):
        past.parked(deal)
    between = Filter(since=START + 2 * MINUTE, until=START + 4 * MINUTE)
    assert [e.subject for e in page(past, between).entries] == ["deal:3", "deal:2"]


def test_a_filter_by_kind_shows_the_newest_job_of_that_kind_by_its_own_state(past: Past):
    past.parked(1)
    past.job(1, JobState.DONE, TELL)
    past.job(2, JobState.PARKED, TELL, cause="kommo:down")
    past.job(3, JobState.LEFT_OUT, TELL)
    past.job(3, JobState.RUNNING, TELL)
    told = page(past, Filter(kind=TELL)).entries
    assert [(e.subject, e.group) for e in told] == [
        ("deal:3", Group.UNDER_WAY),
        ("deal:2", Group.ATTENTION),
        ("deal:1", Group.IN_ORDER),
    ]
    only = page(past, Filter(kind=TELL, group=Group.ATTENTION)).entries
    assert [e.subject for e in only] == ["deal:2"]
    past.job(0, JobState.PARKED, JobKind.ENSURE, cause="kommo:reconnect")
    assert [e.subject for e in page(past, Filter(kind=JobKind.ENSURE)).entries] == [
        "ensure:account"
    ]


def test_an_entry_says_when_the_next_try_is_due(past: Past):
    past.job(1, JobState.RETRYING, attempts=2, due_at=START + DAY, said="FreshBooks is down.")
    (entry,) = page(past).entries
    assert (entry.due_at, entry.attempts, entry.said) == (START + DAY, 2, "FreshBooks is down.")
