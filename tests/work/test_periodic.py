"""What time brings by itself happens once a stretch, over all processes; what is old goes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from server.core.keys import AccountId
from server.core.states import JobState
from server.flows import periodic
from server.flows.world import World
from server.store import accounts, calls, deal_names, inbox, tickets
from server.store.calls import CallRow
from server.store.db import Database
from server.store.deal_names import DealNameRow, Names
from server.store.inbox import EventRow
from server.store.jobs import JobKind, JobRow
from server.store.slots import SlotRow
from server.store.tickets import TicketRow, UsedTokenRow
from tests.fixed_clock import START, FixedClock
from tests.store import rows
from tests.store.rows import a_job, claim, defer, finish

DAY = timedelta(days=1)


def _kinds(database: Database) -> list[str]:
    """Of the jobs that wait; they are done by this look."""
    waiting = [row for row in rows.rows_of(database, JobRow) if row.state == JobState.WAITING]
    with database.write() as session:
        session.execute(sa.update(JobRow).values(state=JobState.DONE))
    return sorted(row.kind for row in waiting)


@pytest.fixture
def connected(database: Database, account: AccountId) -> AccountId:
    """Connected, and heard by webhooks."""
    rows.a_connection(database, account)
    return account


def test_events_are_swept_every_five_minutes_and_hooks_looked_at_every_hour(
    world: World, connected: AccountId, clock: FixedClock
):
    periodic.defer_due(world)
    assert _kinds(world.database) == [JobKind.ENSURE, JobKind.SWEEP_EVENTS]
    sweeps = ensures = 0
    for _ in range(120):  # every 30 seconds of an hour
        clock.advance(seconds=30)
        periodic.defer_due(world)
        found = _kinds(world.database)
        sweeps += found.count(JobKind.SWEEP_EVENTS)
        ensures += found.count(JobKind.ENSURE)
    assert (sweeps, ensures) == (12, 1)


def test_an_account_without_webhooks_is_swept_every_minute(
    world: World, connected: AccountId, clock: FixedClock
):
    with world.database.write() as session:
        accounts.hook_key(session, world.vault, connected, "kommo")
    sweeps = 0
    for _ in range(20):  # every 30 seconds of ten minutes
        periodic.defer_due(world)
        sweeps += _kinds(world.database).count(JobKind.SWEEP_EVENTS)
        clock.advance(seconds=30)
    assert sweeps == 10


def test_a_stretch_is_taken_once_over_all_processes(world: World, connected: AccountId):
    rows.at_once(5, lambda _: periodic.defer_due(world))
    assert _kinds(world.database) == [JobKind.ENSURE, JobKind.SWEEP_EVENTS]
    periodic.defer_due(world)
    assert _kinds(world.database) == []


def test_every_connected_account_is_swept_and_no_other(world: World, connected: AccountId):
    second = rows.an_account(world.database, "second")
    rows.a_connection(world.database, second)
    third = rows.an_account(world.database, "third")
    rows.a_connection(world.database, third, state="disconnected")
    fourth = rows.an_account(world.database, "fourth")
    rows.a_connection(world.database, fourth, "freshbooks")
    periodic.defer_due(world)
    swept = {row.account_id for row in rows.rows_of(world.database, JobRow)}
    assert swept == {connected, second}


def test_after_a_long_stop_nothing_is_made_up_for_twice(
    world: World, connected: AccountId, clock: FixedClock
):
    periodic.defer_due(world)
    _kinds(world.database)
    clock.advance(days=3)
    periodic.defer_due(world)
    assert _kinds(world.database) == [JobKind.ENSURE, JobKind.SWEEP_EVENTS]


# Retention


def _old_things(database: Database, account: AccountId, how_many: int) -> None:
    for n in range(how_many):
        job_id = defer(database, a_job(account, f"deal:{n}"))
        claim(database, job_id)
        finish(database, job_id)
        with database.write() as session:
            inbox.keep(
                session,
                account_id=account,
                kind="kommo",
                headers={},
                body=b"x",
                subjects=[],
                verdict="",
                received_at=START,
            )
            calls.note(session, [rows.a_call(account)])
            deal_names.note(session, account, n, Names("Chairs", "Acme"), START)
            tickets.mint(session, "kommo", None, START, START + DAY)
            tickets.use_once(session, f"jti-{n}", START + DAY)


def _left(database: Database) -> dict[str, int]:
    tables = (DealNameRow, JobRow, EventRow, CallRow, TicketRow, UsedTokenRow, SlotRow)
    return {table.__tablename__: len(rows.rows_of(database, table)) for table in tables}


def test_what_is_old_goes_each_after_its_own_time(
    world: World, account: AccountId, clock: FixedClock
):
    _old_things(world.database, account, 2)
    steps = []
    for days in (0.5, 2, 15, 31):
        clock.advance(START + timedelta(days=days) - clock.now())
        periodic.defer_due(world)
        steps.append({**_left(world.database), "slot": 0})
    kept = {**dict.fromkeys(_left(world.database), 2), "slot": 0}
    assert steps[0] == kept
    assert steps[1] == {**kept, "oauth_ticket": 0, "used_token": 0}
    assert steps[2] == {**steps[1], "call": 0}
    assert steps[3] == {**steps[2], "deal_name": 0, "job": 0, "event": 0}


def test_retention_keeps_up_with_more_than_a_batch_an_hour(
    world: World, account: AccountId, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(periodic, "BATCH", 2)
    _old_things(world.database, account, 7)
    clock.advance(days=40)
    periodic.defer_due(world)
    assert {**_left(world.database), "slot": 0} == dict.fromkeys(_left(world.database), 0)
