"""Bounded counts, and the causes for which deals need attention."""

from datetime import timedelta

import pytest

from server.core.keys import AccountId
from server.core.states import DocumentState, JobState
from server.store import activity, activity_causes, activity_counts
from server.store.activity import Filter
from server.store.activity_causes import Cause
from server.store.activity_counts import Count, Counts
from server.store.db import Database
from server.store.jobs import JobKind
from tests.fixed_clock import START
from tests.store import rows
from tests.store.activity_rows import MINUTE, PROBLEM, Past

HOUR = timedelta(hours=1)


@pytest.fixture
def past(database: Database, account: AccountId) -> Past:
    return Past(database, account)


def counts(past: Past, since: timedelta = timedelta(0), until: timedelta = HOUR) -> Counts:
    with past.database.read() as session:
        return activity_counts.counts(session, past.account_id, START + since, START + until)


def causes(past: Past) -> dict[str, Cause]:
    """By key, the most frequent first; each opens as the list that it counts."""
    with past.database.read() as session:
        found = activity_causes.causes(session, past.account_id)
        for cause in found:
            page = activity.page(session, past.account_id, Filter(cause=cause.key), most=50)
            assert len(page.entries) == cause.count.n
    return {cause.key: cause for cause in found}


def test_nothing_is_counted_where_nothing_happened(past: Past):
    assert counts(past) == Counts(Count(0), Count(0), Count(0), Count(0), Count(0))
    assert causes(past) == {}


def test_a_count_ends_at_its_bound_and_says_so(past: Past, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(activity_counts, "MOST", 3)
    for deal in range(1, 4):
        past.job(deal, JobState.LEFT_OUT)
        past.invoice(10 + deal, DocumentState.SENT)
    past.event(1, left_out=True)
    found = counts(past)
    assert found.left_out == Count(3, more=True)
    assert found.in_order == Count(3, more=False)
    past.invoice(20, DocumentState.SENT)
    assert counts(past).in_order == Count(3, more=True)


def test_invoiced_counts_what_was_made_within_the_day(past: Past):
    past.invoice(1, DocumentState.SENT)  # at minute 1
    past.invoice(2, DocumentState.CREATED, action="draft")
    past.invoice(3, DocumentState.MISMATCH)
    past.invoice(4, DocumentState.SENT)
    assert counts(past).invoiced == Count(3)
    assert counts(past, since=2 * MINUTE, until=4 * MINUTE).invoiced == Count(1)
    assert counts(past, since=HOUR, until=2 * HOUR).invoiced == Count(0)


def test_an_invoice_of_yesterday_that_changes_today_was_invoiced_yesterday(past: Past):
    past.invoice(1, DocumentState.SENT, updated_at=START + 2 * HOUR)
    assert counts(past, since=HOUR, until=3 * HOUR).invoiced == Count(0)
    assert counts(past).invoiced == Count(1)


def test_causes_are_counted_with_the_newest_sentence(past: Past):
    past.parked(1, "freshbooks:down", said="first")
    past.parked(2, "freshbooks:down", said="newest")
    past.parked(3, "bug", said="Traceback: secret")
    past.invoice(4, DocumentState.MISMATCH, said="its total is 9.00 EUR there")
    found = causes(past)
    assert [(c.key, c.count.n, c.said) for c in found.values()] == [
        ("freshbooks:down", 2, "newest"),
        ("bug", 1, ""),
        ("mismatch", 1, "its total is 9.00 EUR there"),
    ]


def test_problems_are_told_apart_by_their_field_whichever_the_line(past: Past):
    tax = {"field": "lines.2.tax", "reason": "The tax “X” is unknown.", "todo": "Add it."}
    past.parked(1)
    past.parked(2, problems=[PROBLEM, tax])
    past.parked(3, problems=[{**tax, "field": "lines.10.tax"}])
    found = causes(past)
    assert {key: cause.count.n for key, cause in found.items()} == {
        "problems/client.email": 2,
        "problems/lines.*.tax": 2,
    }
    assert found["problems/client.email"].said == "The client has no e-mail address. Add."
    assert found["problems/lines.*.tax"].problem is not None


def test_a_field_with_a_wildcard_of_sql_is_taken_as_it_stands(past: Past):
    past.parked(1, problems=[{**PROBLEM, "field": "client_email"}])
    past.parked(2, problems=[{**PROBLEM, "field": "clientXemail"}])
    assert {key: c.count.n for key, c in causes(past).items()} == {
        "problems/client_email": 1,
        "problems/clientXemail": 1,
    }


def test_a_deal_counts_under_the_cause_that_decides_alone(past: Past):
    past.parked(1, "freshbooks:down")
    past.job(1, JobState.PARKED, JobKind.TELL_MANAGER, cause="kommo:down")
    assert list(causes(past)) == ["freshbooks:down"]


def test_another_account_is_not_counted(past: Past, database: Database):
    stranger = Past(database, rows.an_account(database, "stranger"))
    stranger.parked(1)
    stranger.invoice(2, DocumentState.SENT)
    assert counts(past) == Counts(Count(0), Count(0), Count(0), Count(0), Count(0))
    assert causes(past) == {}
