"""What a run leaves on its row when it ends, also where its subject's next job waits already."""

from datetime import timedelta

import pytest

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.store.db import Database
from tests.fixed_clock import START
from tests.store.rows import a_job, claim, defer, finish, job

LATER = START + timedelta(minutes=5)


@pytest.mark.parametrize("state", [JobState.RETRYING, JobState.PARKED, JobState.WAITING])
def test_a_run_that_must_come_back_folds_into_the_job_that_waits(
    database: Database, account: AccountId, state: JobState
):
    job_id = defer(database, a_job(account))
    claim(database, job_id)
    waiting = defer(database, a_job(account), LATER)
    assert finish(database, job_id, now=LATER, state=state, due_at=LATER + timedelta(hours=1))
    assert (job(database, job_id).state, job(database, job_id).said) == (
        JobState.DONE,
        "Goes on in the step that waits.",
    )
    row = job(database, waiting)
    assert (row.state, row.due_at) == (JobState.WAITING, LATER)


def test_folding_loses_neither_what_was_asked_nor_how_urgently(
    database: Database, account: AccountId
):
    """A replay that must retry while a hook waits is still a replay."""
    job_id = defer(database, a_job(account, job_class=JobClass.CLICK, replay=True, deal=1))
    claim(database, job_id)
    waiting = defer(database, a_job(account, job_class=JobClass.HOOK, deal=2))
    learnt = {"replay": True, "deal": 1, "responsible": 7}
    assert finish(database, job_id, state=JobState.RETRYING, due_at=LATER, payload=learnt)
    row = job(database, waiting)
    assert row.payload == {"replay": True, "responsible": 7, "deal": 2}
    assert row.job_class == JobClass.CLICK


def test_a_run_that_is_done_leaves_the_waiting_job_as_it_is(database: Database, account: AccountId):
    job_id = defer(database, a_job(account, replay=True))
    claim(database, job_id)
    waiting = defer(database, a_job(account))
    assert finish(database, job_id, said="made")
    assert job(database, job_id).said == "made"
    assert job(database, waiting).payload == {}


def test_what_a_run_says_is_kept_whatever_characters_it_has(database: Database, account: AccountId):
    """PostgreSQL takes no NUL in a text, neither database a lone surrogate; vendors send both."""
    job_id = defer(database, a_job(account))
    claim(database, job_id)
    assert finish(database, job_id, said="Ąžuolas \x00 and \ud800 and \N{SNOWMAN}")
    said = job(database, job_id).said
    assert said.startswith("Ąžuolas ")
    assert said.endswith(" and \N{SNOWMAN}")
