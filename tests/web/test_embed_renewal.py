"""A session inside Kommo is renewed while its user may still have it, and eight hours long at
most."""

from datetime import timedelta

import pytest
import requests

from server.sandbox import Fault
from server.sandbox.browser import call
from server.web import sessions
from tests.rig import Rig
from tests.web.from_kommo import ask, opened, refusal, token_of


def renew(rig: Rig, token: str) -> requests.Response:
    return call("POST", f"{rig.url}/embed/renew", headers={sessions.HEADER: token})


def test_a_session_is_renewed_for_eight_hours_and_no_longer(rig: Rig) -> None:
    token = ask(rig, token_of(rig)).json()["session"]
    began = rig.clock.now()
    while rig.clock.now() - began < sessions.LONGEST - timedelta(minutes=10):
        rig.clock.advance(timedelta(minutes=10))
        reply = renew(rig, token)
        token = reply.json()["session"]
    assert reply.json()["expires_in"] == 600  # what is left
    rig.clock.advance(timedelta(minutes=10))
    reply = renew(rig, token)
    assert refusal(reply)[0] == 401
    assert "Load the page again" in reply.json()["error"]


def test_a_session_that_has_ended_is_not_renewed(rig: Rig) -> None:
    token = ask(rig, token_of(rig)).json()["session"]
    rig.clock.advance(sessions.LIFE)
    assert refusal(renew(rig, token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000])
def test_what_is_no_session_is_not_renewed(shared_rig: Rig, token: str) -> None:
    assert refusal(renew(shared_rig, token))[0] == 401


def test_a_cookies_session_is_not_the_frames(shared_rig: Rig) -> None:
    session = sessions.begin(
        shared_rig.world,
        shared_rig.account_id,
        sessions.Role.ADMIN,
        where="app",
        who="1",
        name="Ona",
    )
    assert refusal(renew(shared_rig, sessions.seal(shared_rig.world, session)))[0] == 401


def test_who_is_no_administrator_any_more_loses_it_with_the_renewal(rig: Rig) -> None:
    second = rig.kommo.add_user("Second Admin", is_admin=True)
    token = ask(rig, token_of(rig, second.id)).json()["session"]
    rig.clock.advance(timedelta(minutes=10))
    second.is_admin = False
    assert opened(rig, renew(rig, token)).role == "manager"


def test_a_silent_kommo_takes_nothing_away(rig: Rig) -> None:
    token = ask(rig, token_of(rig)).json()["session"]
    rig.clock.advance(timedelta(minutes=10))
    rig.sandbox.faults.add(Fault("error_before", match="GET /api/v4/users/*", times=None))
    assert opened(rig, renew(rig, token)).role == "admin"
