"""Tokens rotate: one refresh at a time, stored before used, dead only when it is sure."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from server.core.errors import Reconnect, TryLater
from server.core.states import JobClass
from server.core.tokens import Token, TokenPair
from server.flows import world as outside
from server.flows.connect import unrecorded
from server.flows.tokens import EARLY, LEASE, GrantTokens
from server.sandbox import Fault
from server.store import grants, jobs
from server.store.jobs import JobKind
from tests.rig import Rig

TOKEN_PATHS = {"kommo": "/oauth2/access_token", "freshbooks": "/auth/oauth/token"}
LIVES = {"kommo": timedelta(hours=24), "freshbooks": timedelta(hours=12)}
VENDORS = ("kommo", "freshbooks")

both = pytest.mark.parametrize("vendor", VENDORS)


class Died(BaseException):
    """Our process, all at once: nothing is cleaned up."""


def holder(rig: Rig, vendor: str, **more: float) -> GrantTokens:
    """The connection's own holder, as a flow gets it; ``patience`` is shortened."""
    made = outside.tokens_of(rig.world, rig.connection(vendor), unrecorded)
    assert isinstance(made, GrantTokens)
    made._patience = more.get("patience", 5.0)
    return made


def refreshes(rig: Rig, vendor: str) -> int:
    """Answered and unanswered calls of the token endpoint; a consent is one of them."""
    calls = getattr(rig.sandbox, vendor).calls
    return sum(call[1].split("?")[0] == TOKEN_PATHS[vendor] for call in calls)


def expire(rig: Rig, vendor: str) -> None:
    rig.clock.advance(LIVES[vendor])


def lose_replies(rig: Rig, vendor: str, times: int = 1, kind: str = "lose_reply") -> None:
    match = f"POST {TOKEN_PATHS[vendor]}"
    rig.sandbox.faults.add(Fault(kind, match=match, vendor=vendor, times=times))


def dying_holder(rig: Rig, vendor: str) -> GrantTokens:
    """One whose process dies between the vendor's answer and our commit."""
    row = rig.connection(vendor)
    ask: Callable[[TokenPair], TokenPair] = holder(rig, vendor)._refresh

    def ask_and_die(pair: TokenPair) -> TokenPair:
        ask(pair)
        raise Died

    return GrantTokens(rig.database, rig.world.vault, rig.clock, row, ask_and_die)


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


def test_a_lost_reply_at_kommo_is_asked_for_again_with_the_old_token(rig: Rig) -> None:
    expire(rig, "kommo")
    lose_replies(rig, "kommo")
    assert holder(rig, "kommo").current().version == 2
    assert rig.connection("kommo").state == "connected"


@pytest.mark.parametrize("status", [400, 401])
def test_where_kommo_forgives_nothing_a_lost_reply_needs_a_person(rig: Rig, status: int) -> None:
    """The stricter reading (amoCRM's text): a refresh kills both old tokens at once."""
    rig.sandbox.kommo.switches.refresh_rule = "at_once"
    rig.sandbox.kommo.switches.token_error_status = status
    expire(rig, "kommo")
    lose_replies(rig, "kommo")
    with pytest.raises(TryLater):
        holder(rig, "kommo").current()
    rig.clock.advance(LEASE)
    with pytest.raises(Reconnect):
        holder(rig, "kommo").current()
    rig.connect_kommo()
    assert holder(rig, "kommo").current().access


def test_a_lost_reply_at_freshbooks_needs_a_person_one_lease_later(rig: Rig) -> None:
    expire(rig, "freshbooks")
    lose_replies(rig, "freshbooks")
    with pytest.raises(TryLater) as caught:
        holder(rig, "freshbooks").current()
    assert caught.value.after == LEASE
    assert rig.connection("freshbooks").state == "connected"
    rig.clock.advance(LEASE)
    with pytest.raises(Reconnect):
        holder(rig, "freshbooks").current()
    assert rig.connection("freshbooks").state == "reconnect"


def test_a_refresh_that_freshbooks_never_saw_is_simply_made_again(rig: Rig) -> None:
    expire(rig, "freshbooks")
    lose_replies(rig, "freshbooks", kind="error_before")
    assert holder(rig, "freshbooks").current().version == 2


@both
def test_a_vendor_that_does_not_answer_leaves_the_grant_as_it_was(rig: Rig, vendor: str) -> None:
    expire(rig, vendor)
    lose_replies(rig, vendor, times=2, kind="error_before")
    with pytest.raises(TryLater) as caught:
        holder(rig, vendor).current()
    assert caught.value.cause == f"{vendor}:down"
    assert holder(rig, vendor).current().version == 2


def test_kommo_forgives_a_crash_between_its_answer_and_our_commit(rig: Rig) -> None:
    expire(rig, "kommo")
    with pytest.raises(Died):
        dying_holder(rig, "kommo").current()
    with pytest.raises(TryLater):  # the dead one's lease still stands
        holder(rig, "kommo", patience=0.0).current()
    rig.clock.advance(LEASE)
    assert holder(rig, "kommo").current().version == 2
    assert rig.connection("kommo").state == "connected"


def test_a_crash_at_freshbooks_ends_in_connect_again_never_in_a_loop(rig: Rig) -> None:
    expire(rig, "freshbooks")
    with pytest.raises(Died):
        dying_holder(rig, "freshbooks").current()
    rig.clock.advance(LEASE)
    with pytest.raises(TryLater):
        holder(rig, "freshbooks").current()
    rig.clock.advance(LEASE)
    before = refreshes(rig, "freshbooks")
    for _ in range(3):
        with pytest.raises(Reconnect):
            holder(rig, "freshbooks").current()
    assert refreshes(rig, "freshbooks") == before + 1


def test_a_refusal_that_was_an_echo_does_not_kill_the_newer_pair(rig: Rig) -> None:
    """Another process refreshed, was slow, and stores its pair after we were refused."""
    row = rig.connection("freshbooks")
    expire(rig, "freshbooks")
    with rig.database.read() as session:
        old = grants.read(session, rig.world.vault, row.grant_id or 0)
    slow_pair = holder(rig, "freshbooks")._refresh(old.pair)
    with pytest.raises(TryLater):
        holder(rig, "freshbooks").current()
    with rig.database.write() as session:
        assert grants.swap(
            session, rig.world.vault, row.grant_id or 0, old.version, slow_pair, rig.clock.now()
        )
    assert holder(rig, "freshbooks").current() == Token(slow_pair.access, old.version + 1)
    assert rig.connection("freshbooks").state == "connected"


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
