"""Tokens rotate: one refresh at a time, stored before used; they go to no other host and follow an
account that moves."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from server.core.errors import TryLater
from server.core.states import JobClass
from server.core.tokens import Token, TokenPair
from server.flows import world as outside
from server.flows.connect import unrecorded
from server.flows.tokens import EARLY, LEASE, GrantTokens
from server.store import grants, jobs
from server.store.jobs import JobKind
from tests.flows.token_holders import LIVES, TOKEN_PATHS, both, expire, holder, refreshes
from tests.rig import Rig


@both
def test_a_token_with_time_left_is_used_as_it_is(rig: Rig, vendor: str) -> None:
    before = refreshes(rig, vendor)
    rig.clock.advance(LIVES[vendor] - EARLY - timedelta(seconds=1))
    assert holder(rig, vendor).current().version == 1
    assert refreshes(rig, vendor) == before


@both
def test_a_token_about_to_expire_is_refreshed_before_it_is_used(rig: Rig, vendor: str) -> None:
    old = holder(rig, vendor).current()
    rig.clock.advance(LIVES[vendor] - EARLY)
    new = holder(rig, vendor).current()
    assert (new.version, new.access != old.access) == (2, True)
    assert holder(rig, vendor).current() == new


@both
def test_the_refreshed_token_is_what_the_vendor_takes(rig: Rig, vendor: str) -> None:
    expire(rig, vendor)
    row = rig.connection(vendor)
    if vendor == "kommo":
        client = outside.kommo_client(rig.world, row, unrecorded)
        assert client.account().id == rig.kommo.account_id
    else:
        assert outside.freshbooks_client(rig.world, row, unrecorded).me().id == rig.ona.id


@both
def test_two_threads_with_one_stale_token_refresh_once(rig: Rig, vendor: str) -> None:
    stale = holder(rig, vendor).current()
    before = refreshes(rig, vendor)
    gate = threading.Barrier(2)

    def renew() -> Token:
        own = holder(rig, vendor)
        gate.wait(5)
        return own.refreshed(stale)

    with ThreadPoolExecutor(2) as pool:
        first, second = [future.result() for future in [pool.submit(renew) for _ in range(2)]]
    assert first == second
    assert first.version == stale.version + 1
    assert refreshes(rig, vendor) == before + 1


@both
def test_whoever_comes_with_an_older_token_gets_the_stored_one(rig: Rig, vendor: str) -> None:
    stale = holder(rig, vendor).current()
    new = holder(rig, vendor).refreshed(stale)
    before = refreshes(rig, vendor)
    assert holder(rig, vendor).refreshed(stale) == new
    assert refreshes(rig, vendor) == before


@both
def test_who_waits_too_long_for_another_gives_its_thread_back(rig: Rig, vendor: str) -> None:
    row = rig.connection(vendor)
    with rig.database.write() as session:
        assert grants.lease(session, row.grant_id or 0, "another", rig.clock.now(), LEASE)
    expire_soon = holder(rig, vendor).current()
    with pytest.raises(TryLater) as caught:
        holder(rig, vendor, patience=0.0).refreshed(expire_soon)
    assert (caught.value.cause, caught.value.burns) == (f"{vendor}:refreshing", False)
    assert caught.value.after == LEASE


@both
def test_a_new_consent_during_a_refresh_counts(rig: Rig, vendor: str) -> None:
    row = rig.connection(vendor)
    stale = holder(rig, vendor).current()
    ask = holder(rig, vendor)._refresh

    def ask_while_a_person_connects(pair: TokenPair) -> TokenPair:
        renewed = ask(pair)
        if vendor == "kommo":
            rig.connect_kommo()
        else:
            rig.connect_freshbooks()
        return renewed

    slow = GrantTokens(rig.database, rig.world.vault, rig.clock, row, ask_while_a_person_connects)
    won = slow.refreshed(stale)
    assert won == holder(rig, vendor).current()
    assert rig.connection(vendor).state == "connected"


@both
def test_a_dead_grant_waits_for_a_person_and_everything_resumes(rig: Rig, vendor: str) -> None:
    if vendor == "kommo":
        rig.sandbox.kommo.grants.revoke(rig.world.kommo.app.client_id, rig.kommo.account_id)
    else:
        rig.sandbox.freshbooks.authority.grants[-1].refresh_live = False
        expire(rig, "freshbooks")
    run_probe(rig, vendor)
    assert rig.connection(vendor).state == "connected"
    rig.later(minutes=5)
    assert rig.connection(vendor).state == "reconnect"
    parked = [job for job in rig.jobs(JobKind.PROBE) if job.state == "parked"]
    assert [job.cause for job in parked] == [f"{vendor}:reconnect"]
    if vendor == "kommo":
        rig.connect_kommo()
    else:
        rig.connect_freshbooks()
    rig.pump()
    assert rig.connection(vendor).state == "connected"
    assert {job.state for job in rig.jobs(JobKind.PROBE)} == {"done"}


def run_probe(rig: Rig, vendor: str) -> None:
    """Any job that calls the vendor will do."""
    with rig.database.write() as session:
        new = jobs.NewJob(rig.account_id, JobKind.PROBE, f"connection:{vendor}", JobClass.SWEEP, {})
        jobs.defer(session, new, rig.clock.now())
    rig.pump()


@pytest.mark.parametrize("status", [401, 404])
def test_an_account_that_moved_is_followed(rig: Rig, status: int) -> None:
    rig.sandbox.kommo.switches.moved_status = status
    old = rig.kommo.host
    new = rig.kommo.rename("renamed")
    client = outside.kommo_client(rig.world, rig.connection("kommo"), unrecorded)
    assert client.account().subdomain == "renamed"
    assert rig.connection("kommo").realm == new != old
    assert client.account().id == rig.kommo.account_id


def test_an_account_that_moved_while_its_token_slept_is_followed(rig: Rig) -> None:
    expire(rig, "kommo")
    new = rig.kommo.rename("renamed")
    client = outside.kommo_client(rig.world, rig.connection("kommo"), unrecorded)
    assert client.account().subdomain == "renamed"
    assert rig.connection("kommo").realm == new


def test_no_token_goes_to_a_host_that_is_not_allowed(rig: Rig) -> None:
    """The move leads to a port that BILLHOOK_KOMMO_HOSTS does not name."""
    rig.sandbox.kommo._ports.clear()
    new = rig.kommo.rename("elsewhere")
    assert new not in rig.world.kommo.hosts
    before = len(rig.sandbox.kommo.calls)
    with pytest.raises(TryLater):
        holder(rig, "kommo").refreshed(Token("", 1))
    asked = [call[1] for call in rig.sandbox.kommo.calls[before:]]
    assert asked == [TOKEN_PATHS["kommo"], "/oauth2/account/current/subdomain"]
    assert rig.connection("kommo").realm != new


def test_a_stolen_database_holds_no_token_in_plain(rig: Rig) -> None:
    row = rig.connection("kommo")
    with rig.database.read() as session:
        stored = grants.read(session, rig.world.vault, row.grant_id or 0)
    rig.database.engine.dispose()
    url = rig.config().sqlite_file
    assert url is not None
    everything = b"".join(file.read_bytes() for file in url.parent.glob("billhook.db*"))
    assert row.external_id.encode() in everything
    for secret in (stored.pair.access, stored.pair.refresh, rig.hook_url().rpartition("/")[2]):
        assert secret.encode() not in everything
