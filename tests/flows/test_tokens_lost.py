"""A refresh whose answer is lost, or whose process dies: a grant is dead only when it is sure."""

from collections.abc import Callable

import pytest

from server.core.errors import Reconnect, TryLater
from server.core.tokens import Token, TokenPair
from server.flows.tokens import LEASE, GrantTokens
from server.sandbox import Fault
from server.store import grants
from tests.flows.token_holders import TOKEN_PATHS, both, expire, holder, refreshes
from tests.rig import Rig


class Died(BaseException):
    """Our process, all at once: nothing is cleaned up."""


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
