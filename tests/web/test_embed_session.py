"""Who gets in from Kommo with its one-time token, and as what: an administrator or a manager."""

from datetime import timedelta

import pytest

from server.sandbox import Fault
from server.web import sessions
from tests.rig import KOMMO_ID, Rig
from tests.web.from_kommo import ask, opened, page, refusal, token_of


@pytest.fixture(params=[True, False], ids=["claim", "no claim"])
def telling(request: pytest.FixtureRequest, rig: Rig) -> bool:
    """Whether Kommo's tokens say who is an administrator: nobody could verify it."""
    rig.sandbox.kommo.switches.is_admin_claim = request.param
    told: bool = request.param
    return told


def test_an_administrator_gets_in_by_name(rig: Rig, telling: bool) -> None:
    reply = ask(rig, token_of(rig), lang="es-MX")
    session = opened(rig, reply)
    assert (session.role, session.where, session.name) == ("admin", "kommo", "Olivia Stone")
    assert (session.account_id, session.who) == (rig.account_id, str(rig.kommo.admin.id))
    assert session.language == "es"
    assert reply.json()["expires_in"] == sessions.LIFE.total_seconds()
    assert page(rig, reply).status_code == 200


def test_another_user_of_the_account_is_a_manager(rig: Rig, telling: bool) -> None:
    mark = rig.kommo.add_user("Mark Reed")
    reply = ask(rig, token_of(rig, mark.id))
    assert (opened(rig, reply).role, opened(rig, reply).name) == ("manager", "Mark Reed")
    assert page(rig, reply).status_code == 403


def test_a_user_whom_kommo_does_not_know_is_a_manager(rig: Rig) -> None:
    rig.sandbox.kommo.switches.is_admin_claim = False
    session = opened(rig, ask(rig, token_of(rig, 999)))
    assert (session.role, session.name) == ("manager", "Kommo user 999")


def test_an_administrator_who_was_switched_off_is_a_manager(rig: Rig) -> None:
    rig.sandbox.kommo.switches.is_admin_claim = False
    gone = rig.kommo.add_user("Gone Away", is_admin=True, is_active=False)
    assert opened(rig, ask(rig, token_of(rig, gone.id))).role == "manager"


def test_what_a_user_may_is_asked_once_in_five_minutes(rig: Rig, telling: bool) -> None:
    def asked() -> int:
        path = f"/api/v4/users/{rig.kommo.admin.id}"
        return sum(made[1] == path for made in rig.sandbox.kommo.calls)

    for _ in range(3):
        opened(rig, ask(rig, token_of(rig)))
    assert asked() == 1
    rig.clock.advance(timedelta(minutes=5))
    opened(rig, ask(rig, token_of(rig)))
    assert asked() == 2


def test_a_silent_kommo_is_said_where_the_token_does_not_tell(rig: Rig, telling: bool) -> None:
    rig.sandbox.faults.add(Fault("error_before", match="GET /api/v4/users/*", times=None))
    reply = ask(rig, token := token_of(rig))
    if telling:
        assert (opened(rig, reply).role, opened(rig, reply).name[:11]) == ("admin", "Kommo user ")
        return
    status, sentence = refusal(reply)
    assert (status, "Kommo does not answer" in sentence) == (503, True)
    rig.sandbox.faults.clear()
    assert opened(rig, ask(rig, token)).role == "admin"  # nothing was used up


def test_an_access_that_sees_no_users_makes_nobody_an_administrator(rig: Rig) -> None:
    rig.sandbox.kommo.switches.is_admin_claim = False
    fault = Fault("error_before", match="GET /api/v4/users/*", status=403, times=None)
    rig.sandbox.faults.add(fault)
    assert opened(rig, ask(rig, token_of(rig))).role == "manager"


def test_an_admin_gets_in_to_connect_again_and_others_are_told(rig: Rig, telling: bool) -> None:
    rig.sandbox.kommo.grants.revoke(KOMMO_ID, rig.kommo.account_id)
    ask(rig, token_of(rig))  # refused once, an access is only doubted
    rig.clock.advance(timedelta(minutes=10))
    reply = ask(rig, token_of(rig))
    if telling:
        assert "Connect again" in page(rig, reply).text
    else:
        status, sentence = refusal(reply)
        assert (status, "lost its access" in sentence) == (409, True)


def test_a_renamed_account_is_found_at_its_new_address(rig: Rig) -> None:
    rig.kommo.rename("new-name")
    opened(rig, ask(rig, token_of(rig)))
    assert rig.connection("kommo").realm == rig.kommo.host


def test_an_account_that_was_disconnected_is_told_how_to_come_back(rig: Rig) -> None:
    rig.kommo.disable_integration(KOMMO_ID)
    rig.pump()
    status, sentence = refusal(ask(rig, token_of(rig)))
    assert status == 409
    assert "Install the widget again" in sentence
    rig.kommo.install_widget(KOMMO_ID)
    rig.pump()
    assert opened(rig, ask(rig, token_of(rig))).account_id == rig.account_id
